import { invariant } from './invariant.ts';

/**
 * Room that many share, each of whom may fill much of it for a while. When it is full, whoever holds the most
 * gives way, again and again until the rest fits: a holder of less than an equal part of it never has to.
 */
export class FairRoom<H> {
  readonly #most: number;
  readonly #giveWay: (holder: H) => void;
  readonly #held = new Map<H, number>();
  #total = 0;

  /** `giveWay`: the holder has to hold less at once, and tells so by `change`. */
  constructor(most: number, giveWay: (holder: H) => void) {
    this.#most = most;
    this.#giveWay = giveWay;
  }

  get total(): number {
    return this.#total;
  }

  heldBy(holder: H): number {
    return this.#held.get(holder) ?? 0;
  }

  /** Somebody holds this much more, or less. It may have to give way itself before this returns. */
  change(holder: H, by: number): void {
    const held = this.heldBy(holder) + by;
    invariant(held >= 0, 'nobody gives back more than it holds');
    if (held === 0) this.#held.delete(holder);
    else this.#held.set(holder, held);
    this.#total += by;
    while (this.#total > this.#most) {
      const total = this.#total;
      this.#giveWay(this.#largest());
      invariant(this.#total < total, 'who gives way holds less');
    }
  }

  #largest(): H {
    let largest: readonly [H, number] | undefined;
    for (const entry of this.#held) if (largest === undefined || entry[1] > largest[1]) largest = entry;
    invariant(largest !== undefined, 'somebody holds what is held');
    return largest[0];
  }
}
