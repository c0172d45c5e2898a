import { limits } from '../../base/limits.ts';
import type { Input, MonotonicMs, PendingWork } from '../../consensus/engine.ts';
import type { Clock } from '../process/clock.ts';

/** What waits for the engine: one input after the other, in the order in which they came. */
export class Mailbox<M> {
  readonly #clock: Clock;
  readonly #work: () => PendingWork;
  readonly #inputs: Input<M>[] = [];
  #workChanged = false;
  #tickedAt: MonotonicMs;
  /** By how much the wall clock was ahead of the engine's at the last tick. */
  #ahead: number;

  constructor(options: { readonly clock: Clock; readonly work: () => PendingWork }) {
    this.#clock = options.clock;
    this.#work = options.work;
    this.#tickedAt = options.clock.monotonicMs();
    this.#ahead = options.clock.wallMs() - this.#tickedAt;
  }

  enqueue(input: Input<M>): void {
    this.#inputs.push(input);
  }

  tick(now: MonotonicMs): void {
    this.#inputs.push(this.#tickAt(now));
  }

  /** The mempool changed. All its changes within one turn are one input. */
  workChanged(): void {
    this.#workChanged = true;
  }

  next(): Input<M> | undefined {
    // After a pause of the whole process, or a block that took long to execute, something else may come
    // before the timer. To an engine with an old clock, what ended long ago (a lease) would still hold.
    const now = this.#clock.monotonicMs();
    if (now - this.#tickedAt >= limits.engineClockMs || this.#slept(now)) {
      this.#inputs.unshift(this.#tickAt(now));
    }
    return this.#inputs.shift() ?? this.#workInput();
  }

  #workInput(): Input<M> | undefined {
    if (!this.#workChanged) return undefined;
    this.#workChanged = false;
    return { type: 'work', work: this.#work() };
  }

  #tickAt(now: MonotonicMs): Input<M> {
    const slept = this.#slept(now);
    const sinceMs = now - this.#tickedAt;
    const late = sinceMs > limits.engineClockMs;
    this.#tickedAt = now;
    this.#ahead = this.#clock.wallMs() - now;
    return { type: 'tick', now, ...(slept && { slept }), ...(late && { lateMs: sinceMs - limits.tickMs }) };
  }

  /**
   * The clock that engines go by stands still while a machine is suspended (`CLOCK_MONOTONIC`,
   * clock_gettime(2)); the wall clock does not. One that is set forward looks the same.
   */
  #slept(now: MonotonicMs): boolean {
    return this.#clock.wallMs() - now - this.#ahead > limits.tickMs;
  }
}
