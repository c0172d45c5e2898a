import { defined } from '../../base/invariant.ts';
import { unwrap } from '../../base/problem.ts';
import { type Height, toHeight } from '../../ledger/block.ts';
import { decodeConfiguration } from './configuration.ts';
import { certificateOf, compact, entryAt, lastHeight, linkOf } from './log.ts';
import { advanceStaging } from './following.ts';
import { entryKey } from './records.ts';
import { enterConfiguration, maybeTrustAgain } from './membership.ts';
import { restartElectionTimer } from './roles.ts';
import { maybeCompact } from './snapshots.ts';
import type { Raft } from './state.ts';

/** Hands committed blocks to the driver, in order, once each, when they are executed (section 5.3, "apply"). */
export function deliverCommits(raft: Raft): void {
  const { state } = raft;
  // The driver replaces the whole state just now; what the snapshot does not cover comes after it.
  if (state.install !== null) return;
  while (state.handed < Math.min(state.commit, state.executed)) {
    const height = toHeight(state.handed + 1);
    const entry = defined(entryAt(state.log, height), 'a committed block is in the log');
    state.handed = height;
    raft.out.push({ type: 'commit', link: linkOf(entry), certificate: certificateOf(entry) });
  }
  state.highestKnown = toHeight(Math.max(state.highestKnown, state.commit));
}

/** A block and its state are stored. A configuration that it starts is in force from here on. */
export function onApplied(raft: Raft, height: Height): void {
  const { state, options } = raft;
  if (height <= state.applied || height > state.handed) return;
  for (let next = toHeight(state.applied + 1); next <= height; next = toHeight(next + 1)) {
    state.applied = next;
    state.staleRecords.push(entryKey(next));
    const configuration = startedBy(raft, next);
    if (configuration !== undefined && configuration.length > 0) {
      enterConfiguration(raft, next, unwrap(decodeConfiguration(configuration)));
      restartElectionTimer(raft);
    }
    maybeTrustAgain(raft);
  }
  // What is applied is stored with its block, whatever the log's own write says.
  if (state.durable < height) state.durable = height;
  compact(state.log, toHeight(Math.min(height - options.tail, lastHeight(state.log))));
  state.pacing.nothingToBuild = false;
  if (state.role.kind === 'follower') advanceStaging(raft, state.role);
  maybeCompact(raft);
}

function startedBy({ state }: Raft, height: Height): Uint8Array | undefined {
  if (state.arriving[0]?.height === height) return state.arriving.shift()?.configuration;
  return entryAt(state.log, height)?.configuration;
}
