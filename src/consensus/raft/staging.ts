import { Problem } from '../../base/problem.ts';
import type { Hash } from '../../crypto/hash.ts';
import { type Height, toHeight } from '../../ledger/block.ts';
import type { BlockName, Input, ValidatorIndex } from '../engine.ts';
import { isDue, start, stop, stopped } from '../shared/timer.ts';
import { append, type Entry, entryAt, entryOf, hashAt, lastHeight } from './log.ts';
import { nameOf, type Term, type WireEntry } from './message.ts';
import { trace } from './outbox.ts';
import { noticeOwnUse } from './own-use.ts';
import type { Replica } from './replica.ts';
import type { Follower } from './state.ts';
import { cutLog, write } from './writing.ts';
import { configurationHash, decodeConfiguration } from '../../ledger/members.ts';

/** The highest block that came in, validated or not. */
export function receivedUpTo(role: Follower): Height {
  return role.staging.at(-1)?.entry.header.height ?? role.matched;
}

export const stagingStart = (role: Follower): number =>
  role.staging[0]?.entry.header.height ?? Number.POSITIVE_INFINITY;

/** The leader's chain as this member sees it: the log, and what is staged on it or instead of its end. */
export function hashSeen({ state }: Replica, role: Follower, height: Height): Hash | undefined {
  const start = stagingStart(role);
  if (height < start) return hashAt(state.log, height);
  return role.staging[height - start]?.entry.blockHash;
}

/** Looks at one entry in order. False when the rest of the message is of no use. */
export function admitEntry(
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
  noticeOwnUse(replica, header);
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

/**
 * Another block is final here. Its leader may be honest: a block of an earlier term than this one may have
 * been committed in a later one, of which neither has heard yet. So it is no fault, and the leader hears of
 * the later term from others.
 */
export function contradictsFinal(replica: Replica, { height, blockHash }: BlockName): boolean {
  const own = hashAt(replica.state.log, height);
  if (own === undefined || own === blockHash) return false;
  trace(replica, 'final-conflict', { height });
  return true;
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
      // Final elsewhere, it may have been pruned by all meanwhile. The leader finds out that it is not here,
      // and sends it again or a snapshot.
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

/**
 * Nobody lies here, so an invalid block is a bug or a bad machine: it is refused
 * loudly, and never acknowledged.
 */
function refuse(replica: Replica, entry: Entry, reason: string): void {
  replica.state.refused = `block ${entry.header.height} of term ${entry.header.view} is invalid: ${reason}`;
  trace(replica, 'refused', { height: entry.header.height, reason });
}

/**
 * Staged entries that are valid enter the log, and with them whatever contradicts them leaves it, in one
 * write. On blocks that sync brought they wait until those are stored: else this disk would hold, and
 * vouch for, a log with a gap.
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
  // The write names what is committed by now: a later configuration is never on disk without the knowledge
  // that the one before it was committed.
  advanceFollowerCommit(replica);
  write(replica, { entries, cut });
}

/**
 * Commits what the leader committed, as far as the logs are known to agree (figure 2, AppendEntries, rule 5).
 */
export function advanceFollowerCommit({ state }: Replica): void {
  if (state.role.kind !== 'follower') return;
  const known = Math.min(state.role.leaderCommit, state.role.matched, lastHeight(state.log));
  if (known > state.commit) state.commit = toHeight(known);
}

/**
 * Asks again for validations that found nobody to supply something; at the start, for the
 * entries found in the log.
 */
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
