import { type Height, toHeight } from '../../ledger/block.ts';
import type { ValidatorIndex } from '../engine.ts';
import { isVoter } from './configuration.ts';
import type { Term } from './message.ts';
import { trace } from './outbox.ts';
import { knownLeader, type Replica } from './replica.ts';
import { write } from './writing.ts';

/**
 * A member that lost its log may have voted in any term, so it votes no more until it was removed and added again. What its leaders
 * had committed when they first heard it in its new life may tell of its place from before the loss: only what comes after counts.
 */
export function noteHistory(
  replica: Replica,
  { from, term, commit }: { readonly from: ValidatorIndex; readonly term: Term; readonly commit: Height },
): void {
  const { state } = replica;
  if (!state.amnesiac || (knownLeader(state) === from && term === state.term)) return;
  state.historyUpTo = toHeight(Math.max(state.historyUpTo ?? 0, commit));
  maybeTrustAgain(replica);
}

/** It is no voter after that history: it was taken out since, and when it comes in again it has no vote from before to remember. */
export function maybeTrustAgain(replica: Replica): void {
  const { state } = replica;
  const { historyUpTo, configuration, self } = state;
  if (!state.amnesiac || historyUpTo === null || state.applied < historyUpTo) return;
  if (isVoter(configuration, self)) return;
  state.amnesiac = false;
  trace(replica, 'trusted-again', { height: state.applied });
  write(replica, {});
}
