import { toHeight } from '../../ledger/block.ts';
import { maxFaulty } from '../../ledger/quorum.ts';
import { start, stop } from '../shared/timer.ts';
import { primaryOf, type Replica } from './replica.ts';

/**
 * How long the current view may take for one block (PBFT, section 4.4: doubled with every view that failed).
 */
export function viewTimeout(replica: Replica): number {
  const { viewTimeoutMs, viewTimeoutCapMs } = replica.options;
  return Math.min(viewTimeoutMs * 2 ** Math.min(replica.state.attempts, 30), viewTimeoutCapMs);
}

/**
 * Whether this view lasted long enough to be left. At most f primaries in a row lie, so f views may be left
 * as soon as there are grounds. When more failed, something else is wrong (a clock, the network, our own
 * code), haste makes nothing better, and each view gets its whole time, which doubles: on whatever grounds,
 * views change no faster than that.
 */
export function mayLeave(replica: Replica): boolean {
  const { attempts, now, viewSince } = replica.state;
  return attempts < maxFaulty(replica.validators.keys.length) || now - viewSince >= viewTimeout(replica);
}

/** The view has its whole time again, for as long as something is unfinished. */
export function restartTimer(replica: Replica): void {
  const { progressTimer, now } = replica.state;
  if (hasUnfinished(replica)) start(progressTimer, now, viewTimeout(replica));
  else stop(progressTimer);
}

/**
 * An executable transaction is pending, or a block is accepted and not final, or nobody can make the empty
 * block that is needed: the progress timer runs.
 */
export function hasUnfinished(replica: Replica): boolean {
  const { state } = replica;
  // The epoch is over, and waits for the disk.
  if (state.final.isLast) return false;
  if (state.pacing.work.executable > 0 || awaitsOneThatLeft(replica)) return true;
  for (const height of state.slots.keys()) if (height > state.final.height) return true;
  return false;
}

/**
 * Something waits that no block can hold, and comes to its expiry by empty blocks; and the one whose turn it
 * is has left this view, so it makes none here. Nobody else is suspected for making none: it may not know of
 * what waits.
 */
function awaitsOneThatLeft(replica: Replica): boolean {
  const { pacing, view, viewChanges, final } = replica.state;
  if ((pacing.work.waiting ?? 0) === 0) return false;
  const next = viewChanges.get(primaryOf(replica, view, toHeight(final.height + 1)));
  return next !== undefined && next.view > view;
}
