import { defined } from '../../base/invariant.ts';
import { Problem, unwrap } from '../../base/problem.ts';
import { type BlockHeader, type Height, toHeight } from '../../ledger/block.ts';
import type { LeaderSignature } from '../../ledger/certificate.ts';
import type { Input, ValidatorIndex } from '../engine.ts';
import { linkOf } from '../shared/chain-link.ts';
import { askSync } from '../shared/sync-ask.ts';
import { maybeTrustAgain } from './amnesia.ts';
import { isVoter } from './configuration.ts';
import { advanceStaging } from './staging.ts';
import { certificateOf, compact, entryAt, holds, lastHeight } from './log.ts';
import { enterConfiguration } from './membership.ts';
import { trace } from './outbox.ts';
import { noticeOwnUse } from './own-use.ts';
import { configurationKey, entryKey } from './records.ts';
import { replaceLog } from './replacing.ts';
import { noteCommitted, type Replica, unappliedConfiguration } from './replica.ts';
import { restartElectionTimer, seeTermOf } from './roles.ts';
import { maybeCompact } from './snapshots.ts';
import type { RaftState } from './state.ts';
import { write } from './writing.ts';
import { configurationHash, decodeConfiguration } from '../../ledger/members.ts';

/**
 * Hands committed blocks to the driver, in order, once each, when they are executed (section 5.3, "apply").
 */
export function deliverCommits(replica: Replica): void {
  const { state } = replica;
  // The driver replaces the whole state just now; what the snapshot does not cover comes after it.
  if (state.install !== null) return;
  while (state.delivered < Math.min(state.commit, state.executed)) {
    const height = toHeight(state.delivered + 1);
    const entry = defined(entryAt(state.log, height), 'a committed block is in the log');
    state.delivered = height;
    replica.out.push({
      type: 'commit',
      link: linkOf(entry.header, entry.blockHash),
      certificate: certificateOf(entry),
    });
  }
  state.highestKnown = toHeight(Math.max(state.highestKnown, state.commit));
}

/** A block and its state are stored. A configuration that it starts is in force from here on. */
export function onApplied(replica: Replica, height: Height): void {
  const { state, options } = replica;
  if (height <= state.applied || height > state.delivered) return;
  for (let next = toHeight(state.applied + 1); next <= height; next = toHeight(next + 1)) {
    state.applied = next;
    state.staleRecords.push(entryKey(next));
    const configuration = startedBy(replica, next);
    if (configuration !== undefined && configuration.length > 0) {
      enterConfiguration(replica, next, unwrap(decodeConfiguration(configuration)));
      restartElectionTimer(replica);
    }
    maybeTrustAgain(replica);
  }
  // What is applied is stored with its block, whatever the log's own write says.
  if (state.durable < height) state.durable = height;
  compact(state.log, toHeight(Math.min(height - options.tail, lastHeight(state.log))));
  state.pacing.nothingToBuild = false;
  if (state.role.kind === 'follower') advanceStaging(replica, state.role);
  maybeCompact(replica);
}

function startedBy({ state }: Replica, height: Height): Uint8Array | undefined {
  if (state.arriving[0]?.height === height) return state.arriving.shift()?.configuration;
  return entryAt(state.log, height)?.configuration;
}

/**
 * Final blocks that sync fetched, from anybody. They carry the signature of one who can have led, and are
 * final because those two say so.
 */
export function onSynced(replica: Replica, input: Extract<Input<never>, { readonly type: 'synced' }>): void {
  const { state } = replica;
  const { chain, certificate, header } = input;
  const last = chain.at(-1);
  if (last === undefined || certificate.engine !== 'raft' || last.height <= state.commit) return;
  if (certificate.blockHash !== last.blockHash || certificate.height !== last.height) return;
  // Nor while a change of the members, or a snapshot, is half way in: the next sync comes soon.
  if (state.install !== null || unappliedConfiguration(state, state.delivered) !== null) return;
  if (header === undefined) return;
  const wrong = wrongSync(state, header, certificate);
  if (wrong !== null) {
    trace(replica, 'sync-ignored', { height: last.height, why: wrong });
    return;
  }
  state.highestKnown = toHeight(Math.max(state.highestKnown, last.height));
  const block = { height: last.height, blockHash: last.blockHash };
  if (holds(state.log, block)) {
    noteCommitted(state, last.height);
    return;
  }
  // What is committed but not delivered comes first, from the log.
  if (state.delivered < state.commit || chain[0] === undefined || chain[0].height > state.delivered + 1)
    return;
  for (const each of [...(input.below ?? []), header]) noticeOwnUse(replica, each);
  seeTermOf(replica, header, 'others committed other blocks');
  if (certificate.configuration.length > 0) {
    state.arriving.push({ height: last.height, configuration: certificate.configuration });
    write(replica, {
      records: [{ key: configurationKey(last.height), value: certificate.configuration }],
    });
    state.configurationRecords.push(last.height);
  }
  replaceLog(replica, { block, term: header.view, chain });
  write(replica, {});
  for (const link of chain) {
    if (link.height <= state.delivered) continue;
    state.delivered = link.height;
    replica.out.push({ type: 'commit', link, certificate: link === last ? certificate : null });
  }
}

/**
 * A chain must lie under the configuration in force, and its last block be signed by one who can have led:
 * whoever serves blocks need not be a member, and one that was removed still has its key.
 */
function wrongSync(
  { configuration: members, configurationHeight, departed }: RaftState,
  header: BlockHeader,
  { term, leader, configuration }: LeaderSignature,
): string | null {
  if (term !== header.view) return 'its certificate is of another term';
  if (header.validatorsHash !== configurationHash(members)) return 'it crosses a change of the members';
  if (members[leader]?.key !== header.proposer) return 'its proposer did not sign it';
  // Whoever goes with a change of the members may have been elected just before, and its first block is then
  // right above that change.
  const mayHaveGone = header.height === configurationHeight + 1 && departed?.has(leader) !== false;
  if (!isVoter(members, leader) && !mayHaveGone) return 'its proposer has no vote';
  if (header.nextValidatorsHash === header.validatorsHash) return null;
  const next = decodeConfiguration(configuration);
  if (next instanceof Problem) return 'its certificate names no members';
  return configurationHash(next) === header.nextValidatorsHash ? null : 'its certificate names other members';
}

/**
 * A follower that the log's way does not bring forward (far behind, or the leader lacks what entries need)
 * asks for final blocks by sync.
 */
export function maybeCatchUp(replica: Replica, leaderCommit: Height, leader: ValidatorIndex): void {
  const { state, options } = replica;
  if (leaderCommit <= state.commit) {
    state.behind = null;
    return;
  }
  if (state.behind?.commit !== state.commit) state.behind = { since: state.now, commit: state.commit };
  const stuck = state.now - state.behind.since >= options.electionTimeoutMs;
  if (stuck || leaderCommit - state.commit > 8 * options.window) catchUp(replica, leader);
}

/** Others are final at a greater height. */
export function catchUp(replica: Replica, holder: ValidatorIndex, height = replica.state.highestKnown): void {
  const { state, options } = replica;
  const { now } = state;
  const effect = askSync(state.syncAsk, {
    height,
    holders: [holder],
    now,
    everyMs: options.electionTimeoutMs,
  });
  if (effect !== null) replica.out.push(effect);
}
