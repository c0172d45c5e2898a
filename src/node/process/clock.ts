import { performance } from 'node:perf_hooks';
import type { MonotonicMs } from '../../consensus/engine.ts';

/** Time as the node sees it. The simulator has its own. */
export interface Clock {
  /** Milliseconds since 1970, for the timestamps of blocks only: it may jump either way. */
  wallMs(): number;
  /** Never goes back; for everything that waits. */
  monotonicMs(): MonotonicMs;
  /** Calls back once, later, never at once; the answer cancels it. */
  after(delayMs: number, call: () => void): Cancel;
}

export type Cancel = () => void;

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, call) {
    if (delayMs <= 0) {
      // A timer takes a millisecond at least.
      const immediate = setImmediate(call);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(call, delayMs);
    return () => clearTimeout(timer);
  },
};
