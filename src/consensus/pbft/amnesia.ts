import { toHeight } from '../../ledger/block.ts';
import type { ValidatorIndex } from '../engine.ts';
import type { QueryStable, ReplyStable } from './message.ts';
import { isFresh } from './freshness.ts';
import { post, trace } from './outbox.ts';
import { highestAboveFinal, isNormal, mayVote, quorumOf, type Replica, weakQuorumOf } from './replica.ts';
import { write } from './writing.ts';
import { highestRecord, stateRecord } from './records.ts';
import { closeView } from './views.ts';

/**
 * A validator that lost its log must not vote where it may have voted before. It asks all others, with a
 * number of this start, how far they are, and waits for the answers of a quorum of others, besides itself.
 * Its lost votes were at most W above a height that was final then, and one of those who answer committed
 * that one and does not lie: so above p + 2W, with p the highest height that they prove, nothing it signs can
 * contradict what it signed before. The page on consensus has the proof. (Castro and Liskov, TOCS 20(4),
 * section 4.3.2, has f + 1 claims where here is one certificate.)
 */
export function queryStable(replica: Replica): void {
  const { guard, peers } = replica.state;
  if (guard.name !== 'learning' || replica.self === null) return;
  const asked = [...peers.keys()].filter((index) => index !== replica.self && !guard.proven.has(index));
  post(replica, asked, { kind: 'query-stable', from: replica.self, nonce: guard.nonce });
}

/**
 * Something is final in this epoch: it runs. A validator that has signed nothing here, and of whose key
 * nobody knows whether it was used before, may be one that came back without its log.
 */
export function onRunningChain(replica: Replica): void {
  const { state } = replica;
  // An observer signs nothing: it stays unproven until the set has its key.
  if (state.unproven === null || replica.self === null) return;
  state.unproven = null;
  if (state.guard.name !== 'off') return;
  state.guard = { name: 'learning', nonce: replica.nonce, proven: new Map() };
  trace(replica, 'chain-runs-already');
  write(replica, { records: [stateRecord(replica)] });
}

/**
 * On its own stream a validator says that it has nothing final of this epoch. When f + 1 say so, the epoch
 * has not begun, and the key is new in it.
 */
export function onBeginningChain(replica: Replica, from: ValidatorIndex): void {
  const { unproven } = replica.state;
  if (unproven === null || replica.self === null) return;
  unproven.add(from);
  if (unproven.size < weakQuorumOf(replica)) return;
  replica.state.unproven = null;
  write(replica, { records: [stateRecord(replica)] });
}

/**
 * True when it will be answered: by those who have their own log only, and now and then only. Anybody can
 * send an old one again, as often as they like, so one on the asker's own stream does not wait for those.
 */
export function isAnswered(replica: Replica, query: QueryStable, direct: boolean): boolean {
  const { state, options } = replica;
  const peer = state.peers[query.from];
  if (peer === undefined || !mayVote(replica)) return false;
  return state.now - (direct ? peer.repliedAt : peer.repliedByRelayAt) >= options.idleStatusMs;
}

export function onQueryStable(replica: Replica, query: QueryStable, direct: boolean): void {
  const { state, self } = replica;
  const peer = state.peers[query.from];
  if (peer === undefined || self === null || !isAnswered(replica, query, direct)) return;
  if (direct) peer.repliedAt = state.now;
  else peer.repliedByRelayAt = state.now;
  const { height: finalHeight, certificate } = state.final;
  post(replica, [query.from], {
    kind: 'reply-stable',
    from: self,
    nonce: query.nonce,
    finalHeight,
    finalCertificate: certificate ?? undefined,
    highest: highestAboveFinal(replica),
  });
}

/** True for the answer to the question of this start, while it is open. */
export function isAwaited({ state }: Replica, reply: ReplyStable): boolean {
  return state.guard.name === 'learning' && state.guard.nonce === reply.nonce;
}

export function onReplyStable(replica: Replica, reply: ReplyStable): void {
  const { state, options } = replica;
  const { guard } = state;
  if (guard.name !== 'learning' || !isAwaited(replica, reply)) return;
  guard.proven.set(reply.from, toHeight(Math.max(reply.finalHeight, reply.highest?.height ?? 0)));
  if (guard.proven.size < quorumOf(replica)) return;
  const until = toHeight(Math.max(...guard.proven.values(), state.final.height) + 2 * options.window);
  state.guard = { name: 'silent', until };
  state.forgottenUpTo = until;
  trace(replica, 'amnesia-silent', { until });
  write(replica, { records: [stateRecord(replica)] });
}

export function onFinalForGuard(replica: Replica): void {
  const { state } = replica;
  if (state.guard.name !== 'silent' || state.final.height <= state.guard.until) return;
  state.guard = { name: 'off' };
  trace(replica, 'amnesia-over', { height: state.final.height });
  // It may have entered its view when it knew less.
  if (isNormal(replica) && state.newView !== null && !isFresh(replica, state.newView)) closeView(replica);
  // The block that ends the silence comes to the disk later. After a crash in between its certificate shows
  // how far the chain was: this replica answers, and leaves views, as one that knows it.
  write(replica, { records: [stateRecord(replica), ...highestRecord(replica)] });
}
