/** This much at once after a quiet time, and this much each second after that. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * A rate with a burst: `burst` at once, and `perSecond` again each second. Times are milliseconds of a
 * monotonic clock, and come as an argument.
 */
export class TokenBucket {
  readonly perSecond: number;
  readonly burst: number;
  #tokens: number;
  #at: number;

  constructor(rate: Rate, now: number) {
    this.perSecond = rate.perSecond;
    this.burst = rate.burst;
    this.#tokens = rate.burst;
    this.#at = now;
  }

  /** False when there is not that much left. */
  has(amount: number, now: number): boolean {
    this.#refill(now);
    return this.#tokens >= amount;
  }

  /** False when there is not that much left; then nothing is taken. */
  take(amount: number, now: number): boolean {
    if (!this.has(amount, now)) return false;
    this.#tokens -= amount;
    return true;
  }

  /** Takes what was used already, whether it was there or not: who used more waits the longer. */
  owe(amount: number, now: number): void {
    this.#refill(now);
    this.#tokens -= amount;
  }

  /** How long until there is that much, in milliseconds; as much as the burst, if it is more than that. */
  waitFor(amount: number, now: number): number {
    this.#refill(now);
    const missing = Math.min(amount, this.burst) - this.#tokens;
    return missing <= 0 ? 0 : (missing / this.perSecond) * 1_000;
  }

  /** What was taken and has not come back yet. */
  spent(now: number): number {
    this.#refill(now);
    return this.burst - this.#tokens;
  }

  #refill(now: number): void {
    const elapsed = Math.max(0, now - this.#at);
    this.#at = now;
    this.#tokens = Math.min(this.burst, this.#tokens + (elapsed * this.perSecond) / 1_000);
  }
}
