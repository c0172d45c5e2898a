/**
 * Values of which only the spread is asked for. It keeps at most this many: of more, every second one, then
 * every fourth, and so on, so that those of the whole time count alike.
 */
export class Spread {
  readonly #max: number;
  #kept: number[] = [];
  #stride = 1;
  #seen = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(value: number): void {
    if (this.#seen++ % this.#stride !== 0) return;
    if (this.#kept.length === this.#max) {
      this.#kept = this.#kept.filter((_, index) => index % 2 === 0);
      this.#stride *= 2;
      if ((this.#seen - 1) % this.#stride !== 0) return;
    }
    this.#kept.push(value);
  }

  /** The smallest value that so great a part of them is not above (nearest rank); null without values. */
  percentiles(parts: readonly number[]): readonly (number | null)[] {
    const sorted = this.#kept.toSorted((a, b) => a - b);
    return parts.map((part) => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? null);
  }
}
