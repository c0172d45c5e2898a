import { limits } from '../../base/limits.ts';
import { type Height, toHeight } from '../../ledger/block.ts';
import type { MonotonicMs, PendingWork } from '../engine.ts';

/** What tells whether the one whose turn it is should have a block built now. */
export interface Pacing {
  work: PendingWork;
  lastBuildAt: MonotonicMs;
  /** The last build left out what had no room: the next one has nothing to wait for. */
  wasFull: boolean;
  /** The last build found nothing to put into a block; wait until the mempool says something new. */
  nothingToBuild: boolean;
}

export const freshPacing = (): Pacing => ({
  work: { executable: 0, oldestSince: null, passedOverSince: null },
  lastBuildAt: Number.NEGATIVE_INFINITY,
  wasFull: false,
  nothingToBuild: false,
});

/** The mempool says something new: a build may find something again. */
export function takeWork(pacing: Pacing, work: PendingWork): void {
  pacing.work = work;
  pacing.nothingToBuild = false;
}

/** For `why`: what could stand in a block and does not yet. */
export function whatWaits({ work: { executable } }: Pacing): string {
  if (executable === 0) return 'nothing waits';
  return executable === 1 ? '1 transaction waits for a block' : `${executable} transactions wait for a block`;
}

/** For `why` of a node that has no vote, and hears nothing of those who have. */
export function whyWithoutVote(pacing: Pacing, without: 'no member' | 'no validator'): string {
  const others = pacing.work.executable === 0 ? '' : '; the nodes of those who vote tell what they wait for';
  return `${whatWaits(pacing)}; this node is ${without}, and asks others for final blocks${others}`;
}

export function hasWork(pacing: Pacing): boolean {
  return pacing.work.executable > 0 && !pacing.nothingToBuild;
}

/**
 * An empty block is due: something waits that no block can hold, and after `idleMs` without a block its
 * expiry height would never come. One block at a time and at this pace, whatever waits: a client that makes
 * things wait costs no more than that. A replica that sees nothing wait asks for none and takes it as any
 * other block, and nobody is suspected for making none.
 */
export function isExpiryDue({ work }: Pacing, idleMs: number): boolean {
  return (work.waiting ?? 0) > 0 && idleMs >= limits.waitingBlockMs;
}

/** A block is asked for. */
export function noteBuild(pacing: Pacing, now: MonotonicMs): void {
  pacing.lastBuildAt = now;
  pacing.wasFull = false;
}

/** The last build began at least `intervalMs` ago, or was of a full block. */
export function isPaced(pacing: Pacing, now: MonotonicMs, intervalMs: number): boolean {
  return pacing.wasFull || now - pacing.lastBuildAt >= intervalMs;
}

/** The highest height that may be in flight above the final one (PBFT, section 4.2, "high watermark"). */
export function highWatermark(final: Height, window: number): Height {
  return toHeight(final + window);
}
