import { BoundedMap } from '../base/bounded-map.ts';
import { limits } from '../base/limits.ts';
import { TokenBucket } from '../base/token-bucket.ts';
import type { PeerId } from './port.ts';

interface Account {
  readonly own: TokenBucket;
  /** What a stranger has for itself when all of them together sent too much; undefined for a member. */
  readonly quiet: TokenBucket | undefined;
}

/**
 * How many gossip messages a peer may send, and how many all strangers together. Gossipsub decodes, hashes
 * and looks up each, however small it is and whether it is known already; past the rate nothing of the peer
 * is looked at. Times are milliseconds of a monotonic clock.
 */
export class GossipRate {
  readonly #isMember: (peer: PeerId) => boolean;
  readonly #now: () => number;
  /** Messages of a peer may still be under way when it is forgotten: those that are gone are not kept. */
  readonly #peers = new BoundedMap<PeerId, Account>(limits.peersRemembered);
  readonly #strangers: TokenBucket;

  constructor(options: { readonly isMember: (peer: PeerId) => boolean; readonly now: () => number }) {
    this.#isMember = options.isMember;
    this.#now = options.now;
    this.#strangers = new TokenBucket(limits.gossipMessages.strangers, options.now());
  }

  /** Peers of which something is known. */
  get size(): number {
    return this.#peers.size;
  }

  /** Asked before anything of a delivery is looked at, which counts as one itself. */
  accepts(peer: PeerId): boolean {
    const now = this.#now();
    const { own, quiet } = this.#accountOf(peer);
    if (!own.has(1, now)) return false;
    if (quiet !== undefined && !this.#strangers.has(1, now) && !quiet.has(1, now)) return false;
    this.count(peer);
    return true;
  }

  /** A message of the peer has come. One delivery may hold several, so this may leave it owing some. */
  count(peer: PeerId): void {
    const now = this.#now();
    const { own, quiet } = this.#accountOf(peer);
    own.owe(1, now);
    if (quiet !== undefined && !this.#strangers.take(1, now)) quiet.owe(1, now);
  }

  forget(peer: PeerId): void {
    this.#peers.delete(peer);
  }

  /** Members change: who became one while it was connected has a member's from then on. */
  #accountOf(peer: PeerId): Account {
    let account = this.#peers.get(peer);
    const isMember = this.#isMember(peer);
    if (account === undefined || (account.quiet === undefined) !== isMember) {
      const now = this.#now();
      const { member, stranger, quiet } = limits.gossipMessages;
      account = isMember
        ? { own: new TokenBucket(member, now), quiet: undefined }
        : { own: new TokenBucket(stranger, now), quiet: new TokenBucket(quiet, now) };
      this.#peers.set(peer, account);
    }
    return account;
  }
}
