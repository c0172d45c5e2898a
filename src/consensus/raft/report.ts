import type { EngineStatus } from '../engine.ts';
import { silenceOf } from '../shared/contact.ts';
import { whatWaits, whyWithoutVote } from '../shared/pacing.ts';
import { oldestWriteMs } from '../shared/write-queue.ts';
import { isVoter, quorumOf, takesPart } from './configuration.ts';
import { hearsLeader } from './election.ts';
import { lastHeight } from './log.ts';
import { hasRoom } from './proposing.ts';
import { isAmnesiac, knownLeader, type Replica } from './replica.ts';
import { quorumContact } from './replication.ts';
import type { Candidate, Leader, RaftState } from './state.ts';
import { diskStalls } from './writing.ts';
import { isJoint } from '../../ledger/members.ts';

/** A projection of the state for the API, metrics and tests. */
export function statusOf(replica: Replica): EngineStatus {
  const { state } = replica;
  const { role } = state;
  return {
    engine: 'raft',
    view: state.term,
    finalHeight: state.delivered,
    primary: knownLeader(state),
    quorumContact:
      role.kind === 'leader'
        ? quorumContact(replica, role)
        : knownLeader(state) !== null && hearsLeader(replica),
    highestKnown: state.highestKnown,
    inFlight: lastHeight(state.log) - state.commit,
    voting: isVoter(state.configuration, state.self) && !isAmnesiac(state),
    accepting: hasRoom(replica),
    members: state.configuration,
    counters: { ...state.counters },
    waiting: {
      writes: state.writes.pending.length,
      oldestWriteMs: oldestWriteMs(state.writes, state.now),
      reads: state.reads.length,
    },
  };
}

/** One sentence for an operator: what progress waits for. */
export function whyOf(replica: Replica): string {
  const { commit, term } = replica.state;
  return `height ${commit}, term ${term}: ${reason(replica)}`;
}

function lostLog({ keyUse }: RaftState): string {
  return keyUse.trust === 'doubted'
    ? 'blocks by the key of this member are not in its log: another process uses the key, which is to be found and stopped, or the log is an old copy;'
    : 'the log of this member was lost, or is an old copy, or its key came new to a chain that ran already;';
}

/** A learner whose log is not known to hold all that its key signed. */
function newcomer({ guard }: RaftState): string {
  const what = 'this learner’s log is new, or was lost:';
  return guard.name === 'waiting'
    ? `${what} it needs block ${guard.recoveryIndex}`
    : `${what} a leader must tell it what is committed`;
}

function reason(replica: Replica): string {
  const { state } = replica;
  if (state.refused !== null)
    return `${state.refused}; this node may differ from the others, stop and examine it`;
  if (diskStalls(replica))
    return `the disk has not finished a write for ${age(replica, state.writes.pending[0]?.since)}`;
  if (isAmnesiac(state) && isVoter(state.configuration, state.self))
    return `${lostLog(state)} it must be removed and added again before it votes (quorate members remove, then add; when the key never signed anything, or too many databases are lost for that, start it with --assume-first-use)`;
  if (state.install !== null) {
    const { snapshot, received } = state.install;
    return `a snapshot of height ${snapshot.height} is being fetched, ${Math.floor(received * 100)} % are here`;
  }
  if (state.commit > state.executed) return 'committed blocks wait for the driver to execute them';
  if (state.delivered > state.applied) return `block ${state.applied + 1} is being stored`;
  const { role } = state;
  switch (role.kind) {
    case 'leader':
      return leading(replica, role);
    case 'candidate': {
      const { votes } = role;
      const yes = [...votes.values()].filter(Boolean).length;
      const enough = quorumOf(state.configuration, (index) => votes.get(index) === true);
      return `no leader; ${role.pre ? 'asked whether to campaign' : 'campaigning'}, ${yes} in favour${enough ? '' : `, not a majority${unanswered(state, votes)}`}`;
    }
    case 'follower':
      if (!takesPart(state.configuration, state.self)) return whyWithoutVote(state.pacing, 'no member');
      if (role.leader === null) return 'no leader is known; waiting for an election';
      if (role.staging.length > 0)
        return `${role.staging.length} blocks of member ${role.leader} are being checked`;
      if (isAmnesiac(state)) return `${newcomer(state)} before it can become a voter`;
      if (!hearsLeader(replica))
        return `member ${role.leader} leads, and is silent for ${age(replica, state.leaderHeardAt)}; an election comes unless it is heard`;
      return `${whatWaits(state.pacing)}; member ${role.leader} leads, heard ${age(replica, state.leaderHeardAt)} ago`;
  }
}

/** Who might turn it, and says nothing. */
function unanswered({ configuration }: RaftState, votes: Candidate['votes']): string {
  const silent = [...configuration.keys()].filter(
    (index) => isVoter(configuration, index) && !votes.has(index),
  );
  return silent.length === 0 ? '' : `; no answer of member ${silent.join(', ')}`;
}

function leading(replica: Replica, role: Leader): string {
  const { configuration, log, self, commit, durable, now } = replica.state;
  const voters = [...configuration.keys()].filter((index) => isVoter(configuration, index));
  const missing = silenceOf(
    role.contact,
    voters.filter((index) => index !== self),
    { now, withinMs: replica.options.electionTimeoutMs, what: 'member' },
  );
  if (isJoint(configuration)) return `between two configurations${missing}`;
  const last = lastHeight(log);
  if (last <= commit) return `nothing waits; this node leads${missing}`;
  const stored = voters.filter((index) => {
    const match = index === self ? durable : (role.progress.get(index)?.match ?? 0);
    return match >= last;
  });
  return `block ${last} is on ${stored.length} of ${voters.length} disks${missing}`;
}

function age(replica: Replica, since: number | null | undefined): string {
  return since === null || since === undefined ? 'never' : `${Math.round(replica.state.now - since)} ms`;
}
