import { toView, type View } from '../../ledger/block.ts';
import type { ValidatorIndex } from '../engine.ts';
import { start, stop } from '../shared/timer.ts';
import { tellView, trace } from './outbox.ts';
import { stateRecord } from './records.ts';
import { highestAboveFinal, mayVote, type Replica } from './replica.ts';
import { reasonOf } from './report.ts';
import { highestOf } from './state.ts';
import { forgetTallies } from './tally.ts';
import { mostStored, write } from './writing.ts';

/** normal or changing → changing to the next view. */
export function leaveView(replica: Replica, reason: string): void {
  // An observer follows the others: it has no say in when a view ends.
  if (replica.self === null) return;
  trace(replica, 'leave-view', { view: replica.state.view, reason });
  const words = `${reason} (${reasonOf(replica)})`;
  changeTo(replica, toView(replica.state.view + 1));
  tellView(replica, null, words);
}

/** normal or changing → changing to a view that f + 1 others change to. */
export function joinView(replica: Replica, view: View): void {
  if (replica.self === null || view <= replica.state.view) return;
  trace(replica, 'join-view', { view });
  changeTo(replica, view);
  tellView(replica, null, 'more validators change to it than may lie');
}

function changeTo(replica: Replica, view: View): void {
  const { state, self } = replica;
  moveTo(replica, view);
  state.attempts += 1;
  if (self === null || !mayVote(replica)) write(replica, { records: [stateRecord(replica)] });
  else signViewChange(replica, self);
}

/**
 * Whoever came into the view that it changes to without a ViewChange of its own (silent for a
 * lost log, or taken along by a certificate) makes up for that while nobody starts it: others may
 * need it for their quorum.
 */
export function maybeSignViewChange(replica: Replica): void {
  const { state, self } = replica;
  if (self === null || !mayVote(replica) || state.viewChangeAsked >= state.view) return;
  const highest = highestOf(state.highest, state.final.certificate);
  if (highest === null || highest.view < state.view) signViewChange(replica, self);
}

function signViewChange(replica: Replica, self: ValidatorIndex): void {
  const { state } = replica;
  const { view } = state;
  const { height: finalHeight, certificate } = state.final;
  state.viewChangeAsked = view;
  write(replica, {
    records: [stateRecord(replica)],
    sign: [
      {
        kind: 'view-change',
        from: self,
        view,
        finalHeight,
        finalCertificate: certificate ?? undefined,
        highest: highestAboveFinal(replica),
      },
    ],
  });
}

/** any → changing to a view that others proved to be in already; it waits for that view's NewView. */
export function adoptView(replica: Replica, view: View): void {
  if (view <= replica.state.view) return;
  trace(replica, 'adopt-view', { view });
  moveTo(replica, view);
  tellView(replica, null, 'a block is final in it already');
  write(replica, { records: [stateRecord(replica)] });
}

/**
 * normal → changing in the same view: the new-view that it was entered with is not good enough any more. The
 * caller writes that down.
 */
export function closeView(replica: Replica): void {
  trace(replica, 'close-view', { view: replica.state.view });
  moveTo(replica, replica.state.view);
  tellView(replica, null, 'a later block is final than those that it was begun with');
}

/**
 * Forgets what belonged to the view before. Tallies stay: Commits of earlier views can
 * still make a block final.
 */
export function moveTo(replica: Replica, view: View): void {
  const { state } = replica;
  state.view = view;
  state.phase = { name: 'changing', quorumSince: null };
  state.newView = null;
  state.tipsAsked.clear();
  state.viewBase = state.final;
  state.slots.clear();
  state.waiting.clear();
  state.building = null;
  state.pacing.nothingToBuild = false;
  state.grounds = null;
  state.caught = false;
  stop(state.progressTimer);
  start(state.repeatTimer, state.now, replica.options.statusMs);
  for (const [from, suspect] of state.suspects) if (suspect.view < view) state.suspects.delete(from);
  forgetTallies(replica);
  forgetLinks(replica);
}

/**
 * Blocks that were valid and not voted for, so that they are not stored: every view that fails may
 * leave some. Past the bound the oldest go. Nothing is accepted at this moment, and who needs one
 * has it validated anew.
 */
function forgetLinks(replica: Replica): void {
  const { valid, stored } = replica.state;
  let surplus = valid.size - mostStored(replica);
  for (const blockHash of valid.keys()) {
    if (surplus <= 0) return;
    if (stored.has(blockHash)) continue;
    valid.delete(blockHash);
    surplus -= 1;
  }
}
