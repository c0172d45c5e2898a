import { defined } from '../../../src/base/invariant.ts';
import { nextBelow, nextFloat, type RandomState, seedRandom } from '../../../src/base/random.ts';

/** The chances of one schedule, all from its seed. */
export class Dice {
  readonly #random: RandomState;

  constructor(seed: number) {
    this.#random = seedRandom(seed);
  }

  below(bound: number): number {
    return nextBelow(this.#random, bound);
  }

  chance(probability: number): boolean {
    return nextFloat(this.#random) < probability;
  }

  /** Between the two, mostly near the first: what matters happens soon, or takes much longer. */
  soon(min: number, max: number): number {
    return min + (max - min) * nextFloat(this.#random) ** 3;
  }

  of<T>(list: readonly T[]): T {
    return defined(list[this.below(list.length)], 'one of a list');
  }

  /** Undefined for an empty list. */
  maybeOf<T>(list: readonly T[]): T | undefined {
    return list.length === 0 ? undefined : this.of(list);
  }

  some<T>(list: readonly T[], probability = 0.5): T[] {
    return list.filter(() => this.chance(probability));
  }

  /** A choice by weight; undefined when all weigh nothing. */
  weighed<T>(list: readonly (readonly [T, number])[]): T | undefined {
    let left = nextFloat(this.#random) * list.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [item, weight] of list) {
      left -= weight;
      if (left < 0) return item;
    }
    return undefined;
  }
}
