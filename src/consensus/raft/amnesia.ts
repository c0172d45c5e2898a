import { toView } from '../../ledger/block.ts';
import { isVoter } from './configuration.ts';
import type { ReadAnswer } from './message.ts';
import { send, trace } from './outbox.ts';
import { knownLeader, type Replica } from './replica.ts';
import { isSameContext, isStartOnDisk, newReadContext } from './read-context.ts';
import { write } from './writing.ts';

/**
 * A member that lost its log may have voted in any term, so it votes no more until it was removed and added
 * again. Blocks from before the loss may tell of its place then: only what comes after counts. So it asks its
 * leader, as for a read, what was committed when it asked. What a leader says unasked does not tell that: the
 * word may be old, or the leader deposed.
 */
export function maybeAskRecoveryIndex(replica: Replica): void {
  const { state, options } = replica;
  const { guard } = state;
  if (guard.name !== 'asking' || state.self === null || !isStartOnDisk(state)) return;
  const leader = knownLeader(state);
  if (leader === null || (guard.asked !== null && state.now < guard.asked.until)) return;
  const context = newReadContext(state);
  state.guard = { name: 'asking', asked: { context, until: state.now + options.electionTimeoutMs } };
  send(replica, [leader], { kind: 'read-request', context, lease: false });
}

/** The answer. Without a height it comes from somebody who cannot say: another question follows. */
export function onRecoveryIndex(replica: Replica, { context, height, term }: ReadAnswer): void {
  const { guard, keyUse } = replica.state;
  if (
    guard.name !== 'asking' ||
    !isSameContext(guard.asked?.context ?? null, context) ||
    height === undefined
  )
    return;
  replica.state.guard = { name: 'waiting', recoveryIndex: height };
  // The question was asked after all that the key signed before, and its answer is of a later term: that of
  // whoever answers, who may have been elected anew since it was asked.
  keyUse.upTo = toView(Math.max(keyUse.upTo, term));
  maybeTrustAgain(replica);
}

/**
 * It is no voter after the recovery index: it was taken out since the loss, and when it comes in again it has
 * no vote from before to remember.
 */
export function maybeTrustAgain(replica: Replica): void {
  const { state } = replica;
  const { guard, configuration, self } = state;
  if (guard.name !== 'waiting' || state.applied < guard.recoveryIndex) return;
  if (isVoter(configuration, self)) return;
  state.guard = { name: 'off' };
  trace(replica, 'trusted-again', { height: state.applied });
  write(replica, {});
}
