import { toView } from '../../ledger/block.ts';
import type { ValidatorIndex } from '../engine.ts';
import { cast } from '../shared/ballot.ts';
import { isDue } from '../shared/timer.ts';
import { isVoter, quorumOf, takesPart } from './configuration.ts';
import { catchUp } from './finality.ts';
import { holds, isUpToDate, lastHeight, lastTerm } from './log.ts';
import type { Term, Vote, VoteRequest } from './message.ts';
import { committed, letter, send, sendWhenDurable, trace, type Unaddressed } from './outbox.ts';
import {
  becomeCandidate,
  becomeFollower,
  becomeLeader,
  becomePreCandidate,
  forgetLeader,
  mayCampaign,
  ownIndex,
  restartElectionTimer,
} from './roles.ts';
import type { Raft, State } from './state.ts';
import { write } from './writing.ts';

/** The election timer: a voter that hears no leader asks whether it should campaign (section 5.2, pre-vote). */
export function maybeCampaign(raft: Raft): void {
  const { state } = raft;
  if (state.role.kind === 'leader') return;
  if (!mayCampaign(raft)) {
    if (isDue(state.electionTimer, state.now)) forgetLeader(raft);
    return;
  }
  // Nobody else votes, so there is nothing to wait for; but a leader that was heard may answer reads by its lease for a while.
  const alone =
    state.role.kind === 'follower' &&
    !hearsLeader(raft) &&
    quorumOf(state.configuration, (index) => index === state.self);
  if (!isDue(state.electionTimer, state.now) && !alone) return;
  becomePreCandidate(raft);
  askForVotes(raft);
  countVotes(raft);
}

/** Campaigns at once because the leader hands over (dissertation, section 3.10): no pre-vote, which would be refused. */
export function campaignForTransfer(raft: Raft): void {
  if (mayCampaign(raft)) startCampaign(raft, true);
}

function startCampaign(raft: Raft, transfer: boolean): void {
  becomeCandidate(raft, transfer);
  trace(raft, 'campaign', { transfer });
  const { term } = raft.state;
  write(raft, { after: [letter(raft.state, electorate(raft.state), voteRequest(raft))], ownVote: term });
}

function askForVotes(raft: Raft): void {
  send(raft, electorate(raft.state), voteRequest(raft));
}

function electorate(state: State): ValidatorIndex[] {
  return [...state.configuration.keys()].filter(
    (index) => index !== state.self && isVoter(state.configuration, index),
  );
}

function voteRequest({ state }: Raft): Unaddressed {
  const candidate = state.role.kind === 'candidate' ? state.role : { pre: false, transfer: false };
  return {
    kind: 'vote-request',
    pre: candidate.pre,
    transfer: candidate.transfer,
    lastHeight: lastHeight(state.log),
    lastTerm: lastTerm(state.log),
    commit: committed(state),
  };
}

/** The own vote is on disk now. */
export function onOwnVoteDurable(raft: Raft, term: Term): void {
  const { state } = raft;
  if (state.role.kind !== 'candidate' || state.role.pre || state.term !== term) return;
  cast(state.role.votes, ownIndex(state), true);
  countVotes(raft);
}

/** RequestVote (section 5.2, 5.4.1) and PreVote. A pre-vote carries this member's term; it asks about the next one. */
export function onVoteRequest(raft: Raft, message: VoteRequest): void {
  const { state } = raft;
  learnCommit(raft, message);
  const { pre, term, from } = message;
  const answerWith = (granted: boolean): Unaddressed => ({
    kind: 'vote',
    pre,
    granted,
    commit: committed(state),
  });
  // A pre-vote changes no term, so its answer is in the asker's, unless that one is old.
  const answerPre = (granted: boolean): void => {
    const effect = letter(state, [from], answerWith(granted), toView(Math.max(term, state.term)));
    if (effect !== undefined) raft.out.push(effect);
  };
  if (term < state.term) {
    send(raft, [from], answerWith(false));
    return;
  }
  // A member that hears a leader does not help to replace it (sections 6 and 9.6): a removed or partitioned one disturbs nobody.
  if (hearsLeader(raft) && !message.transfer) {
    if (pre) answerPre(false);
    return;
  }
  if (pre) {
    answerPre(mayGrant(state) && isUpToDate(state.log, message));
    return;
  }
  if (term > state.term) becomeFollower(raft, term, null, 'a candidate has a higher term');
  const free = state.votedFor === null || state.votedFor === from;
  if (!free || !mayGrant(state) || !isUpToDate(state.log, message) || state.role.kind !== 'follower') {
    sendWhenDurable(raft, [from], answerWith(false));
    return;
  }
  if (state.votedFor === from) {
    sendWhenDurable(raft, [from], answerWith(true));
    return;
  }
  state.votedFor = from;
  restartElectionTimer(raft);
  trace(raft, 'voted', { for: from });
  write(raft, { after: [letter(state, [from], answerWith(true))] });
}

/**
 * Who may give a vote: everybody that takes part as far as it knows, also one that thinks itself a learner: the candidate knows better whose
 * vote counts (dissertation, section 4.2.2). Not one whose log was lost: it may have voted before.
 */
function mayGrant(state: State): boolean {
  return !state.amnesiac && state.self !== null;
}

/** It leads, or the leader was heard within the shortest election timeout. */
export function hearsLeader({ state, options }: Raft): boolean {
  if (state.role.kind === 'leader') return true;
  return state.leaderHeardAt !== null && state.now - state.leaderHeardAt < options.electionTimeoutMs;
}

export function onVote(raft: Raft, message: Vote): void {
  const { state } = raft;
  learnCommit(raft, message);
  const { role } = state;
  if (role.kind !== 'candidate' || role.pre !== message.pre || message.term !== state.term) return;
  if (!takesPart(state.configuration, message.from)) return;
  cast(role.votes, message.from, message.granted);
  countVotes(raft);
}

function countVotes(raft: Raft): void {
  const { state } = raft;
  if (state.role.kind !== 'candidate') return;
  const { votes, pre } = state.role;
  if (quorumOf(state.configuration, (index) => votes.get(index) === true)) {
    if (pre) startCampaign(raft, false);
    else becomeLeader(raft);
  } else if (!quorumOf(state.configuration, (index) => votes.get(index) !== false)) {
    // No majority can come together any more: wait, and let somebody else try.
    becomeFollower(raft, state.term, null, 'the others refused');
  }
}

/** Vote traffic carries what the sender knows to be committed, so that a configuration never stays unnoticed. */
function learnCommit(raft: Raft, { commit, from }: VoteRequest | Vote): void {
  const { state } = raft;
  if (commit.height > state.highestKnown) state.highestKnown = commit.height;
  if (commit.height <= state.commit) return;
  if (holds(state.log, commit)) state.commit = commit.height;
  else if (state.role.kind !== 'leader') catchUp(raft, from);
}
