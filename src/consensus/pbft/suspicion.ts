import { type Height, toHeight } from '../../ledger/block.ts';
import type { ValidatorIndex } from '../engine.ts';
import { isDue, start } from '../shared/timer.ts';
import type { Suspect, SuspectReason } from './message.ts';
import { post, trace } from './outbox.ts';
import { mayLeave } from './progress-timer.ts';
import { isNormal, mayVote, type Replica, weakQuorumOf } from './replica.ts';
import { stillCounts } from './suspects.ts';
import { joinView, leaveView } from './views.ts';

/** Own grounds to leave this view; the first ones stay until they end. */
export function raiseGrounds(replica: Replica, reason: SuspectReason, height: Height): void {
  const { state } = replica;
  if (state.grounds !== null || !isNormal(replica) || !mayVote(replica)) return;
  state.grounds = { reason, height };
  start(state.repeatTimer, state.now, 0);
  trace(replica, 'suspect', { view: state.view, reason, height });
  repeatSuspect(replica);
}

/** Says it again when it is time: one that is not repeated counts no more. */
export function repeatSuspect(replica: Replica): void {
  const { state, self } = replica;
  if (state.grounds === null || self === null || !isDue(state.repeatTimer, state.now)) return;
  start(state.repeatTimer, state.now, replica.options.statusMs);
  postSuspect(replica, self, state.grounds.reason);
  replica.noted.leaving = true;
}

/** The grounds are gone, and those who heard of them are told. */
export function takeBack(replica: Replica): void {
  const { state, self } = replica;
  state.grounds = null;
  if (self !== null) postSuspect(replica, self, 'withdrawn');
}

function postSuspect(replica: Replica, self: ValidatorIndex, reason: Suspect['reason']): void {
  const { state } = replica;
  state.suspectsSent += 1;
  const height = toHeight(state.final.height + 1);
  const suspect = { view: state.view, reason, height, sequence: state.suspectsSent };
  post(replica, 'all', { kind: 'suspect', from: self, ...suspect });
  state.suspects.set(self, { ...suspect, heardAt: state.now });
}

export function onSuspect(replica: Replica, suspect: Suspect): void {
  const { state } = replica;
  const earlier = state.suspects.get(suspect.from);
  if (suspect.view < state.view || (earlier !== undefined && !isLater(suspect, earlier))) return;
  const { view, reason, height, sequence } = suspect;
  state.suspects.set(suspect.from, { view, reason, height, sequence, heardAt: state.now });
  replica.noted.leaving = true;
}

type Place = Pick<Suspect, 'view' | 'height' | 'sequence'>;

/**
 * Of two Suspects of one sender the later one. The height is the sender's own final one, so it never falls,
 * also over a restart, after which the sequence begins anew. Whoever replays an old one changes nothing.
 */
export function isLater(a: Place, b: Place): boolean {
  if (a.view !== b.view) return a.view > b.view;
  return a.height === b.height ? a.sequence > b.sequence : a.height > b.height;
}

/**
 * Leaves when f + 1 validators want to, so at least one that does not lie: by Suspects of this view, or by
 * ViewChanges for later ones (PBFT, section 4.5.2, liveness, second rule); or when the primary was caught in
 * a lie. Every way passes the back-off: a ViewChange of somebody that does not lie passed it there.
 */
export function maybeLeave(replica: Replica): void {
  const { state } = replica;
  const weak = weakQuorumOf(replica);
  const later = [...state.viewChanges.values()].filter(
    (viewChange) => viewChange.view > state.view && viewChange.from !== replica.self,
  );
  if (later.length >= weak) {
    joinView(
      replica,
      later.reduce((least, { view }) => (view < least ? view : least), later[0]?.view ?? state.view),
    );
    return;
  }
  if (!isNormal(replica) || !mayLeave(replica)) return;
  if (state.caught) {
    leaveView(replica, 'the primary contradicted itself');
    return;
  }
  const against = new Set<ValidatorIndex>(later.map(({ from }) => from));
  for (const [from, suspect] of state.suspects) if (stillCounts(replica, suspect)) against.add(from);
  if (against.size >= weak) leaveView(replica, 'enough validators suspect its primary');
}
