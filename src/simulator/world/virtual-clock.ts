import type { Cancel, Clock } from '../../node/process/clock.ts';
import type { ProcessLife } from './process-life.ts';
import type { Scheduler, VirtualMs } from './scheduler.ts';

/** When every run begins, on a wall clock that is right. */
export const epochMs = 1_790_000_000_000;

/**
 * A node's clocks. The wall clock may be wrong and may jump; the monotonic one starts anew with each process.
 * Both may run fast or slow, and so do the node's timers.
 */
export class VirtualClock implements Clock {
  /** How far the wall clock is off. */
  offsetMs: VirtualMs = 0;
  readonly #scheduler: Scheduler;
  readonly #life: ProcessLife;
  readonly #startedAt: VirtualMs;
  #currentRate = 1;
  /** Since when it runs at this rate, and what it showed then. */
  #since: VirtualMs;
  #shown: VirtualMs = 0;

  constructor(options: { scheduler: Scheduler; life: ProcessLife; offsetMs: VirtualMs; rate: number }) {
    this.#scheduler = options.scheduler;
    this.#life = options.life;
    this.offsetMs = options.offsetMs;
    this.#startedAt = options.scheduler.now;
    this.#since = this.#startedAt;
    this.#currentRate = options.rate;
  }

  /** Its milliseconds in one true one. Timers that run already keep the moment that they were given. */
  set rate(rate: number) {
    this.#shown = this.#elapsed();
    this.#since = this.#scheduler.now;
    this.#currentRate = rate;
  }

  wallMs(): number {
    return epochMs + this.#startedAt + this.monotonicMs() + this.offsetMs;
  }

  monotonicMs(): VirtualMs {
    return Math.floor(this.#elapsed());
  }

  #elapsed(): number {
    return this.#shown + (this.#scheduler.now - this.#since) * this.#currentRate;
  }

  after(delayMs: number, call: () => void): Cancel {
    let cancelled = false;
    const cancel = this.#scheduler.after(Math.ceil(Math.max(0, delayMs) / this.#currentRate), () => {
      this.#life.enter(() => {
        // Cancelled while it waited for a paused process to wake up.
        if (!cancelled) call();
      }, true);
    });
    return () => {
      cancelled = true;
      cancel();
    };
  }
}
