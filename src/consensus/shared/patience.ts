import type { MonotonicMs } from '../engine.ts';

/**
 * A process that stood still finds others late who are not: what they said meanwhile waits unread, and so
 * does what the disk finished. So it takes as long as it stood still to read, and holds nothing to be overdue
 * before. Leases are no matter of patience: they end by the clock.
 */
export interface Patience {
  /** Until then nothing counts as overdue. */
  until: MonotonicMs;
  /** How long it lasts in all since something is overdue, ms; null while nothing is. */
  spentMs: number | null;
}

export const freshPatience = (): Patience => ({ until: Number.NEGATIVE_INFINITY, spentMs: null });

/**
 * To be called with each tick, before anything is concluded from it. `mostMs` bounds patience in all for as
 * long as something is overdue: who is always late comes to its conclusions, too.
 */
export function notePatience(
  patience: Patience,
  tick: {
    readonly now: MonotonicMs;
    /** By how much the tick was late; undefined when it was in time. */
    readonly lateMs: number | undefined;
    /** Something is overdue, as far as is known here. */
    readonly overdue: boolean;
    readonly mostMs: number;
  },
): void {
  const { now, lateMs = 0, overdue, mostMs } = tick;
  const aheadMs = Math.max(0, patience.until - now);
  const spentMs = (overdue ? patience.spentMs : null) ?? aheadMs;
  const moreMs = Math.max(0, Math.min(lateMs - aheadMs, mostMs - spentMs));
  if (moreMs > 0) patience.until = now + aheadMs + moreMs;
  patience.spentMs = overdue ? spentMs + moreMs : null;
}

export function isPatient({ until }: Patience, now: MonotonicMs): boolean {
  return now < until;
}
