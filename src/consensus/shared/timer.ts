import type { MonotonicMs } from '../engine.ts';

/**
 * Something that is due at a time, or not at all. It never fires by itself: an engine looks
 * at it when a tick comes.
 */
export interface Timer {
  dueAt: MonotonicMs | null;
}

export const stopped = (): Timer => ({ dueAt: null });

export function start(timer: Timer, now: MonotonicMs, afterMs: number): void {
  timer.dueAt = now + afterMs;
}

export function stop(timer: Timer): void {
  timer.dueAt = null;
}

/** It runs, and its time has come. It stays due until it is started anew or stopped. */
export function isDue(timer: Timer, now: MonotonicMs): boolean {
  return timer.dueAt !== null && now >= timer.dueAt;
}
