/** The last values of something, and no more than that. */
export class Ring<T> {
  readonly #max: number;
  readonly #values: T[] = [];
  /** Where the oldest stands once it is full. */
  #start = 0;

  constructor(max: number) {
    this.#max = max;
  }

  push(value: T): void {
    if (this.#values.length < this.#max) {
      this.#values.push(value);
      return;
    }
    this.#values[this.#start] = value;
    this.#start = (this.#start + 1) % this.#max;
  }

  /** The oldest first. */
  all(): readonly T[] {
    return [...this.#values.slice(this.#start), ...this.#values.slice(0, this.#start)];
  }
}
