import { BoundedMap } from '../base/bounded-map.ts';
import { limits } from '../base/limits.ts';
import { type Rate, TokenBucket } from '../base/token-bucket.ts';

/**
 * How often something may be had from one known address, from one other address block, and from all those.
 */
interface Rates {
  readonly known: Rate;
  readonly block: Rate;
  readonly strangers: Rate;
  /** Of those the ones whose block had it not longer ago than `limits.callers.againMs`. */
  readonly again: Rate;
}

/**
 * A rate for what callers cost: by address for those that are known, and for all others by address block and
 * in all, with a part that is left to blocks that did not come of late.
 */
export class CallerRates {
  readonly #rates: Rates;
  readonly #buckets = new BoundedMap<string, TokenBucket>(limits.hostsRemembered);
  readonly #strangers: TokenBucket;
  readonly #again: TokenBucket;
  /** When strangers of a block had it last. */
  readonly #hadAt = new BoundedMap<string, number>(limits.hostsRemembered);

  /** Times are milliseconds of a monotonic clock. */
  constructor(rates: Rates, now: number) {
    this.#rates = rates;
    this.#strangers = new TokenBucket(rates.strangers, now);
    this.#again = new TokenBucket(rates.again, now);
  }

  /** Of a known address. False when it had too much of late. */
  takeKnown(host: string, now: number): boolean {
    return this.#bucket(host, this.#rates.known, now).take(1, now);
  }

  /** Of any other. False when its block had too much of late, or all of them. */
  takeStranger(block: string, now: number): boolean {
    const rates = [this.#bucket(block, this.#rates.block, now), this.#strangers];
    if (now - (this.#hadAt.get(block) ?? -Infinity) < limits.callers.againMs) rates.push(this.#again);
    if (!rates.every((rate) => rate.has(1, now))) return false;
    for (const rate of rates) rate.take(1, now);
    this.#hadAt.set(block, now);
    return true;
  }

  #bucket(name: string, rate: Rate, now: number): TokenBucket {
    const bucket = this.#buckets.get(name) ?? new TokenBucket(rate, now);
    this.#buckets.set(name, bucket);
    return bucket;
  }
}
