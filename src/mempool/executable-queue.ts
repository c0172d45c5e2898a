import type { Entry } from './lane.ts';

/**
 * Executable entries by the time since when they are. Time does not go back, so each joins at the end, and
 * the oldest is at the front. An entry that left stays as a tombstone until it reaches the front, or until
 * tombstones are the larger half.
 */
export class ExecutableQueue {
  #items: { readonly entry: Entry; readonly since: number }[] = [];
  #front = 0;
  #live = 0;

  get size(): number {
    return this.#live;
  }

  /** `entry.since` was just set. */
  join(entry: Entry): void {
    if (entry.since === null) return;
    this.#live += 1;
    this.#items.push({ entry, since: entry.since });
  }

  /** The caller sets `entry.since` to null. */
  leave(): void {
    this.#live -= 1;
    if (this.#items.length - this.#front > 2 * this.#live + 1_024) {
      this.#items = this.#items.slice(this.#front).filter(({ entry, since }) => entry.since === since);
      this.#front = 0;
    }
  }

  /**
   * Those that are executable since then or longer, the oldest first. The queue must not change meanwhile.
   */
  *upTo(since: number): Generator<Entry, void, undefined> {
    for (let at = this.#front; at < this.#items.length; at++) {
      const item = this.#items[at];
      if (item === undefined || item.since > since) return;
      if (item.entry.since === item.since) yield item.entry;
    }
  }

  oldestSince(): number | null {
    for (;;) {
      const item = this.#items[this.#front];
      if (item === undefined) break;
      if (item.entry.since === item.since) return item.since;
      this.#front += 1;
    }
    this.#items = [];
    this.#front = 0;
    return null;
  }
}
