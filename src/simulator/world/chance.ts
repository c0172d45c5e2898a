import { nextBelow, nextFloat, type RandomState, seedRandom } from '../../base/random.ts';

/**
 * A named stream of random draws. Each part of the world draws from a stream of its own, so that taking one
 * fault out of a plan leaves what the others draw as it was; shrinking depends on that.
 */
export class Chance {
  readonly #state: RandomState;

  constructor(seed: number, stream: string) {
    this.#state = seedRandom(mix(seed, stream));
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return high <= low ? low : low + nextBelow(this.#state, high - low + 1);
  }

  /** True with this probability. */
  happens(probability: number): boolean {
    return probability > 0 && nextFloat(this.#state) < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[nextBelow(this.#state, items.length)] as T;
  }

  /** `count` of the items, in a random order. */
  sample<T>(items: readonly T[], count: number): T[] {
    const pool = [...items];
    for (let i = 0; i < Math.min(count, pool.length); i++) {
      const j = this.between(i, pool.length - 1);
      [pool[i], pool[j]] = [pool[j] as T, pool[i] as T];
    }
    return pool.slice(0, count);
  }
}

/** FNV-1a over the name, mixed into the seed. Below 2^53, as `seedRandom` wants. */
function mix(seed: number, stream: string): number {
  let hash = 0x811c9dc5 ^ (seed >>> 0);
  for (let i = 0; i < stream.length; i++) hash = Math.imul(hash ^ stream.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (Math.floor(seed / 2 ** 32) % 2 ** 21) * 2 ** 32 + ((hash ^ (hash >>> 13)) >>> 0);
}
