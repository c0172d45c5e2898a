import { limits } from '../../base/limits.ts';
import { type Rate, TokenBucket } from '../../base/token-bucket.ts';
import type { MonotonicMs } from '../../consensus/engine.ts';
import type { PeerId } from '../../network/port.ts';
import { BoundedMap } from '../../base/bounded-map.ts';
import type { Standing } from '../peers/standing.ts';

interface Served {
  readonly bytes: Rate;
  readonly busyMs: Rate;
}

/**
 * How fast peers are served: by the bytes that go out and by the time that it takes. A member has an account
 * of its own, strangers one for each address block and one in all. All of them together have their time, too:
 * a member that asked for much waits for it, and one that asked for little does not. Strangers come after
 * members: they get what members did not use lately, and each block a little of it whatever the others ask.
 */
export class ServedRate {
  readonly #standingOf: (peer: PeerId) => Standing;
  readonly #members = new BoundedMap<string, Account>(limits.peersRemembered);
  readonly #first = new BoundedMap<string, TokenBucket>(limits.peersRemembered);
  readonly #blocks = new BoundedMap<string, Account>(limits.peersRemembered);
  readonly #firstOfBlocks = new BoundedMap<string, Account>(limits.peersRemembered);
  readonly #strangers: Account;
  readonly #everybody: TokenBucket;

  constructor(standingOf: (peer: PeerId) => Standing, now: MonotonicMs) {
    this.#standingOf = standingOf;
    this.#strangers = new Account(limits.strangersServed, now);
    this.#everybody = new TokenBucket(limits.servedBusyMs, now);
  }

  /** How long the peer's next request has to wait, in milliseconds. */
  waitFor(peer: PeerId, now: MonotonicMs): number {
    const standing = this.#standingOf(peer);
    if (standing.type === 'member') {
      const { own, first } = this.#memberOf(standing.key, now);
      return Math.max(own.waitFor(now), Math.min(first.waitFor(0, now), this.#everybody.waitFor(0, now)));
    }
    const { own, first } = this.#blockOf(standing.block, now);
    const left = this.#everybody.waitFor(limits.servedBusyMs.burst / 2, now);
    return Math.max(own.waitFor(now), Math.min(first.waitFor(now), this.#strangers.waitFor(now)), left);
  }

  served(peer: PeerId, cost: { readonly bytes: number; readonly busyMs: number }, now: MonotonicMs): void {
    // What nobody else wanted is not held against anybody when others come.
    const isWanted = this.#everybody.waitFor(0, now) > 0;
    this.#everybody.owe(cost.busyMs, now);
    const standing = this.#standingOf(peer);
    if (standing.type === 'member') {
      const { own, first } = this.#memberOf(standing.key, now);
      own.owe(cost, now);
      if (isWanted) first.owe(cost.busyMs, now);
      return;
    }
    const { own, first } = this.#blockOf(standing.block, now);
    own.owe(cost, now);
    (this.#strangers.waitFor(now) === 0 ? this.#strangers : first).owe(cost, now);
  }

  /** What a member may be served, and what of that whatever others take. */
  #memberOf(key: string, now: MonotonicMs): { readonly own: Account; readonly first: TokenBucket } {
    const first = this.#first.get(key) ?? new TokenBucket(limits.memberServedFirst, now);
    this.#first.set(key, first);
    return { own: accountIn(this.#members, key, limits.memberServed, now), first };
  }

  /** The same of the strangers of one address block. */
  #blockOf(block: string, now: MonotonicMs): { readonly own: Account; readonly first: Account } {
    return {
      own: accountIn(this.#blocks, block, limits.strangerServed, now),
      first: accountIn(this.#firstOfBlocks, block, limits.strangerServedFirst, now),
    };
  }
}

function accountIn(
  accounts: BoundedMap<string, Account>,
  name: string,
  served: Served,
  now: MonotonicMs,
): Account {
  const account = accounts.get(name) ?? new Account(served, now);
  accounts.set(name, account);
  return account;
}

/**
 * The cost of an answer is known only afterwards. So an answer is given when nothing is owed, and its cost is
 * owed from then on.
 */
class Account {
  readonly #bytes: TokenBucket;
  readonly #busyMs: TokenBucket;

  constructor(served: Served, now: MonotonicMs) {
    this.#bytes = new TokenBucket(served.bytes, now);
    this.#busyMs = new TokenBucket(served.busyMs, now);
  }

  waitFor(now: MonotonicMs): number {
    return Math.max(this.#bytes.waitFor(0, now), this.#busyMs.waitFor(0, now));
  }

  owe({ bytes, busyMs }: { readonly bytes: number; readonly busyMs: number }, now: MonotonicMs): void {
    this.#bytes.owe(bytes, now);
    this.#busyMs.owe(busyMs, now);
  }
}
