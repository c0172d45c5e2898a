import { limits } from '../../base/limits.ts';
import { nextFloat } from '../../base/random.ts';
import { type BlockHeader, toView } from '../../ledger/block.ts';
import type { ValidatorIndex } from '../engine.ts';
import { hear } from '../shared/contact.ts';
import { start } from '../shared/timer.ts';
import { count } from '../shared/step.ts';
import { isVoter, takesPart } from './configuration.ts';
import { lastHeight } from './log.ts';
import type { Term } from './message.ts';
import { tellTerm, trace } from './outbox.ts';
import { freshProgress } from './progress.ts';
import { dropLeaderReads, dropWaitingReads } from './reads.ts';
import { isAmnesiac, knownLeader, ownIndex, type Replica, unappliedConfiguration } from './replica.ts';
import type { RaftState } from './state.ts';
import { diskStalls, voidOldMessages, write } from './writing.ts';

/** Waits anew before it campaigns: between one and two election timeouts (section 5.2). */
export function restartElectionTimer(replica: Replica): void {
  const { state, options } = replica;
  start(state.electionTimer, state.now, options.electionTimeoutMs * (1 + nextFloat(state.random)));
}

/** any -> follower: a leader showed itself, or a higher term. A new term is written down at once. */
export function becomeFollower(
  replica: Replica,
  term: Term,
  leader: ValidatorIndex | null,
  why: string,
): void {
  const { state } = replica;
  const { role } = state;
  const isNews = term > state.term || knownLeader(state) !== leader;
  if (role.kind === 'leader') {
    count(replica, 'step-downs');
    dropLeaderReads(replica, role);
    trace(replica, 'stepped-down', { why });
    // A transferee that was told to campaign has everything in the log, and the mempool's rest
    // reaches it as it reaches all.
    if (role.transfer?.told !== true) replica.out.push({ type: 'stepped-down', reason: why });
    // Only now: while it led it did not wait for anybody.
    restartElectionTimer(replica);
  }
  if (term > state.term) {
    state.term = term;
    state.votedFor = null;
    voidOldMessages(replica);
    write(replica, {});
  }
  state.role = { kind: 'follower', leader, matched: state.commit, leaderCommit: state.commit, staging: [] };
  // When a leader was heard stays: it may hold a lease on that, whatever terms there are elsewhere.
  if (leader !== null) trace(replica, 'following', { leader });
  if (isNews) tellTerm(replica, leader, why);
}

/**
 * Whoever holds a block of a term has seen that term, wherever the block came from: before it enters, the
 * term is adopted, and asked to be written. So whoever campaigns does it in a term of which its log has no
 * block (see "Why it is safe" in `README.md`).
 */
export function seeTermOf(replica: Replica, { view }: Pick<BlockHeader, 'view'>, why: string): void {
  const { state } = replica;
  if (view > state.term || state.role.kind !== 'follower')
    becomeFollower(replica, toView(Math.max(view, state.term)), null, why);
}

/**
 * follower -> pre-candidate: would the others vote for it? Changes nothing that lasts
 * (dissertation, section 9.6).
 */
export function becomePreCandidate(replica: Replica): void {
  const { state } = replica;
  if (knownLeader(state) !== null) tellTerm(replica, null, 'its leader is heard no more');
  state.role = { kind: 'candidate', pre: true, transfer: false, votes: new Map([[ownIndex(state), true]]) };
  state.leaderHeardAt = null;
  dropWaitingReads(replica);
  restartElectionTimer(replica);
}

/** A follower that may not campaign hears its leader no more: it takes nothing on in that one's name. */
export function forgetLeader(replica: Replica): void {
  const { state } = replica;
  if (state.role.kind !== 'follower' || state.role.leader === null) return;
  state.role.leader = null;
  state.leaderHeardAt = null;
  dropWaitingReads(replica);
  tellTerm(replica, null, 'its leader is heard no more');
}

/**
 * follower or pre-candidate -> candidate: a new term, and its own vote for itself, which
 * counts when it is on disk.
 */
export function becomeCandidate(replica: Replica, transfer: boolean): void {
  const { state } = replica;
  state.term = toView(state.term + 1);
  state.votedFor = ownIndex(state);
  state.role = { kind: 'candidate', pre: false, transfer, votes: new Map() };
  state.leaderHeardAt = null;
  voidOldMessages(replica);
  restartElectionTimer(replica);
  count(replica, 'campaigns');
  tellTerm(replica, null, transfer ? 'its leader handed over' : 'a majority hears no leader');
}

/** candidate -> leader. It first commits an empty block of its own term (section 8). */
export function becomeLeader(replica: Replica): void {
  const { state } = replica;
  state.role = {
    kind: 'leader',
    since: state.now,
    first: null,
    ready: false,
    progress: new Map(),
    contact: new Map(),
    making: null,
    round: 0,
    roundsSent: [],
    heartbeatTimer: { dueAt: state.now },
    readRounds: [],
    transfer: null,
    transfereeTold: false,
    partingUntil: null,
    nextConfiguration: null,
  };
  state.leaderHeardAt = null;
  state.install = null;
  noteLeading(state);
  state.pacing.nothingToBuild = false;
  count(replica, 'elections');
  tellTerm(replica, state.self, 'a majority voted for it');
  trackMembers(replica);
  trace(replica, 'leading', { last: lastHeight(state.log), commit: state.commit });
}

/** This process leads in this term: the blocks of that are by its key. */
function noteLeading({ keyUse, term }: RaftState): void {
  keyUse.led.add(term);
  if (keyUse.led.size <= limits.raftTermsLed) return;
  const [oldest = term] = keyUse.led;
  keyUse.led.delete(oldest);
  keyUse.upTo = oldest;
}

/** A leader keeps one progress for each other member, in the order of their indexes. */
export function trackMembers(replica: Replica): void {
  const { state } = replica;
  if (state.role.kind !== 'leader') return;
  const { progress, contact } = state.role;
  for (const index of state.configuration.keys()) {
    if (index === state.self) continue;
    const takes = takesPart(state.configuration, index);
    if (takes && !progress.has(index)) {
      progress.set(index, freshProgress(state));
      // Time enough to answer for the first time.
      hear(contact, index, state.now);
    }
    if (!takes) {
      progress.delete(index);
      contact.delete(index);
    }
  }
}

/**
 * May ask for votes: it has one in the configuration in force, and no newer one is committed but not applied
 * (else two leaders could count different electorates); its disk answers; its log was never lost.
 */
export function mayCampaign(replica: Replica): boolean {
  const { state } = replica;
  return (
    isVoter(state.configuration, state.self) &&
    !isAmnesiac(state) &&
    state.install === null &&
    state.applied >= state.log.base.height &&
    !diskStalls(replica) &&
    unappliedConfiguration(state, state.commit) === null
  );
}
