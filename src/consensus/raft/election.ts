import { toView } from '../../ledger/block.ts';
import type { ValidatorIndex } from '../engine.ts';
import { cast } from '../shared/ballot.ts';
import { isPatient } from '../shared/patience.ts';
import { isDue } from '../shared/timer.ts';
import { isVoter, quorumOf, takesPart } from './configuration.ts';
import { catchUp } from './finality.ts';
import { holds, isUpToDate, lastHeight, lastTerm } from './log.ts';
import type { Term, Vote, VoteRequest } from './message.ts';
import { envelope, send, sendWhenDurable, trace, type Unaddressed } from './outbox.ts';
import { committed, isAmnesiac, isLeaderSilent, noteCommitted, ownIndex, type Replica } from './replica.ts';
import {
  becomeCandidate,
  becomeFollower,
  becomeLeader,
  becomePreCandidate,
  forgetLeader,
  mayCampaign,
  restartElectionTimer,
} from './roles.ts';
import type { RaftState } from './state.ts';
import { electorsOf, heldEnd, heldInItsTerm, onHeld } from './vouching.ts';
import { write } from './writing.ts';

/**
 * The election timer: a voter that hears no leader asks whether it should campaign (section 5.2, pre-vote).
 */
export function maybeCampaign(replica: Replica): void {
  const { state } = replica;
  if (state.role.kind === 'leader' || isPatient(state.patience, state.now)) return;
  if (!mayCampaign(replica)) {
    if (isDue(state.electionTimer, state.now)) forgetLeader(replica);
    return;
  }
  // Nobody else votes, so there is nothing to wait for; but a leader that was heard may answer reads
  // by its lease for a while.
  const alone =
    state.role.kind === 'follower' &&
    !hearsLeader(replica) &&
    quorumOf(state.configuration, (index) => index === state.self);
  if (!isDue(state.electionTimer, state.now) && !alone) return;
  becomePreCandidate(replica);
  askForVotes(replica);
  countVotes(replica);
}

/**
 * Campaigns at once because the leader hands over (dissertation, section 3.10): no
 * pre-vote, which would be refused.
 */
export function campaignForTransfer(replica: Replica): void {
  if (mayCampaign(replica)) startCampaign(replica, true);
}

function startCampaign(replica: Replica, transfer: boolean): void {
  becomeCandidate(replica, transfer);
  trace(replica, 'campaign', { transfer });
  const { term } = replica.state;
  write(replica, {
    after: [envelope(replica.state, electorate(replica.state), voteRequest(replica))],
    ownVote: term,
  });
}

function askForVotes(replica: Replica): void {
  send(replica, electorate(replica.state), voteRequest(replica));
}

function electorate(state: RaftState): ValidatorIndex[] {
  return [...state.configuration.keys()].filter(
    (index) => index !== state.self && isVoter(state.configuration, index),
  );
}

function voteRequest({ state }: Replica): Unaddressed {
  const candidate = state.role.kind === 'candidate' ? state.role : { pre: false, transfer: false };
  return {
    kind: 'vote-request',
    pre: candidate.pre,
    transfer: candidate.transfer,
    lastHeight: lastHeight(state.log),
    lastTerm: lastTerm(state.log),
    commit: committed(state),
    held: heldInItsTerm(state),
  };
}

/** This member's own vote is on disk now. */
export function onOwnVoteDurable(replica: Replica, term: Term): void {
  const { state } = replica;
  if (state.role.kind !== 'candidate' || state.role.pre || state.term !== term) return;
  cast(state.role.votes, ownIndex(state), true);
  countVotes(replica);
}

/**
 * RequestVote (section 5.2, 5.4.1) and PreVote. A pre-vote carries this member's term; it
 * asks about the next one.
 */
export function onVoteRequest(replica: Replica, message: VoteRequest): void {
  const { state } = replica;
  learnCommit(replica, message);
  const { pre, term, from } = message;
  const answerWith = (granted: boolean): Unaddressed => ({
    kind: 'vote',
    pre,
    granted,
    commit: committed(state),
    held: heldInItsTerm(state),
  });
  // A pre-vote changes no term, so its answer is in the asker's, unless that one is old.
  const answerPre = (granted: boolean): void => {
    const effect = envelope(state, [from], answerWith(granted), toView(Math.max(term, state.term)));
    if (effect !== undefined) replica.out.push(effect);
  };
  if (term < state.term) {
    send(replica, [from], answerWith(false));
    return;
  }
  // A member that hears a leader does not help to replace it (sections 6 and 9.6): a removed or
  // partitioned one disturbs nobody.
  if (hearsLeader(replica) && !message.transfer) {
    if (pre) answerPre(false);
    return;
  }
  if (pre) {
    answerPre(mayGrant(state) && isUpToDate(state.log, message));
    return;
  }
  if (term > state.term) becomeFollower(replica, term, null, 'a candidate has a higher term');
  const free = state.votedFor === null || state.votedFor === from;
  if (!free || !mayGrant(state) || !isUpToDate(state.log, message) || state.role.kind !== 'follower') {
    sendWhenDurable(replica, [from], answerWith(false));
    return;
  }
  if (state.votedFor === from) {
    sendWhenDurable(replica, [from], answerWith(true));
    return;
  }
  state.votedFor = from;
  restartElectionTimer(replica);
  trace(replica, 'voted', { for: from });
  write(replica, { after: [envelope(state, [from], answerWith(true))] });
}

/**
 * Who may give a vote: everybody that takes part as far as it knows, also one that thinks itself a learner:
 * the candidate knows better whose vote counts (dissertation, section 4.2.2). Not one whose log was lost:
 * it may have voted before.
 */
function mayGrant(state: RaftState): boolean {
  return !isAmnesiac(state) && state.self !== null;
}

/**
 * It leads, or the leader was heard within the shortest election timeout. What a leader's lease rests on is
 * that this is no shorter.
 */
export function hearsLeader(replica: Replica): boolean {
  const { role, leaderHeardAt, patience, now } = replica.state;
  if (role.kind === 'leader') return true;
  return leaderHeardAt !== null && (isPatient(patience, now) || !isLeaderSilent(replica));
}

export function onVote(replica: Replica, message: Vote): void {
  const { state } = replica;
  learnCommit(replica, message);
  const { role } = state;
  if (role.kind !== 'candidate' || role.pre !== message.pre || message.term !== state.term) return;
  if (!takesPart(state.configuration, message.from)) return;
  cast(role.votes, message.from, message.granted);
  countVotes(replica);
}

function countVotes(replica: Replica): void {
  const { state } = replica;
  if (state.role.kind !== 'candidate') return;
  const { votes, pre } = state.role;
  const electors = electorsOf(state);
  if (quorumOf(electors, (index) => votes.get(index) === true)) {
    if (pre) startCampaign(replica, false);
    else {
      const end = heldEnd(state);
      becomeLeader(replica);
      if (end !== undefined) noteCommitted(state, end.header.height);
    }
  } else if (!quorumOf(electors, (index) => votes.get(index) !== false)) {
    // No majority can come together any more: wait, and let somebody else try.
    becomeFollower(replica, state.term, null, 'the others refused');
  }
}

/**
 * Vote traffic carries what the sender knows to be committed, so that a configuration never stays unnoticed.
 */
function learnCommit(replica: Replica, { commit, held, from }: VoteRequest | Vote): void {
  const { state } = replica;
  onHeld(replica, from, held);
  if (commit.height > state.highestKnown) state.highestKnown = commit.height;
  if (commit.height <= state.commit) return;
  if (holds(state.log, commit)) noteCommitted(state, commit.height);
  else if (state.role.kind !== 'leader') catchUp(replica, from);
}
