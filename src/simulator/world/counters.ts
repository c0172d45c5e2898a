/** How often everything was exercised, by name; see `Counters`. */
export type Counts = Readonly<Record<string, number>>;

/**
 * Counts how often everything happened. Names are `area/what`, for example `fault/crash` or `liar/mutate`.
 */
export class Counters {
  readonly #entries = new Map<string, number>();

  add(name: string, times = 1): void {
    this.#entries.set(name, (this.#entries.get(name) ?? 0) + times);
  }

  /** Keeps the greatest instead of the sum. */
  peak(name: string, value: number): void {
    this.#entries.set(name, Math.max(this.#entries.get(name) ?? 0, value));
  }

  merge(counts: Counts): void {
    for (const [name, value] of Object.entries(counts)) {
      if (name.startsWith('peak/')) this.peak(name, value);
      else this.add(name, value);
    }
  }

  get counts(): Counts {
    return Object.fromEntries([...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
