import { defined, invariant } from '../base/invariant.ts';
import type { Height } from '../ledger/block.ts';
import type { Entry } from './lane.ts';

/** Those of one height, in the order in which they came, linked with each other. */
interface SameHeight {
  first: Entry;
  last: Entry;
}

/** Entries by the last height at which they may stand in a block. */
export class ExpiryIndex {
  readonly #byHeight = new Map<number, SameHeight>();
  /** All entries up to this height were taken. */
  #taken: number;

  constructor(height: Height) {
    this.#taken = height;
  }

  add(entry: Entry): void {
    const height = entry.transaction.expiryHeight;
    const same = this.#byHeight.get(height);
    if (same === undefined) {
      this.#byHeight.set(height, { first: entry, last: entry });
      return;
    }
    same.last.expiresNext = entry;
    entry.expiresBefore = same.last;
    same.last = entry;
  }

  /** It keeps no link, as in `ExecutableQueue`. */
  remove(entry: Entry): void {
    const height = entry.transaction.expiryHeight;
    const { expiresBefore: before, expiresNext: next } = entry;
    entry.expiresBefore = undefined;
    entry.expiresNext = undefined;
    if (before !== undefined) before.expiresNext = next;
    if (next !== undefined) next.expiresBefore = before;
    if (before !== undefined && next !== undefined) return;
    const same = defined(this.#byHeight.get(height), 'those that expire with an entry');
    invariant((before === undefined ? same.first : same.last) === entry, 'an entry is removed once');
    if (before !== undefined) same.last = before;
    else if (next !== undefined) same.first = next;
    else this.#byHeight.delete(height);
  }

  /**
   * Those that cannot stand in any block above this height. They stay in the index until they are removed.
   */
  upTo(height: Height): readonly Entry[] {
    const expired: Entry[] = [];
    const take = (same: SameHeight | undefined): void => {
      for (let entry = same?.first; entry !== undefined; entry = entry.expiresNext) expired.push(entry);
    };
    if (height - this.#taken <= this.#byHeight.size) {
      for (let at = this.#taken + 1; at <= height; at++) take(this.#byHeight.get(at));
    } else {
      const heights = [...this.#byHeight.keys()].filter((at) => at <= height);
      for (const at of heights.sort((a, b) => a - b)) take(this.#byHeight.get(at));
    }
    this.#taken = Math.max(this.#taken, height);
    return expired;
  }
}
