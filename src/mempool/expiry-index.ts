import type { Height } from '../ledger/block.ts';
import type { Entry } from './lane.ts';

/** Entries by the last height at which they may stand in a block. */
export class ExpiryIndex {
  readonly #byHeight = new Map<number, Set<Entry>>();
  /** All entries up to this height were taken. */
  #taken: number;

  constructor(height: Height) {
    this.#taken = height;
  }

  add(entry: Entry): void {
    const height = entry.transaction.expiryHeight;
    const entries = this.#byHeight.get(height);
    if (entries === undefined) this.#byHeight.set(height, new Set([entry]));
    else entries.add(entry);
  }

  remove(entry: Entry): void {
    const height = entry.transaction.expiryHeight;
    const entries = this.#byHeight.get(height);
    if (entries?.delete(entry) === true && entries.size === 0) this.#byHeight.delete(height);
  }

  /**
   * Those that cannot stand in any block above this height. They stay in the index until they are removed.
   */
  upTo(height: Height): readonly Entry[] {
    const expired: Entry[] = [];
    const take = (entries: Set<Entry> | undefined): void => {
      if (entries !== undefined) for (const entry of entries) expired.push(entry);
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
