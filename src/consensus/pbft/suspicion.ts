import { type Height, toHeight } from '../../ledger/block.ts';
import { maxFaulty } from '../../ledger/quorum.ts';
import type { ValidatorIndex } from '../engine.ts';
import { isDue, start, stop } from '../shared/timer.ts';
import type { Suspect, SuspectReason } from './message.ts';
import { post, send, trace } from './outbox.ts';
import { isNormal, mayVote, type Replica, weakQuorumOf } from './replica.ts';
import type { SuspectHeard } from './state.ts';
import { joinView, leaveView, maybeSignViewChange, noteQuorum } from './view-change.ts';

/** So many repetitions of a Suspect may be lost or late before it counts no more. */
const suspectRepeats = 10;

/** How long the current view may take for one block (PBFT, section 4.4: doubled with every view that failed). */
export function viewTimeout(replica: Replica): number {
  const { viewTimeoutMs, viewTimeoutCapMs } = replica.options;
  return Math.min(viewTimeoutMs * 2 ** Math.min(replica.state.attempts, 30), viewTimeoutCapMs);
}

/**
 * Whether this view lasted long enough to be left. At most f primaries in a row lie, so f views may be left as soon as there are grounds. When
 * more failed, something else is wrong (a clock, the network, our own code), haste makes nothing better, and each view gets its whole
 * time, which doubles: on whatever grounds, views change no faster than that.
 */
function mayLeave(replica: Replica): boolean {
  const { attempts, now, viewSince } = replica.state;
  return attempts < maxFaulty(replica.validators.keys.length) || now - viewSince >= viewTimeout(replica);
}

export function restartTimer(replica: Replica): void {
  const { progressTimer, now } = replica.state;
  if (hasUnfinished(replica)) start(progressTimer, now, viewTimeout(replica));
  else stop(progressTimer);
}

/** An executable transaction is pending, or a block is accepted and not final: the progress timer runs. */
export function hasUnfinished(replica: Replica): boolean {
  const { state } = replica;
  if (state.pacing.work.executable > 0) return true;
  for (const height of state.slots.keys()) if (height > state.final.height) return true;
  return false;
}

/** Watches the primary: runs on every tick. */
export function watchProgress(replica: Replica): void {
  const { state } = replica;
  if (state.phase.name === 'changing') {
    noteQuorum(replica);
    watchChange(replica, state.phase.quorumSince);
    return;
  }
  if (!hasUnfinished(replica) || state.progressTimer.dueAt === null) restartTimer(replica);
  if (isDue(state.progressTimer, state.now)) {
    raiseGrounds(replica, 'no-progress', toHeight(state.final.height + 1));
  }
  const { passedOverSince } = state.pacing.work;
  if (passedOverSince === null) {
    if (state.grounds?.reason === 'censorship') takeBack(replica);
  } else if (state.now - Math.max(passedOverSince, state.viewSince) >= replica.options.censorshipMs) {
    // A new primary gets the whole time again.
    raiseGrounds(replica, 'censorship', toHeight(state.final.height + 1));
  }
  repeatSuspect(replica);
  // What is said already may count only now.
  maybeLeave(replica);
}

/** While changing: a quorum waits for the new primary, or the ViewChange has to be heard by more. */
function watchChange(replica: Replica, quorumSince: number | null): void {
  const { state } = replica;
  if (quorumSince !== null && state.now - quorumSince >= viewTimeout(replica)) {
    leaveView(replica, 'its primary did not start it');
    return;
  }
  if (!isDue(state.repeatTimer, state.now)) return;
  start(state.repeatTimer, state.now, replica.options.statusMs);
  const own = replica.self === null ? undefined : state.viewChanges.get(replica.self);
  if (own?.view === state.view) send(replica, 'all', own);
  else maybeSignViewChange(replica);
}

/** Own grounds to leave this view; the first ones stay until they end. */
export function raiseGrounds(replica: Replica, reason: SuspectReason, height: Height): void {
  const { state } = replica;
  if (state.grounds !== null || !isNormal(replica) || !mayVote(replica)) return;
  state.grounds = { reason, height };
  start(state.repeatTimer, state.now, 0);
  trace(replica, 'suspect', { view: state.view, reason, height });
  repeatSuspect(replica);
}

function repeatSuspect(replica: Replica): void {
  const { state, self } = replica;
  if (state.grounds === null || self === null || !isDue(state.repeatTimer, state.now)) return;
  start(state.repeatTimer, state.now, replica.options.statusMs);
  postSuspect(replica, self, state.grounds.reason);
  maybeLeave(replica);
}

/** The grounds are gone, and those who heard of them are told. */
function takeBack(replica: Replica): void {
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
  maybeLeave(replica);
}

type Place = Pick<Suspect, 'view' | 'height' | 'sequence'>;

/**
 * Of two Suspects of one sender the later one. The height is the sender's own final one, so it never falls, also over a restart, after which
 * the sequence begins anew. Whoever replays an old one changes nothing.
 */
export function isLater(a: Place, b: Place): boolean {
  if (a.view !== b.view) return a.view > b.view;
  return a.height === b.height ? a.sequence > b.sequence : a.height > b.height;
}

/**
 * Leaves when f + 1 validators want to, so at least one that does not lie: by Suspects of this view, or by ViewChanges for
 * later ones (PBFT, section 4.5.2, liveness, second rule); or when the primary was caught in a lie. Every way passes the back-off: a
 * ViewChange of somebody that does not lie passed it there.
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

/**
 * A Suspect for lack of progress ends by itself when the height that it names is final, each when its sender takes it back, and when
 * it is not repeated for so long that its sender must have no grounds any more.
 */
export function stillCounts(
  { state, options }: Replica,
  { view, reason, height, heardAt }: SuspectHeard,
): boolean {
  if (view !== state.view || reason === 'withdrawn') return false;
  if (state.now - heardAt > suspectRepeats * options.statusMs) return false;
  return reason !== 'no-progress' || height > state.final.height;
}
