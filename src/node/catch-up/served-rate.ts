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
 * members: they get what members did not use lately.
 */
export class ServedRate {
  readonly #standingOf: (peer: PeerId) => Standing;
  readonly #members = new BoundedMap<string, Account>(limits.peersRemembered);
  readonly #first = new BoundedMap<string, TokenBucket>(limits.peersRemembered);
  readonly #blocks = new BoundedMap<string, Account>(limits.peersRemembered);
  readonly #strangers: Account;
  readonly #everybody: TokenBucket;

  constructor(standingOf: (peer: PeerId) => Standing, now: MonotonicMs) {
    this.#standingOf = standingOf;
    this.#strangers = new Account(limits.strangersServed, now);
    this.#everybody = new TokenBucket(limits.servedBusyMs, now);
  }

  /** How long the peer's next request has to wait, in milliseconds. */
  waitFor(peer: PeerId, now: MonotonicMs): number {
    const waits = this.#accountsOf(peer, now).map((account) => account.waitFor(now));
    const first = this.#firstOf(peer, now);
    if (first === undefined) waits.push(this.#everybody.waitFor(limits.servedBusyMs.burst / 2, now));
    else waits.push(Math.min(first.waitFor(0, now), this.#everybody.waitFor(0, now)));
    return Math.max(...waits);
  }

  served(peer: PeerId, cost: { readonly bytes: number; readonly busyMs: number }, now: MonotonicMs): void {
    for (const account of this.#accountsOf(peer, now)) account.owe(cost, now);
    this.#everybody.owe(cost.busyMs, now);
    this.#firstOf(peer, now)?.owe(cost.busyMs, now);
  }

  isStranger(peer: PeerId): boolean {
    return this.#standingOf(peer).type === 'stranger';
  }

  /** What a member is served whatever others take; undefined for a stranger. */
  #firstOf(peer: PeerId, now: MonotonicMs): TokenBucket | undefined {
    const standing = this.#standingOf(peer);
    if (standing.type !== 'member') return undefined;
    const first = this.#first.get(standing.key) ?? new TokenBucket(limits.memberServedFirst, now);
    this.#first.set(standing.key, first);
    return first;
  }

  #accountsOf(peer: PeerId, now: MonotonicMs): Account[] {
    const standing = this.#standingOf(peer);
    if (standing.type === 'member') {
      return [accountIn(this.#members, standing.key, limits.memberServed, now)];
    }
    return [accountIn(this.#blocks, standing.block, limits.strangerServed, now), this.#strangers];
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
