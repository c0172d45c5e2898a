import type { Cancel, Clock } from '../node/clock.ts';
import type { ProcessLife } from './process-life.ts';
import type { Scheduler, VirtualMs } from './scheduler.ts';

/** When every run begins, on a wall clock that is right. */
export const epochMs = 1_790_000_000_000;

/** A node's clocks. The wall clock may be wrong and may jump; the monotonic one starts anew with each process. */
export class VirtualClock implements Clock {
  /** How far the wall clock is off. */
  offsetMs: VirtualMs = 0;
  private readonly scheduler: Scheduler;
  private readonly life: ProcessLife;
  private readonly startedAt: VirtualMs;

  constructor(options: { scheduler: Scheduler; life: ProcessLife; offsetMs: VirtualMs }) {
    this.scheduler = options.scheduler;
    this.life = options.life;
    this.offsetMs = options.offsetMs;
    this.startedAt = options.scheduler.now;
  }

  wallMs(): number {
    return epochMs + this.scheduler.now + this.offsetMs;
  }

  monotonicMs(): VirtualMs {
    return this.scheduler.now - this.startedAt;
  }

  after(delayMs: number, call: () => void): Cancel {
    let cancelled = false;
    const cancel = this.scheduler.after(Math.max(0, delayMs), () => {
      this.life.enter(() => {
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
