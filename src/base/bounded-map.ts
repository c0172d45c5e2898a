/**
 * A map that forgets its oldest entries: memory of what was seen, where forgetting costs work and nothing
 * else. A full one forgets a sixteenth of them at once: to find the oldest, a Map passes over every one that
 * was deleted before it, which costs more with each, until it builds its table anew.
 */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #max: number;

  /** `max`: the most entries. */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  set(key: K, value: V): void {
    const { size } = this.#entries;
    this.#entries.set(key, value);
    if (this.#entries.size > size) {
      if (size >= this.#max) this.#forget();
      return;
    }
    // It was there: it goes to the end, and becomes the newest.
    this.#entries.delete(key);
    this.#entries.set(key, value);
  }

  /**
   * Oldest first. An entry may be deleted or set again while walking; one that is set again
   * comes once more, at the end.
   */
  entries(): IterableIterator<[K, V]> {
    return this.#entries.entries();
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }

  #forget(): void {
    const kept = this.#max - Math.floor(this.#max / 16);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= kept) return;
      this.#entries.delete(oldest);
    }
  }
}
