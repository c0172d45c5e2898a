import { hashHeader, type Height, toHeight, toView } from '../../ledger/block.ts';
import type { Hash } from '../../crypto/hash.ts';
import { Problem } from '../../base/problem.ts';
import type { BlockName, Input, ValidatorIndex } from '../engine.ts';
import { isDue, start, stop, stopped } from '../shared/timer.ts';
import { configurationHash, decodeConfiguration } from './configuration.ts';
import { append, type Entry, entryAt, firstOfTerm, hashAt, holds, lastHeight, termAt } from './log.ts';
import { type Append, entryBytes, type Heartbeat, nameOf, type Term, type WireEntry } from './message.ts';
import { send, sendWhenDurable, trace } from './outbox.ts';
import { isStartOnDisk } from './read-token.ts';
import type { Replica } from './replica.ts';
import { becomeFollower, restartElectionTimer } from './roles.ts';
import type { Follower } from './state.ts';
import { cutLog, write } from './writing.ts';

/** The sender leads this term: follow it. Null for a message of an old term, or of a second leader (which cannot be). */
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
  if (state.amnesiac) {
    advanceFollowerCommit(replica);
    acknowledge(replica);
  }
  // Also to an old leader: the higher term tells it to step down. But without the number of its round: it may lead
  // again by now, and take the answer for one to a round of its new term. Nor does a lost log vouch for a leader, nor who would not know of
  // it after a crash: a start that is on disk makes the next one wait until a lease is over.
  send(replica, [message.from], {
    kind: 'heartbeat-answer',
    round: role === null || state.amnesiac || !isStartOnDisk(state) ? 0 : message.round,
    received: role === null ? toHeight(0) : receivedUpTo(role),
    applied: state.applied,
  });
}

function receivedUpTo(role: Follower): Height {
  return role.staging.at(-1)?.entry.header.height ?? role.matched;
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

/**
 * Another block is final here. Its leader may be honest: a block of an earlier term than this one may have been committed in a later one,
 * of which neither has heard yet. So it is no fault, and the leader hears of the later term from others.
 */
function contradictsFinal(replica: Replica, { height, blockHash }: BlockName): boolean {
  const own = hashAt(replica.state.log, height);
  if (own === undefined || own === blockHash) return false;
  trace(replica, 'final-conflict', { height });
  return true;
}

function sendRejection(
  replica: Replica,
  to: ValidatorIndex,
  { previous, next, conflictTerm }: { previous: Height; next: Height; conflictTerm: Term },
): void {
  send(replica, [to], { kind: 'rejected', previous, next, conflictTerm, final: replica.state.commit });
}

const stagingStart = (role: Follower): number =>
  role.staging[0]?.entry.header.height ?? Number.POSITIVE_INFINITY;

/** The leader's chain as this member sees it: the log, and what is staged on it or instead of its end. */
function hashSeen({ state }: Replica, role: Follower, height: Height): Hash | undefined {
  const start = stagingStart(role);
  if (height < start) return hashAt(state.log, height);
  return role.staging[height - start]?.entry.blockHash;
}

/** Looks at one entry in order. False when the rest of the message is of no use. */
function admitEntry(
  replica: Replica,
  role: Follower,
  { wire, height, from, term }: { wire: WireEntry; height: Height; from: ValidatorIndex; term: Term },
): boolean {
  const { state, options } = replica;
  const entry = entryOf(wire);
  const { header } = entry;
  if (header.height === height && height <= state.commit)
    return !contradictsFinal(replica, nameOf(height, entry.blockHash));
  const parent = hashSeen(replica, role, toHeight(height - 1));
  const wrong = wrongEntry(replica, entry, { height, term });
  if (wrong !== null || header.parentHash !== parent) {
    replica.out.push({ type: 'verdict', validator: from, reason: wrong ?? 'an entry does not link' });
    return false;
  }
  const seen = hashSeen(replica, role, height);
  if (seen === entry.blockHash) {
    if (height < stagingStart(role)) role.matched = toHeight(Math.max(role.matched, height));
    return true;
  }
  role.staging = role.staging.filter((staged) => staged.entry.header.height < height);
  // The leader never has more on the way than this; a bound all the same, because it is our memory.
  if (role.staging.length >= 4 * options.window + options.inFlightMessages * 16) return false;
  role.staging.push({ entry, valid: false, retry: stopped() });
  askValidation(replica, entry, from);
  return true;
}

export function entryOf(wire: WireEntry): Entry {
  const { header, transactionHashes } = wire.proposal;
  return {
    header,
    blockHash: hashHeader(header),
    leader: wire.leader,
    signature: wire.signature,
    configuration: wire.configuration,
    transactionHashes,
    bytes: entryBytes(transactionHashes.length, wire.configuration.length),
  };
}

function wrongEntry(replica: Replica, entry: Entry, at: { height: Height; term: Term }): string | null {
  const { header, configuration } = entry;
  if (header.height !== at.height) return 'an entry is not at its place';
  if (header.view > at.term) return 'an entry is of a later term than its leader';
  const author = replica.state.configuration[entry.leader];
  if (author !== undefined && author.key !== header.proposer) return 'an entry is not by its proposer';
  if (configuration.length === 0) {
    return header.nextValidatorsHash === header.validatorsHash ? null : 'a configuration is missing';
  }
  const decoded = decodeConfiguration(configuration);
  if (decoded instanceof Problem) return 'a configuration is malformed';
  return configurationHash(decoded) === header.nextValidatorsHash
    ? null
    : 'a configuration is not the header’s';
}

function askValidation(replica: Replica, entry: Entry, from: ValidatorIndex): void {
  const { header, transactionHashes } = entry;
  replica.out.push({
    type: 'validate',
    blockHash: entry.blockHash,
    height: header.height,
    proposal: transactionHashes === null ? null : { header, transactionHashes },
    holders: from === replica.state.self ? [] : [from],
  });
}

type Validated = Extract<Input<never>, { readonly type: 'validated' }>;

/** The driver executed a block, or could not. A valid block vouches for everything below it. */
export function onValidated(replica: Replica, { blockHash, result }: Validated): void {
  const { state, options } = replica;
  const staging = state.role.kind === 'follower' ? state.role.staging : [];
  const position = staging.findIndex(({ entry }) => entry.blockHash === blockHash);
  const staged = staging[position];
  if (staged !== undefined && state.role.kind === 'follower') {
    // Where clocks are trusted no block is early.
    if (result.verdict === 'valid' || result.verdict === 'early') {
      for (const earlier of staging.slice(0, position + 1)) earlier.valid = true;
      state.refused = null;
      advanceStaging(replica, state.role);
    } else if (result.verdict === 'unavailable') {
      // Final elsewhere, it may have been pruned by all meanwhile. The leader finds out that it is not here, and sends it again or a snapshot.
      if (staged.entry.header.height <= state.role.leaderCommit)
        state.role.staging = staging.slice(0, position);
      else start(staged.retry, state.now, options.heartbeatMs);
    } else {
      state.role.staging = staging.slice(0, position);
      refuse(replica, staged.entry, result.reason);
    }
    return;
  }
  const found = state.log.entries.find((entry) => entry.blockHash === blockHash);
  if (found === undefined || found.header.height <= state.executed) return;
  if (result.verdict === 'valid' || result.verdict === 'early') {
    state.executed = found.header.height;
    if (state.executed === lastHeight(state.log)) stop(state.recheck);
  } else {
    start(state.recheck, state.now, options.heartbeatMs);
    if (result.verdict === 'invalid') refuse(replica, found, result.reason);
  }
}

/** Nobody lies here, so an invalid block is a bug or a bad machine: it is refused loudly, and never acknowledged. */
function refuse(replica: Replica, entry: Entry, reason: string): void {
  replica.state.refused = `block ${entry.header.height} of term ${entry.header.view} is invalid: ${reason}`;
  trace(replica, 'refused', { height: entry.header.height, reason });
}

/**
 * Staged entries that are valid enter the log, and with them whatever contradicts them leaves it, in one write. On blocks that sync
 * brought they wait until those are stored: else this disk would hold, and vouch for, a log with a gap.
 */
export function advanceStaging(replica: Replica, role: Follower): void {
  const { state } = replica;
  const first = role.staging[0];
  if (first === undefined || !first.valid || state.applied < state.log.base.height) return;
  const cut = cutLog(replica, toHeight(Math.min(lastHeight(state.log), first.entry.header.height - 1)));
  const entries: Entry[] = [];
  while (role.staging[0]?.valid === true) {
    const staged = role.staging.shift();
    if (staged === undefined) break;
    append(state.log, staged.entry);
    entries.push(staged.entry);
  }
  role.matched = lastHeight(state.log);
  state.executed = lastHeight(state.log);
  // The write names what is committed by now: a later configuration is never on disk without the knowledge that the
  // one before it was committed.
  advanceFollowerCommit(replica);
  write(replica, { entries, cut });
}

/** Commits what the leader committed, as far as the logs are known to agree (figure 2, AppendEntries, rule 5). */
export function advanceFollowerCommit({ state }: Replica): void {
  if (state.role.kind !== 'follower') return;
  const known = Math.min(state.role.leaderCommit, state.role.matched, lastHeight(state.log));
  if (known > state.commit) state.commit = toHeight(known);
}

/**
 * Tells the leader what is on this disk and equals its log. A member whose log was lost may have helped a later leader into office, and
 * forgot it: it tells what is committed without it, and so decides nothing.
 */
export function acknowledge(replica: Replica): void {
  const { state } = replica;
  if (state.role.kind !== 'follower' || state.role.leader === null) return;
  const known = Math.min(state.durable, state.role.matched);
  const height = toHeight(state.amnesiac ? Math.min(known, state.commit) : known);
  const blockHash = hashAt(state.log, height);
  if (blockHash === undefined) return;
  // The blocks are on disk. Once the term is too, there is no need to wait for the writes that came since.
  const say = state.durableTerm === state.term ? send : sendWhenDurable;
  say(replica, [state.role.leader], { kind: 'accepted', block: nameOf(height, blockHash) });
}

/** Asks again for validations that found nobody to supply something; at the start, for the entries found in the log. */
export function retryValidations(replica: Replica): void {
  const { state } = replica;
  if (state.role.kind === 'follower' && state.role.leader !== null) {
    for (const staged of state.role.staging) {
      if (!isDue(staged.retry, state.now)) continue;
      stop(staged.retry);
      askValidation(replica, staged.entry, state.role.leader);
    }
  }
  if (!isDue(state.recheck, state.now)) return;
  stop(state.recheck);
  const entry = entryAt(state.log, lastHeight(state.log));
  if (entry !== undefined && state.executed < lastHeight(state.log))
    askValidation(replica, entry, entry.leader);
}
