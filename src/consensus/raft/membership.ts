import { encodeAddress } from '../../crypto/address.ts';
import type { Height } from '../../ledger/block.ts';
import { Problem } from '../../base/problem.ts';
import type { EngineRequest, RequestId, ValidatorIndex } from '../engine.ts';
import {
  afterJoint,
  indexOf,
  isVoter,
  leaversOf,
  quorumOf,
  staysVoter,
  takesPart,
  withChanges,
} from './configuration.ts';
import { lastHeight } from './log.ts';
import { answer, notLeading, notNow, send, trace } from './outbox.ts';
import { configurationKey, configurationRecord } from './records.ts';
import { dropWaitingReads } from './reads.ts';
import { answersLately, committed, type Replica, unappliedConfiguration } from './replica.ts';
import { becomeFollower, trackMembers } from './roles.ts';
import type { Leader } from './state.ts';
import { write } from './writing.ts';
import { type Configuration, isJoint } from '../../ledger/members.ts';

/** How far behind the leader a learner may be to be promoted: what it lacks is on its way anyway. */
const caughtUpWithin = 16;

/**
 * An operator asks for a change (section 6; dissertation, chapter 4). One at a time; none before this
 * leader committed a block of its own term (the known bug of single-server changes); none that loses the
 * live quorum, unless forced.
 */
export function onMembersRequest(
  replica: Replica,
  id: RequestId,
  request: Extract<EngineRequest, { readonly kind: 'members' }>,
): void {
  const { state } = replica;
  const next = judgeChange(replica, request);
  if (next instanceof Problem) {
    answer(replica, id, next);
    return;
  }
  if (state.role.kind === 'leader') state.role.nextConfiguration = next;
  state.change = { id, height: null };
}

function judgeChange(
  replica: Replica,
  { changes, forced }: Extract<EngineRequest, { readonly kind: 'members' }>,
): Configuration | Problem {
  const { state } = replica;
  const { role } = state;
  if (role.kind !== 'leader') {
    return notLeading(state);
  }
  const handsOver = role.transfer !== null || role.partingUntil !== null;
  if (role.first === null || state.commit < role.first || handsOver) {
    return notNow(
      state,
      'consensus/busy',
      'the leader has not taken up its work, or hands over',
      'Try again in a second.',
    );
  }
  const busy =
    state.change !== null ||
    role.nextConfiguration !== null ||
    isJoint(state.configuration) ||
    unappliedConfiguration(state, lastHeight(state.log)) !== null;
  if (busy)
    return notNow(
      state,
      'consensus/busy',
      'another change of the members is on its way',
      'Ask again when "quorate members list" shows that change made.',
    );
  const next = withChanges(state.configuration, changes);
  if (next instanceof Problem || forced) return next;
  return judgeQuorum(replica, role, next) ?? next;
}

/** Why the change would endanger the cluster, or undefined. */
function judgeQuorum(replica: Replica, role: Leader, next: Configuration): Problem | undefined {
  const { state } = replica;
  // One whose log was lost answers no round: as a voter it would never vote. And for an election timeout a
  // member seems to be there without any answer, to a new leader and after its connection broke.
  const isThere = (index: ValidatorIndex, isSure: boolean): boolean => {
    if (index === state.self) return true;
    const progress = role.progress.get(index);
    if (progress === undefined || !answersLately(replica, role, index)) return false;
    return progress.decides && (progress.round > 0 || !isSure);
  };
  const forced =
    'By force (quorate: --force) it is done all the same: if those who are missing do not come back, nothing is decided any more.';
  for (const [index, { role: place, key }] of next.entries()) {
    if (place !== 'joining') continue;
    const progress = role.progress.get(index);
    const last = lastHeight(state.log);
    const match = progress?.match ?? 0;
    const isUseful = isThere(index, true);
    if (isUseful && match > 0 && match + caughtUpWithin >= last) continue;
    const why =
      progress === undefined
        ? 'is no learner'
        : isUseful
          ? `has block ${match} of ${last}`
          : isThere(index, false)
            ? 'has answered no heartbeat of this leader yet'
            : answersLately(replica, role, index)
              ? 'has not found out yet that nothing which its key signed can be missing'
              : 'does not answer';
    const first =
      progress === undefined
        ? 'Add it as a learner first ("quorate members add KEY"), and ask again'
        : 'Ask again';
    return new Problem(
      'consensus/not-caught-up',
      `${encodeAddress(key)} ${why}: as a voter it would hold up every decision`,
      {
        remedy: `${first} when it has the blocks ("quorate why" of its own node says what it waits for). ${forced}`,
        details: { key, match, last },
      },
    );
  }
  // In a joint phase these are both majorities: that of after it, too.
  if (quorumOf(next, (index) => isThere(index, true))) return undefined;
  if (quorumOf(next, (index) => isThere(index, false))) {
    return notNow(
      state,
      'consensus/busy',
      'the leader does not know yet whether the voters who would be left are there',
      'Try again in a second.',
    );
  }
  return new Problem('consensus/quorum-loss', 'after the change, too few voters that answer would be left', {
    remedy: `Bring members back first, or change others. ${forced}`,
  });
}

/**
 * The exactly one automatic step: a leader under a joint configuration proposes the one that ends it. Whether
 * it did is read from the log and the state, so it can be neither forgotten nor done twice, by whoever leads.
 */
export function maybeLeaveJoint({ state }: Replica, role: Leader): void {
  if (!isJoint(state.configuration) || role.nextConfiguration !== null || role.making !== null) return;
  if (unappliedConfiguration(state, lastHeight(state.log)) !== null) return;
  role.nextConfiguration = afterJoint(state.configuration);
}

/** A block that starts a configuration was applied: it is in force. */
export function enterConfiguration(replica: Replica, height: Height, next: Configuration): void {
  const { state } = replica;
  state.departed = leaversOf(state.configuration, next);
  const before = state.configurationHeight;
  state.configuration = next;
  state.configurationHeight = height;
  state.configurationSince = state.now;
  // On the way to the block that names it, a new member keeps the index that the leader called it by.
  const called = state.self !== null && state.self >= next.length ? state.self : null;
  state.self = indexOf(next, replica.key) ?? called;
  const obsolete = state.configurationRecords;
  state.configurationRecords = [height, ...obsolete.filter((other) => other > height || other === before)];
  // The one before tells after a restart who lost its vote. Older ones are of no use: the final block that a
  // restart starts from is at or above this one.
  state.staleRecords.push(
    ...obsolete.filter((old) => old < height && old !== before).map((old) => configurationKey(old)),
  );
  write(replica, { records: [configurationRecord(height, next)] });
  replica.out.push({ type: 'members', members: next });
  trace(replica, 'configuration', { height, joint: isJoint(next) });
  if (state.role.kind === 'candidate' && !isVoter(next, state.self)) {
    becomeFollower(replica, state.term, null, 'it has no vote any more');
  }
  state.heldBy.clear();
  const { role } = state;
  // Whoever leads on until it has handed over answers no more.
  if (role.kind === 'follower' && role.leader !== null && !takesPart(next, role.leader))
    dropWaitingReads(replica);
  if (role.kind === 'leader') leadUnder(replica, role);
}

function leadUnder(replica: Replica, role: Leader): void {
  const { state, options } = replica;
  const parting = [...role.progress.keys()].filter((index) => !takesPart(state.configuration, index));
  // A word of farewell: those who are out learn that the change is final, and do not campaign.
  send(replica, parting, { kind: 'heartbeat', commit: committed(state), round: role.round });
  trackMembers(replica);
  if (role.transfer !== null && !staysVoter(state.configuration, role.transfer.to)) role.transfer = null;
  if (!isVoter(state.configuration, state.self)) role.partingUntil = state.now + options.electionTimeoutMs;
}

/**
 * A majority of the voters has the configuration in force stored: from here on they go by it, whoever of the
 * others is gone, and after a crash, too.
 */
function isSettled({ state }: Replica, role: Leader): boolean {
  const { configuration, configurationHeight: height, self } = state;
  return quorumOf(
    configuration,
    (index) => index === self || (role.progress.get(index)?.applied ?? 0) >= height,
  );
}

/**
 * The leader itself is out (section 6): it manages the cluster until the others go by their new
 * configuration, and hands over.
 */
export function maybePart(replica: Replica, role: Leader): void {
  const { state } = replica;
  if (role.partingUntil === null || (state.now < role.partingUntil && !isSettled(replica, role))) return;
  const transferee = bestTransferee(replica, role);
  if (transferee !== null) {
    role.transfer = { to: transferee, deadline: state.now, told: true };
    send(replica, [transferee], { kind: 'timeout-now' });
  }
  trace(replica, 'removed', { height: state.configurationHeight });
  becomeFollower(replica, state.term, null, 'it has no vote any more');
}

/**
 * The voter with the longest log that answers, and of those the one that has stored
 * most: whom to hand over to.
 */
export function bestTransferee(replica: Replica, role: Leader): ValidatorIndex | null {
  const { configuration } = replica.state;
  let best: ValidatorIndex | null = null;
  for (const [index, { match, applied, decides }] of role.progress) {
    if (!decides || !staysVoter(configuration, index) || !answersLately(replica, role, index)) continue;
    const other = best === null ? undefined : role.progress.get(best);
    if (other === undefined || match > other.match || (match === other.match && applied > other.applied))
      best = index;
  }
  return best;
}

/** The operator is told of a change once nobody who is gone can hold it up any more. */
export function finishChange(replica: Replica, role: Leader): void {
  const { change, configuration, configurationHeight: height } = replica.state;
  if (change === null || change.height !== height || isJoint(configuration) || !isSettled(replica, role))
    return;
  answer(replica, change.id, { height });
  replica.state.change = null;
}

/** A leader that lost the lead cannot tell the operator what became of a change. */
export function abandonChange(replica: Replica): void {
  const { state } = replica;
  if (state.change === null || state.role.kind === 'leader') return;
  const { id, height } = state.change;
  state.change = null;
  answer(
    replica,
    id,
    notNow(
      state,
      height === null ? 'consensus/not-leader' : 'consensus/change-outcome-unknown',
      height === null
        ? 'the leader lost the lead before it proposed the change'
        : 'the leader lost the lead while the change was on its way',
      'Look at the members ("quorate members list"), and ask the new leader again if the change is not there.',
    ),
  );
}
