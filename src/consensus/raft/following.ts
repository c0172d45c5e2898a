import { type Height, toHeight, toView } from '../../ledger/block.ts';
import type { ValidatorIndex } from '../engine.ts';
import { firstOfTerm, hashAt, holds, lastHeight, termAt } from './log.ts';
import { type Append, type Heartbeat, nameOf, type Term } from './message.ts';
import { send, sendWhenDurable, tellTerm, trace } from './outbox.ts';
import { isStartOnDisk } from './read-context.ts';
import { isAmnesiac, type Replica } from './replica.ts';
import { becomeFollower, restartElectionTimer } from './roles.ts';
import {
  admitEntry,
  advanceFollowerCommit,
  contradictsFinal,
  hashSeen,
  receivedUpTo,
  stagingStart,
} from './staging.ts';
import type { Follower } from './state.ts';

/**
 * The sender leads this term: follow it. Null for a message of an old term, or of a second
 * leader (which cannot be).
 */
export function followLeader(
  replica: Replica,
  { from, term }: { from: ValidatorIndex; term: Term },
): Follower | null {
  const { state } = replica;
  if (term < state.term) return null;
  if (term > state.term || state.role.kind === 'candidate')
    becomeFollower(replica, term, from, 'another leads');
  const { role } = state;
  if (role.kind !== 'follower' || (role.leader !== null && role.leader !== from)) {
    replica.out.push({ type: 'verdict', validator: from, reason: `a second leader of term ${term}` });
    return null;
  }
  if (role.leader === null) {
    role.leader = from;
    trace(replica, 'following', { leader: from });
    tellTerm(replica, from, 'it leads');
  }
  state.leaderHeardAt = state.now;
  restartElectionTimer(replica);
  return role;
}

export function onHeartbeat(replica: Replica, message: Heartbeat): void {
  const { state } = replica;
  const role = followLeader(replica, message);
  if (role !== null) {
    const { commit } = message;
    state.highestKnown = toHeight(Math.max(state.highestKnown, commit.height));
    // The same hash is the same chain below it, whatever this member matched before (it may have restarted).
    if (holds(state.log, commit)) {
      role.matched = toHeight(Math.max(role.matched, commit.height));
      role.leaderCommit = toHeight(Math.max(role.leaderCommit, commit.height));
    } else if (commit.height <= role.matched) {
      role.leaderCommit = toHeight(Math.max(role.leaderCommit, commit.height));
    }
  }
  if (isAmnesiac(state)) {
    advanceFollowerCommit(replica);
    acknowledge(replica);
  }
  // Also to an old leader: the higher term tells it to step down. But without the number of its round: it
  // may lead again by now, and take the answer for one to a round of its new term. Nor does a lost log vouch
  // for a leader, nor who would not know of it after a crash: a start that is on disk makes the next one
  // wait until a lease is over.
  send(replica, [message.from], {
    kind: 'heartbeat-answer',
    round: role === null || isAmnesiac(state) || !isStartOnDisk(state) ? 0 : message.round,
    received: role === null ? toHeight(0) : receivedUpTo(role),
    applied: state.applied,
  });
}

/** AppendEntries (section 5.3). New entries are validated before they enter the log: see `advanceStaging`. */
export function onAppend(replica: Replica, message: Append): void {
  const { state } = replica;
  const role = followLeader(replica, message);
  const { previous, from } = message;
  if (role === null) {
    sendRejection(replica, from, { previous: previous.height, next: toHeight(0), conflictTerm: state.term });
    return;
  }
  if (!matchesPrevious(replica, role, message)) return;
  for (const [offset, wire] of message.entries.entries()) {
    const height = toHeight(previous.height + 1 + offset);
    if (!admitEntry(replica, role, { wire, height, from, term: message.term })) break;
  }
  role.leaderCommit = toHeight(Math.max(role.leaderCommit, message.commit));
  state.highestKnown = toHeight(Math.max(state.highestKnown, message.commit));
  if (role.staging.length === 0 || message.entries.length === 0) acknowledge(replica);
}

/** The consistency check of section 5.3; answers with the hint for fast back-up when it fails. */
function matchesPrevious(replica: Replica, role: Follower, { previous, from }: Append): boolean {
  const { state } = replica;
  if (previous.height <= state.commit) {
    return !contradictsFinal(replica, previous);
  }
  const own = hashSeen(replica, role, previous.height);
  if (own === previous.blockHash) {
    if (previous.height < stagingStart(role)) {
      role.matched = toHeight(Math.max(role.matched, previous.height));
    }
    return true;
  }
  const staged = role.staging.at(-1)?.entry.header.height;
  const top = staged ?? lastHeight(state.log);
  if (own === undefined) {
    sendRejection(replica, from, {
      previous: previous.height,
      next: toHeight(Math.min(top + 1, previous.height)),
      conflictTerm: toView(0),
    });
    return false;
  }
  role.staging = role.staging.filter(({ entry }) => entry.header.height < previous.height);
  const inLog = toHeight(Math.min(previous.height, lastHeight(state.log)));
  sendRejection(replica, from, {
    previous: previous.height,
    next: firstOfTerm(state.log, inLog, toHeight(state.commit + 1)),
    conflictTerm: termAt(state.log, inLog) ?? toView(0),
  });
  return false;
}

function sendRejection(
  replica: Replica,
  to: ValidatorIndex,
  { previous, next, conflictTerm }: { previous: Height; next: Height; conflictTerm: Term },
): void {
  send(replica, [to], { kind: 'rejected', previous, next, conflictTerm, final: replica.state.commit });
}

/**
 * Tells the leader what is on this disk and equals its log. A member whose log was lost may have helped to
 * elect a later leader, and forgot it: it tells what is committed without it, and so decides nothing.
 */
export function acknowledge(replica: Replica): void {
  const { state } = replica;
  if (state.role.kind !== 'follower' || state.role.leader === null) return;
  const known = Math.min(state.durable, state.role.matched);
  const height = toHeight(isAmnesiac(state) ? Math.min(known, state.commit) : known);
  const blockHash = hashAt(state.log, height);
  if (blockHash === undefined) return;
  // The blocks are on disk. Once the term is too, there is no need to wait for the writes that came since.
  const say = state.durableTerm === state.term ? send : sendWhenDurable;
  say(replica, [state.role.leader], { kind: 'accepted', block: nameOf(height, blockHash) });
}
