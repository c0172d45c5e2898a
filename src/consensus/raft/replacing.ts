import { Problem } from '../../base/problem.ts';
import type { BlockHeader } from '../../ledger/block.ts';
import { toHeight } from '../../ledger/block.ts';
import type { BlockName, Input } from '../engine.ts';
import { count } from '../shared/step.ts';
import {
  type Configuration,
  configurationHash,
  decodeConfiguration,
  encodeConfiguration,
} from './configuration.ts';
import { compact, entryAt, holds, truncateAfter } from './log.ts';
import type { Term } from './message.ts';
import { enterConfiguration } from './membership.ts';
import { trace } from './outbox.ts';
import { configurationKey, entryKey } from './records.ts';
import { becomeFollower, unappliedConfiguration } from './roles.ts';
import { type Raft, type State } from './state.ts';
import { write } from './writing.ts';

/**
 * A final block from elsewhere (a snapshot, or sync) becomes the start of the log. What the log holds above it stays when it
 * extends that block; otherwise it was never committed, and goes.
 */
export function replaceLog(
  raft: Raft,
  { block, term, configuration }: { block: BlockName; term: Term; configuration: Configuration | null },
): void {
  const { state } = raft;
  if (holds(state.log, block)) {
    const covered = state.log.entries.slice(0, block.height - state.log.base.height);
    state.staleRecords.push(...covered.map((entry) => entryKey(entry.header.height)));
    compact(state.log, block.height);
  } else {
    const gone = truncateAfter(state.log, state.log.base.height);
    state.log.base = { ...block, term };
    state.staleRecords.push(...gone.map((entry) => entryKey(entry.header.height)));
    for (const { kept } of state.writes.pending) kept.upTo = toHeight(Math.min(kept.upTo, state.commit));
    // What was on disk above says nothing about what comes instead: that is durable when it is stored.
    state.durable = toHeight(Math.min(state.durable, state.commit));
    state.executed = block.height;
    count(raft, 'truncated', gone.filter((entry) => entry.header.height > block.height).length);
    // A leader whose log went on from here with what is gone now leads no more.
    if (state.role.kind === 'follower') Object.assign(state.role, { matched: block.height, staging: [] });
  }
  state.commit = toHeight(Math.max(state.commit, block.height));
  if (state.role.kind === 'follower') {
    state.role.matched = toHeight(Math.max(state.role.matched, block.height));
    state.role.staging = state.role.staging.filter(({ entry }) => entry.header.height > block.height);
  }
  if (configuration === null) return;
  state.configurationRecords = state.configurationRecords.filter((height) => height !== block.height);
  enterConfiguration(raft, block.height, configuration);
}

/** Final blocks that sync fetched. They carry their leader's signature, and are final because whoever served them said so: nobody lies here. */
export function onSynced(raft: Raft, input: Extract<Input<never>, { readonly type: 'synced' }>): void {
  const { state } = raft;
  const { chain, certificate, header } = input;
  const last = chain.at(-1);
  if (last === undefined || certificate.engine !== 'raft' || last.height <= state.commit) return;
  // Nor while a change of the members, or a snapshot, is half way in: the next sync comes soon.
  if (state.install !== null || unappliedConfiguration(state, state.handed) !== null) return;
  state.highestKnown = toHeight(Math.max(state.highestKnown, last.height));
  const block = { height: last.height, blockHash: last.blockHash };
  if (holds(state.log, block)) {
    state.commit = last.height;
    return;
  }
  // What is committed but not handed out comes first, from the log.
  if (state.handed < state.commit || chain[0] === undefined || chain[0].height > state.handed + 1) return;
  const wrong =
    header === undefined ? 'no header came with it' : wrongSync(state, header, certificate.configuration);
  if (wrong !== null) {
    trace(raft, 'sync-ignored', { height: last.height, why: wrong });
    return;
  }
  if (state.role.kind !== 'follower') becomeFollower(raft, state.term, null, 'others committed other blocks');
  if (certificate.configuration.length > 0) {
    state.arriving.push({ height: last.height, configuration: certificate.configuration });
    write(raft, {
      records: [{ key: configurationKey(last.height), value: certificate.configuration }],
    });
    state.configurationRecords.push(last.height);
  }
  replaceLog(raft, { block, term: certificate.term, configuration: null });
  write(raft, {});
  for (const link of chain) {
    if (link.height <= state.handed) continue;
    state.handed = link.height;
    raft.out.push({ type: 'commit', link, certificate: link === last ? certificate : null });
  }
}

/** A chain must lie under the configuration that is in force after the blocks handed out so far. */
function wrongSync(state: State, header: BlockHeader, configuration: Uint8Array): string | null {
  if (header.validatorsHash !== handedConfigurationHash(state)) return 'it crosses a change of the members';
  if (header.nextValidatorsHash === header.validatorsHash) return null;
  const next = decodeConfiguration(configuration);
  if (next instanceof Problem) return 'its certificate names no members';
  return configurationHash(next) === header.nextValidatorsHash ? null : 'its certificate names other members';
}

function handedConfigurationHash(state: State): string {
  const arriving = state.arriving.at(-1)?.configuration;
  let newest = arriving ?? encodeConfiguration(state.configuration);
  for (let height = state.log.base.height + 1; height <= state.handed; height++) {
    const own = entryAt(state.log, toHeight(height))?.configuration;
    if (height > state.applied && own !== undefined && own.length > 0) newest = own;
  }
  const decoded = decodeConfiguration(newest);
  return decoded instanceof Problem ? '' : configurationHash(decoded);
}
