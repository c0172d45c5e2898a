import { Problem } from '../../base/problem.ts';
import { leaseMs } from '../../ledger/lease.ts';
import type { EngineRequest, RequestId, ValidatorIndex } from '../engine.ts';
import { count } from '../shared/step.ts';
import { quorumOf, takesPart } from './configuration.ts';
import type { ReadAnswer, ReadRequest, ReadContext } from './message.ts';
import { givesLeases } from './options.ts';
import { answer, notNow, send } from './outbox.ts';
import { isSameContext, isStartOnDisk, newReadContext } from './read-context.ts';
import { type Replica } from './replica.ts';
import { type Leader, type LeaderRead, type LocalRead, type RaftState } from './state.ts';

/** A linearizable read was asked for here (section 8; dissertation, section 6.4). */
export function onRead(
  replica: Replica,
  id: RequestId,
  { lease = false }: Extract<EngineRequest, { readonly kind: 'read' }>,
): void {
  const { state, options } = replica;
  if (lease && !givesLeases(options)) {
    answer(
      replica,
      id,
      new Problem('consensus/no-leases', 'leaders of this chain give no leases', {
        remedy:
          'Read with consistency=linearizable; or set consensus.leaseReads in the genesis file of a new chain.',
      }),
    );
    return;
  }
  if (state.reads.length >= options.pendingReads) {
    answer(replica, id, notNow(state, 'consensus/busy', 'too many reads wait', 'Read again a little later.'));
    return;
  }
  const leader = whoAnswers(state);
  if (leader === null || state.self === null) {
    answer(replica, id, noLeader(state));
    return;
  }
  if (state.role.kind !== 'leader' && !isStartOnDisk(state)) {
    answer(
      replica,
      id,
      notNow(state, 'consensus/busy', 'this node has just started', 'Read again in a moment.'),
    );
    return;
  }
  const read: LocalRead = {
    id,
    deadline: state.now + 2 * options.electionTimeoutMs,
    context: null,
    index: null,
  };
  state.reads.push(read);
  if (state.role.kind === 'leader') {
    state.role.readRounds.push({ from: { id }, lease, index: null, round: null });
    return;
  }
  read.context = newReadContext(state);
  send(replica, [leader], { kind: 'read-request', context: read.context, lease });
}

/**
 * Whom to ask. A leader answers nobody who was removed, whom it may still seem to lead there; and one that
 * was removed itself leads on for a while, and is believed no more.
 */
function whoAnswers({ configuration, self, role }: RaftState): ValidatorIndex | null {
  if (role.kind === 'leader') return self;
  if (role.kind === 'candidate' || role.leader === null) return null;
  const isRemoved = self !== null && configuration[self]?.role === 'removed';
  return isRemoved || !takesPart(configuration, role.leader) ? null : role.leader;
}

function noLeader(state: RaftState): Problem {
  if (!takesPart(state.configuration, state.self)) {
    return notNow(
      state,
      'consensus/no-leader',
      'this node is no member: no leader answers it',
      'Ask the node of a member ("quorate members list"), or accept a read that may be stale.',
    );
  }
  return notNow(
    state,
    'consensus/no-leader',
    'no leader is known, or it has no majority',
    'Try again in a second, ask another node, or accept a read that may be stale.',
  );
}

export function onReadRequest(replica: Replica, { from, context, lease }: ReadRequest): void {
  const { state, options } = replica;
  if (state.role.kind !== 'leader' || state.role.readRounds.length >= options.pendingReads) {
    send(replica, [from], { kind: 'read-answer', context, height: undefined });
    return;
  }
  state.role.readRounds.push({ from: { member: from, context }, lease, index: null, round: null });
}

/** The answer is used once: its context is gone then, so a duplicate finds nothing. */
export function onReadAnswer(replica: Replica, { context, height }: ReadAnswer): void {
  const { state } = replica;
  const read = state.reads.find((waiting) => isSameContext(waiting.context, context));
  if (read === undefined) return;
  read.context = null;
  if (height === undefined) endRead(replica, read, noLeader(state));
  else read.index = height;
}

/**
 * The leader's share: a read takes the commit height as its index when it comes (once a block of this term is
 * committed: before that the leader does not know what is), waits for a round that starts after that, and is
 * good when a majority answered it. True when a round must start for reads that have none.
 */
export function confirmReads(replica: Replica, role: Leader): boolean {
  const { state } = replica;
  if (role.readRounds.length === 0) return false;
  if (role.first === null || state.commit < role.first) return false;
  const confirmed = confirmedRound(replica, role);
  const leased = holdsLease(replica, role);
  const waiting: LeaderRead[] = [];
  for (const read of role.readRounds) {
    read.index ??= state.commit;
    if ((leased && read.lease) || (read.round !== null && read.round <= confirmed)) serve(replica, read);
    else waiting.push(read);
  }
  role.readRounds = waiting;
  // One round at a time, for everything that came meanwhile.
  const running = waiting.some(({ round }) => round !== null);
  if (running || waiting.length === 0) return false;
  for (const read of waiting) read.round = role.round + 1;
  count(replica, 'read-rounds');
  return true;
}

/** The newest round that a majority answered. */
function confirmedRound({ state }: Replica, role: Leader): number {
  let confirmed = 0;
  const rounds = [...role.progress.values()].map(({ round }) => round);
  for (const round of [...rounds, role.round]) {
    const answered = quorumOf(
      state.configuration,
      (index) => index === state.self || (role.progress.get(index)?.round ?? 0) >= round,
    );
    if (answered) confirmed = Math.max(confirmed, round);
  }
  return confirmed;
}

/**
 * Only when configured: a majority answered so lately that none of it can have helped
 * to elect another leader.
 */
function holdsLease({ state, options }: Replica, role: Leader): boolean {
  if (!givesLeases(options) || role.transfereeTold || role.transfer !== null) return false;
  const span = leaseMs(options);
  return quorumOf(
    state.configuration,
    (index) =>
      index === state.self ||
      state.now - (role.progress.get(index)?.roundSentAt ?? Number.NEGATIVE_INFINITY) < span,
  );
}

/**
 * How long ago rounds were sent is not known: only one that is sent from now on gives
 * a lease, and those under way do not.
 */
export function forgetLease(role: Leader): void {
  role.roundsSent = [];
  for (const progress of role.progress.values()) progress.roundSentAt = Number.NEGATIVE_INFINITY;
}

function serve(replica: Replica, { from, index }: LeaderRead): void {
  const height = index ?? replica.state.commit;
  if ('member' in from) {
    send(replica, [from.member], { kind: 'read-answer', context: from.context, height });
    return;
  }
  const read = replica.state.reads.find(({ id }) => id === from.id);
  if (read !== undefined) read.index = height;
}

/** Answers the reads whose block is applied, and gives up on those that waited too long. */
export function finishReads(replica: Replica): void {
  const { state } = replica;
  // `endRead` puts a new list in place, so this walks over the old one.
  for (const read of state.reads) {
    if (read.index !== null && state.applied >= read.index) {
      count(replica, 'reads-served');
      endRead(replica, read, { height: read.index });
    } else if (state.now >= read.deadline) {
      endRead(
        replica,
        read,
        notNow(
          state,
          'consensus/read-timeout',
          'the leader could not confirm in time',
          'Read again; if it stays so, ask "quorate why" who is missing.',
        ),
      );
    }
  }
}

function endRead(replica: Replica, read: LocalRead, result: Parameters<typeof answer>[2]): void {
  replica.state.reads = replica.state.reads.filter((other) => other !== read);
  answer(replica, read.id, result);
}

/** No leader is heard any more: nobody will answer. */
export function dropWaitingReads(replica: Replica): void {
  const { state } = replica;
  for (const read of state.reads.filter(({ index }) => index === null))
    endRead(replica, read, noLeader(state));
}

/** The lead is lost: whoever waits for this leader's word is told so. */
export function dropLeaderReads(replica: Replica, role: Leader): void {
  for (const { from } of role.readRounds) {
    if ('member' in from) tellRefused(replica, from.member, from.context);
  }
  dropWaitingReads(replica);
}

function tellRefused(replica: Replica, member: ValidatorIndex, context: ReadContext): void {
  send(replica, [member], { kind: 'read-answer', context, height: undefined });
}
