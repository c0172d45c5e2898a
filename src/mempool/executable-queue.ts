import type { Entry } from './lane.ts';

/**
 * Executable entries by the time since when they are, linked with each other. Time does not go back, so each
 * joins at the end, and the oldest is at the front.
 */
export class ExecutableQueue {
  #oldest: Entry | undefined;
  #newest: Entry | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** `entry.since` was just set. */
  join(entry: Entry): void {
    const newest = this.#newest;
    if (newest === undefined) this.#oldest = entry;
    else newest.newer = entry;
    entry.older = newest;
    this.#newest = entry;
    this.#size += 1;
  }

  /** It keeps no link: what left would hold those beside it in memory. */
  leave(entry: Entry): void {
    const { older, newer } = entry;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    entry.older = undefined;
    entry.newer = undefined;
    this.#size -= 1;
  }

  /**
   * Those that are executable since then or longer, the oldest first. The queue must not change meanwhile.
   */
  *upTo(since: number): Generator<Entry, void, undefined> {
    for (let entry = this.#oldest; entry !== undefined; entry = entry.newer) {
      if ((entry.since ?? Infinity) > since) return;
      yield entry;
    }
  }

  oldestSince(): number | null {
    return this.#oldest?.since ?? null;
  }
}
