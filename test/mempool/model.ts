import type { Account } from '../../src/ledger/state-entry.ts';
import type { Transaction } from '../../src/ledger/transaction.ts';
import type { PublicKey } from '../../src/crypto/signature.ts';
import { amountOf } from './fixture.ts';

/** The rules of the pool in their shortest form: a plain list, and everything computed anew by its definition. */
export interface ModelBounds {
  readonly transactions: number;
  readonly bytes: number;
  readonly perSender: number;
  readonly nonceGap: number;
  readonly replacementPercent: number;
  readonly senderShare: number;
}

interface Item {
  readonly transaction: Transaction;
  stamp: number;
  since: number | null;
}

export class Model {
  items: Item[] = [];
  height = 0;
  stamp = 0;
  passedOverAt = -Infinity;
  readonly bounds: ModelBounds;
  readonly accountOf: (key: PublicKey) => Account;

  constructor(bounds: ModelBounds, accountOf: (key: PublicKey) => Account) {
    this.bounds = bounds;
    this.accountOf = accountOf;
  }

  lane(sender: PublicKey): Item[] {
    return this.items
      .filter(({ transaction }) => transaction.sender === sender)
      .sort((a, b) => a.transaction.nonce - b.transaction.nonce);
  }

  executable(item: Item): boolean {
    const { sender, nonce } = item.transaction;
    const before = this.lane(sender).filter((other) => other.transaction.nonce < nonce);
    return before.length === nonce - this.accountOf(sender).nonce;
  }

  worth(item: Item): bigint {
    if (!this.executable(item)) return -1n;
    const { sender, nonce } = item.transaction;
    const upToIt = this.lane(sender).filter((other) => other.transaction.nonce <= nonce);
    return upToIt.reduce(
      (least, other) => (other.transaction.fee < least ? other.transaction.fee : least),
      item.transaction.fee,
    );
  }

  /** What one is kept for in a full pool: its worth, if its fee is left when all before it took all they may. */
  keptFor(item: Item): bigint {
    const { sender, nonce, fee } = item.transaction;
    const before = this.lane(sender).filter((other) => other.transaction.nonce < nonce);
    const taken = before.reduce(
      (sum, { transaction }) => sum + transaction.fee + amountOf(transaction.operations),
      0n,
    );
    return taken + fee > this.accountOf(sender).balance ? -1n : this.worth(item);
  }

  bytes(): number {
    return this.items.reduce((sum, { transaction }) => sum + transaction.bytes.length, 0);
  }

  /** Gives a time and a place to what became executable, in the order of nonces, and takes them from what did not stay so. */
  settle(now: number): void {
    for (const item of this.items) if (!this.executable(item)) item.since = null;
    const fresh = this.items.filter((item) => item.since === null && this.executable(item));
    for (const item of fresh.sort((a, b) => a.transaction.nonce - b.transaction.nonce)) {
      item.since = now;
      item.stamp = ++this.stamp;
    }
  }

  add(transaction: Transaction, now: number): string {
    const { sender, nonce, fee, expiryHeight, operations } = transaction;
    const { nonce: next, balance } = this.accountOf(sender);
    if (this.items.some((item) => item.transaction.hash === transaction.hash)) return 'known';
    if (expiryHeight <= this.height) return 'transaction/expired';
    if (nonce < next) return 'transaction/nonce-used';
    if (nonce >= next + this.bounds.nonceGap) return 'mempool/nonce-gap';
    const amount = amountOf(operations);
    if (fee + amount > balance) return 'transaction/insufficient-balance';
    const lane = this.lane(sender);
    const rival = lane.find((item) => item.transaction.nonce === nonce);
    if (rival !== undefined) {
      const old = rival.transaction.fee;
      if (fee <= old || fee * 100n < old * BigInt(100 + this.bounds.replacementPercent))
        return 'mempool/replacement-underpriced';
      const size = this.bytes() - rival.transaction.bytes.length + transaction.bytes.length;
      if (transaction.bytes.length > rival.transaction.bytes.length && size > this.bounds.bytes)
        return 'mempool/full';
    }
    // What waits behind a gap gives way to a lower nonce of its sender, the highest first.
    const others = lane.filter((item) => item !== rival);
    const payable = (): boolean => others.reduce((sum, item) => sum + item.transaction.fee, fee) <= balance;
    const fits = (): boolean => rival !== undefined || others.length < this.bounds.perSender;
    while (!payable() || !fits()) {
      const last = others.at(-1);
      if (last === undefined || last.since !== null || last.transaction.nonce < nonce)
        return payable() ? 'mempool/sender-full' : 'transaction/fee-not-payable';
      others.pop();
    }
    const before = this.items;
    this.items = before.filter(
      (item) => item.transaction.sender !== sender || item === rival || others.includes(item),
    );
    const result = this.enter(transaction, now, rival);
    if (result !== 'added') this.items = before;
    return result;
  }

  enter(transaction: Transaction, now: number, rival: Item | undefined): string {
    if (rival !== undefined) {
      this.stamp += 2;
      const since = rival.since === null ? null : now;
      if (since === null) this.stamp -= 1;
      this.items[this.items.indexOf(rival)] = { transaction, stamp: rival.stamp, since };
      return 'added';
    }
    const entry: Item = { transaction, stamp: 0, since: null };
    const kept = this.items;
    this.items = [...kept, entry];
    const worth = this.keptFor(entry);
    this.items = [...kept];
    while (
      this.items.length + 1 > this.bounds.transactions ||
      this.bytes() + transaction.bytes.length > this.bounds.bytes
    ) {
      const ranked = this.items
        .map((item) => ({ item, worth: this.keptFor(item) }))
        .sort((a, b) =>
          a.worth === b.worth ? b.item.stamp - a.item.stamp : Number(a.worth) - Number(b.worth),
        );
      // By the definition of worth the worst of all is at the end of its lane; of what waits there only the last may go.
      const ends = ranked.filter(({ item }) => this.lane(item.transaction.sender).at(-1) === item);
      const worst = ends[0];
      if (worst === undefined || worst.worth >= worth) {
        this.items = kept;
        return 'mempool/full';
      }
      this.items = this.items.filter((item) => item !== worst.item);
    }
    entry.stamp = ++this.stamp;
    this.items.push(entry);
    this.settle(now);
    return 'added';
  }

  commit(block: readonly Transaction[], hadRoom: boolean, now: number): void {
    this.height += 1;
    const senders = new Set(block.map((transaction) => transaction.sender));
    for (const sender of senders) {
      const { nonce, balance } = this.accountOf(sender);
      this.items = this.items.filter(
        ({ transaction }) => transaction.sender !== sender || transaction.nonce >= nonce,
      );
      this.settleOf(sender, now);
      for (;;) {
        const lane = this.lane(sender);
        if (lane.reduce((sum, item) => sum + item.transaction.fee, 0n) <= balance) break;
        this.items = this.items.filter((item) => item !== lane.at(-1));
      }
    }
    this.items = this.items.filter((item) => item.transaction.expiryHeight > this.height);
    this.settle(now);
    if (hadRoom) this.passedOverAt = now;
  }

  settleOf(sender: PublicKey, now: number): void {
    for (const item of this.lane(sender)) {
      if (item.since !== null || !this.executable(item)) continue;
      item.since = now;
      item.stamp = ++this.stamp;
    }
  }

  work(): { executable: number; oldestSince: number | null; passedOverSince: number | null } {
    const times = this.items.flatMap((item) => (item.since === null ? [] : [item.since]));
    const passed = times.filter((since) => since <= this.passedOverAt);
    return { executable: times.length, oldestSince: least(times), passedOverSince: least(passed) };
  }

  pendingNonce(sender: PublicKey): number {
    return this.accountOf(sender).nonce + this.lane(sender).filter((item) => this.executable(item)).length;
  }

  /** The order by its words: rounds; in each the best of those that may come next, `share` of a sender at most. */
  order(accountOf: (key: PublicKey) => Account): Transaction[] {
    const order: Transaction[] = [];
    const next = new Map<PublicKey, number>();
    for (const { transaction } of this.items)
      next.set(transaction.sender, accountOf(transaction.sender).nonce);
    for (let before = -1; before !== order.length;) {
      before = order.length;
      const taken = new Map<PublicKey, number>();
      for (;;) {
        const best = this.items
          .filter(
            (item) => item.since !== null && item.transaction.nonce === next.get(item.transaction.sender),
          )
          .filter((item) => (taken.get(item.transaction.sender) ?? 0) < this.bounds.senderShare)
          .map((item) => ({ item, worth: this.worth(item) }))
          .sort((a, b) =>
            a.worth === b.worth ? a.item.stamp - b.item.stamp : Number(b.worth) - Number(a.worth),
          )[0];
        if (best === undefined) break;
        const { transaction } = best.item;
        order.push(transaction);
        next.set(transaction.sender, transaction.nonce + 1);
        taken.set(transaction.sender, (taken.get(transaction.sender) ?? 0) + 1);
      }
    }
    return order;
  }
}

function least(list: readonly number[]): number | null {
  return list.length === 0 ? null : Math.min(...list);
}
