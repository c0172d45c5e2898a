/** Milliseconds of virtual time since the run began. The same number on every node's monotonic clock. */
export type VirtualMs = number;

/** Undoes a scheduled call. Safe to call late or twice. */
export type Cancel = () => void;

interface Entry {
  readonly at: VirtualMs;
  readonly order: number;
  /** Null once it was cancelled: taking it out of the heap would cost more than skipping it. */
  call: (() => void) | null;
}

/**
 * Virtual time. Nothing happens but the calls that were scheduled, one at a time, earliest first, and of
 * those due at one moment the one scheduled first. So a run is a function of what is scheduled, and an hour
 * costs what its events cost.
 */
export class Scheduler {
  #time: VirtualMs = 0;
  #scheduled = 0;
  #executed = 0;
  readonly #heap: Entry[] = [];

  get now(): VirtualMs {
    return this.#time;
  }

  /** How many calls were made: the length of the run, in events. */
  get events(): number {
    return this.#executed;
  }

  /** Calls at a moment; one in the past is due now. */
  at(moment: VirtualMs, call: () => void): Cancel {
    const entry: Entry = { at: Math.max(moment, this.#time), order: this.#scheduled++, call };
    this.#push(entry);
    return () => {
      entry.call = null;
    };
  }

  after(delay: VirtualMs, call: () => void): Cancel {
    return this.at(this.#time + delay, call);
  }

  /** "Later, but at this moment": what `setImmediate` is to real time. */
  readonly defer = (call: () => void): void => {
    this.at(this.#time, call);
  };

  /** When the next call is due; never, when nothing is scheduled. */
  get nextAt(): VirtualMs {
    while (this.#heap[0]?.call === null) this.#pop();
    return this.#heap[0]?.at ?? Infinity;
  }

  /** Makes the next call and returns true; false when there is none up to `until`, and then it is `until`. */
  step(until: VirtualMs): boolean {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.at > until) {
        this.#time = Math.max(this.#time, until);
        return false;
      }
      this.#pop();
      if (next.call === null) continue;
      this.#time = next.at;
      this.#executed++;
      next.call();
      return true;
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let child = heap.length;
    heap.push(entry);
    while (child > 0) {
      const parent = (child - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!isBefore(entry, above)) break;
      heap[child] = above;
      child = parent;
    }
    heap[child] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    const size = heap.length;
    if (size === 0) return;
    let parent = 0;
    for (;;) {
      let child = parent * 2 + 1;
      if (child >= size) break;
      const right = child + 1;
      if (right < size && isBefore(heap[right] as Entry, heap[child] as Entry)) child = right;
      const smaller = heap[child] as Entry;
      if (!isBefore(smaller, last)) break;
      heap[parent] = smaller;
      parent = child;
    }
    heap[parent] = last;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
