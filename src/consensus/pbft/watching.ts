import { toHeight } from '../../ledger/block.ts';
import { isPatient, notePatience } from '../shared/patience.ts';
import { isDue, start } from '../shared/timer.ts';
import { send } from './outbox.ts';
import { hasUnfinished, restartTimer, viewTimeout } from './progress-timer.ts';
import type { Replica } from './replica.ts';
import { raiseGrounds, repeatSuspect, takeBack } from './suspicion.ts';
import { leaveView, maybeSignViewChange } from './views.ts';

/** On every tick, first: a process that stood still reads before it says anything against the primary. */
export function noteLateness(replica: Replica, lateMs: number | undefined): void {
  const { phase, patience, now } = replica.state;
  const overdue = phase.name === 'changing' ? isUnopened(replica) : whatIsOverdue(replica) !== null;
  notePatience(patience, { now, lateMs, overdue, mostMs: replica.options.viewTimeoutMs });
}

/** What did not come in time, as far as is known here. */
function whatIsOverdue({ state, options }: Replica): 'no-progress' | 'censorship' | null {
  if (isDue(state.progressTimer, state.now)) return 'no-progress';
  const { passedOverSince } = state.pacing.work;
  // A new primary gets the whole time again.
  const isPassedOver =
    passedOverSince !== null &&
    state.now - Math.max(passedOverSince, state.viewSince) >= options.censorshipMs;
  return isPassedOver ? 'censorship' : null;
}

/** The primary of the view that it changes to did not open it in its time. */
function isUnopened(replica: Replica): boolean {
  const { phase, now } = replica.state;
  if (phase.name !== 'changing' || phase.quorumSince === null) return false;
  return now - phase.quorumSince >= viewTimeout(replica);
}

/** On every tick: is there anything to say against the primary? */
export function watchProgress(replica: Replica): void {
  const { state } = replica;
  if (state.phase.name === 'changing') {
    replica.noted.changing = true;
    return;
  }
  if (!hasUnfinished(replica) || state.progressTimer.dueAt === null) restartTimer(replica);
  const overdue = isPatient(state.patience, state.now) ? null : whatIsOverdue(replica);
  if (overdue !== null) raiseGrounds(replica, overdue, toHeight(state.final.height + 1));
  if (state.pacing.work.passedOverSince === null && state.grounds?.reason === 'censorship') takeBack(replica);
  repeatSuspect(replica);
  // What is said already may count only now.
  replica.noted.leaving = true;
}

/** On every tick while changing: a quorum waits for the primary, or more have to hear the ViewChange. */
export function watchChange(replica: Replica): void {
  const { state } = replica;
  if (state.phase.name !== 'changing') return;
  if (isUnopened(replica) && !isPatient(state.patience, state.now)) {
    leaveView(replica, 'its primary did not start it');
    return;
  }
  if (!isDue(state.repeatTimer, state.now)) return;
  start(state.repeatTimer, state.now, replica.options.statusMs);
  const own = replica.self === null ? undefined : state.viewChanges.get(replica.self);
  if (own?.view === state.view) send(replica, 'all', own);
  else maybeSignViewChange(replica);
}
