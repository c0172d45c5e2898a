import { limits } from '../../base/limits.ts';
import type { MonotonicMs, Recipients, ValidatorIndex } from '../../consensus/engine.ts';
import type { Protocol } from '../../consensus/protocol.ts';
import type { Network, PeerId } from '../../network/port.ts';
import type { Clock } from '../process/clock.ts';
import { BoundedMap } from '../../base/bounded-map.ts';
import type { PeerRegistry } from './peer-registry.ts';
import { nameOfMessage, type Relay } from './relay.ts';

interface MessengerOptions<M> {
  readonly protocol: Protocol<M>;
  readonly network: Pick<Network, 'send' | 'publish' | 'askForGossip'>;
  readonly registry: Pick<PeerRegistry, 'peerOf' | 'validators' | 'isStranger'>;
  readonly clock: Clock;
  readonly relay: Pick<Relay, 'seal'>;
  /** This node's place among the validators; undefined for an observer. */
  readonly self: () => ValidatorIndex | undefined;
}

/**
 * Brings consensus messages to validators: over their direct streams, and where there is none, by gossip
 * through others. A validator that is down looks the same from here as one that only others can reach; so
 * gossip is used in full only for those that were heard through it lately, and otherwise now and then, to
 * find out.
 *
 * Whoever is heard through others only is in another part of the network, and so are transactions that come
 * from there: those who bring its messages are asked for all gossip. Each asks the one who had them first, so
 * what is asked for leads back to where they came from. A stranger can be first as often as it likes, and
 * keep the rest: so strangers have half of the places among those who are asked, and when one was first a
 * member is asked besides, another each time.
 */
export class Messenger<M> {
  readonly #options: MessengerOptions<M>;
  readonly #heardByGossip = new Map<ValidatorIndex, MonotonicMs>();
  /** When messages were handed to gossip last. */
  readonly #relayed = new BoundedMap<string, MonotonicMs>(limits.relayedRemembered);
  /** Whom this node asked for all gossip, with when. */
  readonly #asked = new Map<PeerId, MonotonicMs>();
  /** When each member was asked last because a stranger was first. */
  readonly #membersAsked = new BoundedMap<PeerId, MonotonicMs>(limits.peersRemembered);
  #probedAt: MonotonicMs = -Infinity;
  readonly counters = { sent: 0, relayed: 0, unsent: 0 };

  constructor(options: MessengerOptions<M>) {
    this.#options = options;
  }

  /** Urgent messages overtake what waits for the same peer. */
  send(to: Recipients, bytes: Uint8Array, urgent = false): void {
    const { network, registry, protocol } = this.#options;
    const self = this.#options.self();
    const recipients = to === 'all' ? [...registry.validators.keys()] : to;
    const unreached: ValidatorIndex[] = [];
    for (const validator of recipients) {
      if (validator === self) continue;
      const peer = registry.peerOf(validator);
      if (peer !== undefined && network.send(peer, bytes, urgent)) this.counters.sent += 1;
      // A full queue is no reason to burden everybody: the engine repeats itself.
      else if (peer === undefined) unreached.push(validator);
      else this.counters.unsent += 1;
    }
    if (protocol.authentication === 'signature' && unreached.length > 0) this.#relay(unreached, bytes);
  }

  /** A good message of this validator came by gossip; this peer brought it first. */
  heardByGossip(validator: ValidatorIndex, from: PeerId): void {
    const { clock, registry, self } = this.#options;
    const now = clock.monotonicMs();
    this.#heardByGossip.set(validator, now);
    if (registry.peerOf(validator) !== undefined || self() === undefined) return;
    this.#askForGossip(from, now);
    if (registry.isStranger(from)) this.#askMember(now);
  }

  /** A validator was heard by gossip lately: it has no link to some other, or none that it knows of. */
  get someLackLinks(): boolean {
    const now = this.#options.clock.monotonicMs();
    for (const at of this.#heardByGossip.values()) if (now - at < limits.relayHeardMs) return true;
    return false;
  }

  #askForGossip(peer: PeerId, now: MonotonicMs): void {
    for (const [other, at] of this.#asked) if (now - at >= limits.gossipAskedMs) this.#asked.delete(other);
    const { network, registry } = this.#options;
    const askedAt = this.#asked.get(peer);
    if (askedAt !== undefined && now - askedAt < limits.gossipAskedMs / 2) return;
    if (askedAt === undefined && !this.#hasPlace(registry.isStranger(peer))) return;
    this.#asked.set(peer, now);
    network.askForGossip(peer);
  }

  #hasPlace(isStranger: boolean): boolean {
    if (this.#asked.size >= limits.gossipAsked) return false;
    if (!isStranger) return true;
    const strangers = [...this.#asked.keys()].filter((peer) => this.#options.registry.isStranger(peer));
    return strangers.length < limits.gossipAsked / 2;
  }

  /** The member that was not asked for longest, if there is a place. */
  #askMember(now: MonotonicMs): void {
    if (!this.#hasPlace(false)) return;
    const { registry } = this.#options;
    const askedAt = (peer: PeerId): MonotonicMs => this.#membersAsked.get(peer) ?? -Infinity;
    let next: PeerId | undefined;
    for (const validator of registry.validators.keys()) {
      const peer = registry.peerOf(validator);
      if (peer === undefined || this.#asked.has(peer)) continue;
      if (next === undefined || askedAt(peer) < askedAt(next)) next = peer;
    }
    if (next === undefined) return;
    this.#membersAsked.set(next, now);
    this.#askForGossip(next, now);
  }

  #relay(unreached: readonly ValidatorIndex[], bytes: Uint8Array): void {
    const now = this.#options.clock.monotonicMs();
    const self = this.#options.self();
    if (self === undefined) return;
    // One that is for several is sent to each, and each hears what goes to any.
    const name = nameOfMessage(bytes);
    if (now - (this.#relayed.get(name) ?? -Infinity) < limits.relayRepeatMs) return;
    const heard = unreached.some(
      (validator) => now - (this.#heardByGossip.get(validator) ?? -Infinity) < limits.relayHeardMs,
    );
    if (!heard && now - this.#probedAt < limits.relayProbeMs) return;
    if (!heard) this.#probedAt = now;
    this.#relayed.set(name, now);
    this.counters.relayed += 1;
    this.#options.network.publish('consensus', this.#options.relay.seal(self, bytes));
  }
}
