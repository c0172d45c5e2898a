import type { Input } from '../engine.ts';
import { notePatience } from '../shared/patience.ts';
import { isDue } from '../shared/timer.ts';
import { forgetLease } from './reads.ts';
import { isLeaderSilent, type Replica } from './replica.ts';
import { tickLeader, whyLost } from './replication.ts';
import { retryValidations } from './staging.ts';

/** Time passes. What is due by it for whoever does not lead is looked at after each input. */
export function onTick(replica: Replica, tick: Extract<Input<never>, { readonly type: 'tick' }>): void {
  const { state, options } = replica;
  state.now = Math.max(state.now, tick.now);
  notePatience(state.patience, {
    now: state.now,
    lateMs: tick.lateMs,
    overdue: isOverdue(replica),
    mostMs: options.electionTimeoutMs,
  });
  if (state.role.kind === 'leader') {
    if (tick.slept === true) forgetLease(state.role);
    tickLeader(replica, state.role);
  }
  retryValidations(replica);
}

/**
 * What was waited for did not come in time, as far as is known here: word of the leader, or, for a leader,
 * that of a majority or of its disk.
 */
function isOverdue(replica: Replica): boolean {
  const { state } = replica;
  if (state.role.kind === 'leader') return whyLost(replica, state.role) !== null;
  return isDue(state.electionTimer, state.now) || isLeaderSilent(replica);
}
