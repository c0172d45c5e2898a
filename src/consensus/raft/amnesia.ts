import { isVoter } from './configuration.ts';
import type { ReadAnswer } from './message.ts';
import { send, trace } from './outbox.ts';
import { knownLeader, type Replica } from './replica.ts';
import { isStartOnDisk, newToken, sameToken } from './read-token.ts';
import { write } from './writing.ts';

/**
 * A member that lost its log may have voted in any term, so it votes no more until it was removed and added again. Blocks from before the
 * loss may tell of its place then: only what comes after counts. So it asks its leader, as for a read, what was committed when it asked.
 * What a leader says unasked does not tell that: the word may be old, or the leader deposed.
 */
export function maybeAskHistory(replica: Replica): void {
  const { state, options } = replica;
  if (!state.amnesiac || state.historyUpTo !== null || state.self === null || !isStartOnDisk(state)) return;
  const leader = knownLeader(state);
  if (leader === null || (state.historyAsk !== null && state.now < state.historyAsk.until)) return;
  state.historyAsk = { token: newToken(state), until: state.now + options.electionTimeoutMs };
  send(replica, [leader], { kind: 'read-request', token: state.historyAsk.token, lease: false });
}

/** The answer. Without a height it comes from somebody who cannot say: another question follows. */
export function onHistoryAnswer(replica: Replica, { token, height }: ReadAnswer): void {
  const { state } = replica;
  if (!sameToken(state.historyAsk?.token ?? null, token) || height === undefined) return;
  state.historyAsk = null;
  state.historyUpTo = height;
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
