import { setImmediate as nextLoop } from 'node:timers/promises';
import type { Clock } from '../../src/node/process/clock.ts';
import { Scheduler } from '../../src/simulator/world/scheduler.ts';

/** The simulator's time, moved by a test. */
export class VirtualTime extends Scheduler {
  clock(wallOffsetMs = 1_800_000_000_000): Clock & { wallOffsetMs: number; pausedMs: number } {
    const clock = {
      wallOffsetMs,
      /** How long the process stood still, while its timers did not come. */
      pausedMs: 0,
      wallMs: () => this.now + clock.wallOffsetMs,
      monotonicMs: () => this.now + clock.pausedMs,
      after: (delayMs: number, call: () => void) => this.after(delayMs, call),
    };
    return clock;
  }

  run(ms: number): void {
    this.runUntil(() => false, ms);
  }

  /** Runs until it holds, at most so long; tells whether it does. */
  runUntil(holds: () => boolean, maxMs = 60_000): boolean {
    const end = this.now + maxMs;
    while (!holds()) if (!this.step(end)) return holds();
    return true;
  }

  /** Runs what is due while something that is written with promises goes on. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const watched = promise.finally(() => {
      settled = true;
    });
    watched.catch(() => {});
    for (let loops = 0; loops < 10_000; loops++) {
      await nextLoop();
      if (settled) return watched;
      this.run(1);
    }
    throw new Error('the promise does not settle');
  }
}
