import { invariant } from '../../base/invariant.ts';
import { limits } from '../../base/limits.ts';
import type { Problem } from '../../base/problem.ts';
import type {
  GossipVerdict,
  Network,
  PeerId,
  PeerStats,
  RequestProtocol,
  Topic,
} from '../../network/port.ts';
import { sealBytes } from '../../node/peers/relay.ts';
import { Chance } from './chance.ts';
import { Connections } from './connections.ts';
import { GossipMesh } from './gossip-mesh.ts';
import { LinkQueue } from './link-queue.ts';
import type { Links } from './links.ts';
import type { Scheduler, VirtualMs } from './scheduler.ts';
import {
  type JoinOptions,
  peerIndex,
  peerName,
  networkProblem,
  newStation,
  remember,
  type Request,
  type Station,
} from './station.ts';
import { fingerprint, type Trace } from './trace.ts';

/** Something was put on a link. It arrives at these moments, unless the link is cut or a node ends before. */
export type OnCarried = (carried: {
  readonly from: number;
  readonly to: number;
  readonly kind: string;
  /** The message, without what only carries it. */
  readonly bytes: Uint8Array;
  readonly at: VirtualMs;
  readonly arrivals: readonly VirtualMs[];
}) => void;

interface VirtualNetworkOptions {
  readonly scheduler: Scheduler;
  readonly links: Links;
  readonly trace: Trace;
  readonly seed: number;
  readonly size: number;
  /** Names the kind of a message, for filters and counts. */
  readonly kindOf: (bytes: Uint8Array) => string;
  readonly onCarried?: OnCarried | undefined;
}

/**
 * The network between all nodes of a run. It keeps the promises of the port and no more: messages are lost,
 * doubled, late and out of order as the links' conditions say; connections break and come back; a request is
 * answered once or fails; gossip goes from node to node as the real one does (`gossip-mesh.ts`), as far as
 * each node's verdict lets it.
 */
export class VirtualNetwork {
  readonly links: Links;
  readonly #scheduler: Scheduler;
  readonly #trace: Trace;
  readonly #kindOf: (bytes: Uint8Array) => string;
  readonly #onCarried: OnCarried | undefined;
  readonly #stations: (Station | undefined)[];
  readonly #mesh: GossipMesh;
  readonly #connections: Connections;

  constructor(options: VirtualNetworkOptions) {
    this.#scheduler = options.scheduler;
    this.links = options.links;
    this.#trace = options.trace;
    this.#kindOf = options.kindOf;
    this.#onCarried = options.onCarried;
    this.#stations = Array.from({ length: options.size });
    const { scheduler, seed } = options;
    const stations = this.#stations;
    this.#mesh = new GossipMesh({ scheduler, stations, chance: new Chance(seed, 'gossip mesh') });
    this.#connections = new Connections({
      scheduler,
      stations,
      mesh: this.#mesh,
      links: options.links,
      trace: options.trace,
      chance: new Chance(seed, 'connections'),
    });
  }

  /** The port of one node's process. */
  join(index: number, options: JoinOptions): Network {
    const self = peerName(index);
    return {
      self,
      start: async (handlers) => {
        invariant(this.#stations[index] === undefined, `${self} joins once`);
        this.#stations[index] = newStation(index, options, handlers);
        this.reconcile();
      },
      stop: async () => this.leave(index),
      addresses: () => [`virtual://${self}`],
      peers: () => [...(this.#stations[index]?.connected ?? [])].sort((a, b) => a - b).map(peerName),
      send: (peer, bytes, urgent) => this.#send(index, peer, { bytes, urgent: urgent === true }),
      publish: (topic, bytes) => this.#publish(index, topic, bytes),
      askForGossip: (peer) => this.#askForGossip(index, peerIndex(peer)),
      request: (peer, protocol, bytes, done) => {
        if (this.#stations[index]?.options === options) this.#request({ index, peer, protocol, bytes, done });
        else {
          const stopped = networkProblem('network/lost', 'this node has stopped');
          this.#scheduler.defer(() => options.life.enter(() => done(stopped)));
        }
      },
      penalise: (peer, reason) => options.onPenalise?.(peer, reason),
      stats: () => this.#statsOf(index),
    };
  }

  /** The process is gone, with or without a word. */
  leave(index: number): void {
    const station = this.#stations[index];
    if (station === undefined) return;
    this.#stations[index] = undefined;
    station.requests.clear();
    this.reconcile();
  }

  /** To be called after links were cut or mended: connections follow. */
  reconcile(): void {
    this.#connections.reconcile();
  }

  #send(from: number, peer: PeerId, { bytes, urgent }: { bytes: Uint8Array; urgent: boolean }): boolean {
    const station = this.#stations[from];
    const to = peerIndex(peer);
    if (station === undefined || !station.connected.has(to) || bytes.length > limits.consensusMessageBytes)
      return false;
    const queue = station.queues.get(to) ?? new LinkQueue();
    station.queues.set(to, queue);
    const destination = this.#stations[to];
    const dropped = queue.push({ bytes, urgent, destination }, this.links.queueBytes(from, to));
    for (let count = 0; count < dropped; count++) this.links.count('clog-drop');
    if (queue.deferred) return true;
    queue.deferred = true;
    this.#scheduler.defer(() => {
      queue.deferred = false;
      this.#flush(station, to, queue);
    });
    return true;
  }

  /**
   * Puts on the link what it takes: all that is urgent, and of the rest all, or one after the other
   * while the link is clogged.
   */
  #flush(station: Station, to: number, queue: LinkQueue): void {
    const { links } = this;
    const scheduler = this.#scheduler;
    const from = station.index;
    if (this.#stations[from] !== station || station.queues.get(to) !== queue) return;
    for (;;) {
      const freeAt = links.freeAt(from, to);
      const message = queue.shift(freeAt > scheduler.now);
      if (message !== undefined) {
        const { bytes, urgent, destination } = message;
        if (destination !== this.#stations[to]) continue;
        const arrive = (receiver: Station): void => receiver.handlers.onMessage(peerName(from), bytes);
        this.#carry({ from, to, what: 'message', kind: this.#kindOf(bytes), urgent, bytes, arrive });
        continue;
      }
      if (queue.isEmpty || queue.waking) return;
      queue.waking = true;
      scheduler.at(freeAt, () => {
        queue.waking = false;
        this.#flush(station, to, queue);
      });
      return;
    }
  }

  #statsOf(index: number): readonly PeerStats[] {
    const station = this.#stations[index];
    if (station === undefined) return [];
    return [...station.connected]
      .sort((a, b) => a - b)
      .map((other) => ({
        peer: peerName(other),
        address: `virtual://${peerName(other)}`,
        queuedBytes: station.queues.get(other)?.bytes ?? 0,
        droppedMessages: station.queues.get(other)?.dropped ?? 0,
        penalties: 0,
      }));
  }

  /** To everybody that gossip reaches. What it has had it does not publish again. */
  #publish(from: number, topic: Topic, bytes: Uint8Array): void {
    const station = this.#stations[from];
    if (station === undefined) return;
    invariant(bytes.length <= limits.gossipMessageBytes, 'a gossip message is within limits');
    const gossip = { topic, bytes, id: `${topic}:${fingerprint(bytes)}` };
    if (!remember(station, gossip.id, this.#scheduler.now)) return;
    this.#tell(
      station,
      gossip,
      [...station.hearers].sort((a, b) => a - b),
    );
  }

  #askForGossip(from: number, to: number): void {
    if (this.#stations[from]?.connected.has(to) !== true) return;
    const arrive = (receiver: Station): void => this.#mesh.asked(receiver, from);
    this.#carry({ from, to, what: 'ask-gossip', kind: 'gossip', bytes: new Uint8Array(), arrive });
  }

  #tell({ index: from }: Station, gossip: Gossip, peers: readonly number[]): void {
    const isConsensus = gossip.topic === 'consensus';
    const inner = isConsensus ? gossip.bytes.subarray(sealBytes) : gossip.bytes;
    const kind = isConsensus ? this.#kindOf(inner) : gossip.topic;
    for (const to of peers) {
      this.#carry({
        from,
        to,
        what: gossip.topic,
        kind,
        bytes: gossip.bytes,
        inner,
        arrive: (receiver) => this.#hear(receiver, gossip, from),
      });
    }
  }

  /** As the real one does (`network/gossip-copies.ts`), a member's copy is taken while a stranger's waits. */
  #hear(station: Station, gossip: Gossip, from: number): void {
    const { seen, handlers } = station;
    const isMember = handlers.memberKeyOf === undefined || handlers.memberKeyOf(peerName(from)) !== undefined;
    const id = isMember || seen.has(gossip.id) ? gossip.id : `${gossip.id} of a stranger`;
    if (!remember(station, id, this.#scheduler.now)) return;
    let decided = false;
    handlers.onGossip(gossip.topic, gossip.bytes, peerName(from), (verdict: GossipVerdict) => {
      if (decided) return;
      decided = true;
      if (verdict === 'unread') seen.delete(id);
      else remember(station, gossip.id, this.#scheduler.now);
      if (verdict !== 'accept' || this.#stations[station.index] !== station) return;
      this.#tell(station, gossip, this.#mesh.relayed(station, gossip.topic, from));
    });
  }

  #request(asked: {
    index: number;
    peer: PeerId;
    protocol: RequestProtocol;
    bytes: Uint8Array;
    done: (response: Uint8Array | Problem) => void;
  }): void {
    const station = this.#stations[asked.index];
    if (station === undefined) return;
    const from = asked.index;
    const to = peerIndex(asked.peer);
    const request: Request = {
      to,
      finish: (result) => {
        if (!station.requests.delete(request)) return;
        cancel();
        station.options.life.enter(() => asked.done(result));
      },
    };
    const cancel = this.#scheduler.after(limits.requestTimeoutMs, () =>
      request.finish(networkProblem('network/timeout', `${asked.peer} did not answer in time`)),
    );
    station.requests.add(request);
    if (!station.connected.has(to)) {
      this.#scheduler.defer(() =>
        request.finish(networkProblem('network/lost', `${asked.peer} is not connected`)),
      );
      return;
    }
    this.#carry({
      from,
      to,
      what: `ask-${asked.protocol}`,
      kind: 'request',
      bytes: asked.bytes,
      arrive: (server) => {
        let responded = false;
        server.handlers.onRequest(peerName(from), asked.protocol, asked.bytes, (response) => {
          if (responded) return;
          responded = true;
          const answer = response === null || response.length > limits.responseBytes ? null : response;
          this.#carry({
            from: to,
            to: from,
            what: `answer-${asked.protocol}`,
            kind: 'response',
            bytes: answer ?? new Uint8Array(),
            arrive: () =>
              request.finish(
                answer ?? networkProblem('network/refused', `${asked.peer} refused the request`),
              ),
          });
        });
      },
    });
  }

  /**
   * Puts something on a link. False when the sender's queue dropped it; a loss on the
   * way is not told to anyone.
   */
  #carry(item: {
    from: number;
    to: number;
    what: string;
    kind: string;
    urgent?: boolean | undefined;
    bytes: Uint8Array;
    inner?: Uint8Array;
    arrive: (station: Station) => void;
  }): boolean {
    const { from, to, what, bytes, inner = bytes } = item;
    const scheduler = this.#scheduler;
    const arrivals = this.links.arrivals({
      from,
      to,
      size: bytes.length,
      kind: item.kind,
      urgent: item.urgent,
      now: scheduler.now,
    });
    if (arrivals === 'full') return false;
    const name = `${from}>${to} ${what} ${item.kind} ${fingerprint(bytes)}`;
    this.#trace.add(`${scheduler.now} ${name}${arrivals.length === 1 ? '' : ` x${arrivals.length}`}`);
    this.#onCarried?.({ from, to, kind: item.kind, bytes: inner, at: scheduler.now, arrivals });
    const destination = this.#stations[to];
    for (const moment of arrivals) {
      scheduler.at(moment, () => {
        // A connection ends with either process: what was on its way to the old one
        // never reaches the new one.
        if (destination === undefined || this.#stations[to] !== destination || this.links.isCut(from, to))
          return;
        destination.options.life.enter(() => {
          if (this.#stations[to] !== destination) return;
          this.#trace.add(`${scheduler.now} at ${name}`);
          item.arrive(destination);
        });
      });
    }
    return true;
  }
}

interface Gossip {
  readonly topic: Topic;
  readonly bytes: Uint8Array;
  readonly id: string;
}
