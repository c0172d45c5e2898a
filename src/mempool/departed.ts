import { BoundedMap } from '../base/bounded-map.ts';
import { limits } from '../base/limits.ts';
import type { Hash } from '../crypto/hash.ts';
import type { Entry } from './lane.ts';

/**
 * What left the pool lately. Its signatures were checked, and need not be again; and coming back does not let
 * it be gossiped more often.
 */
export class Departed {
  /** Those that may come back, with when they were gossiped last. */
  readonly #dropped = new BoundedMap<Hash, number | null>(limits.mempoolTransactions);
  /** Those that are final: seldom asked for, so they are listed first and indexed when they are. */
  #young = new Listed();
  #old = new Listed();

  final({ transaction }: Entry): void {
    if (this.#young.size >= limits.mempoolTransactions / 2) {
      this.#old = this.#young;
      this.#young = new Listed();
    }
    this.#young.add(transaction.hash);
  }

  dropped({ transaction, gossipedAt }: Entry): void {
    this.#dropped.set(transaction.hash, gossipedAt);
  }

  /** It left, and may come back. */
  mayReturn(hash: Hash): boolean {
    return this.#dropped.size > 0 && this.#dropped.has(hash);
  }

  isFinal(hash: Hash): boolean {
    return this.#young.has(hash) || this.#old.has(hash);
  }

  gossipedAt(hash: Hash): number | null {
    return this.#dropped.size > 0 ? (this.#dropped.get(hash) ?? null) : null;
  }
}

/** A set that costs little until it is asked. */
class Listed {
  readonly #list: Hash[] = [];
  readonly #set = new Set<Hash>();
  #indexed = 0;

  get size(): number {
    return this.#list.length;
  }

  add(hash: Hash): void {
    this.#list.push(hash);
  }

  has(hash: Hash): boolean {
    for (; this.#indexed < this.#list.length; this.#indexed++)
      this.#set.add(this.#list[this.#indexed] as Hash);
    return this.#set.has(hash);
  }
}
