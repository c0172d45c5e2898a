import { toHeight } from '../../ledger/block.ts';
import { isDue, start } from '../shared/timer.ts';
import { send } from './outbox.ts';
import { hasUnfinished, restartTimer, viewTimeout } from './progress-timer.ts';
import type { Replica } from './replica.ts';
import { raiseGrounds, repeatSuspect, takeBack } from './suspicion.ts';
import { leaveView, maybeSignViewChange } from './views.ts';

/** On every tick: is there anything to say against the primary? */
export function watchProgress(replica: Replica): void {
  const { state } = replica;
  if (state.phase.name === 'changing') {
    replica.noted.changing = true;
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
  replica.noted.leaving = true;
}

/** On every tick while changing: a quorum waits for the primary, or more have to hear the ViewChange. */
export function watchChange(replica: Replica): void {
  const { state } = replica;
  if (state.phase.name !== 'changing') return;
  const { quorumSince } = state.phase;
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
