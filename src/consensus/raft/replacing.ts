import { toHeight } from '../../ledger/block.ts';
import type { BlockName } from '../engine.ts';
import { count } from '../shared/step.ts';
import { compact, holds, truncateAfter } from './log.ts';
import type { Term } from './message.ts';
import { entryKey } from './records.ts';
import { noteCommitted, type Replica } from './replica.ts';

/**
 * A final block from elsewhere (a snapshot, or sync) becomes the start of the log. What the log holds above
 * it stays when it extends that block; otherwise it was never committed, and goes.
 *
 * `chain` are final blocks on their way to the disk (a snapshot is there already). Those among them that the
 * log has may have been acknowledged, so their records stay until they are stored: `onApplied` lets them go.
 */
export function replaceLog(
  replica: Replica,
  { block, term, chain }: { block: BlockName; term: Term; chain?: readonly BlockName[] },
): void {
  const { state } = replica;
  if (holds(state.log, block)) {
    const covered = state.log.entries.slice(0, block.height - state.log.base.height);
    state.staleRecords.push(...covered.map((entry) => entryKey(entry.header.height)));
    compact(state.log, block.height);
  } else {
    const confirmed = chain?.findLast((link) => holds(state.log, link))?.height ?? 0;
    const stays = chain === undefined ? 0 : Math.max(confirmed, state.delivered);
    const gone = truncateAfter(state.log, state.log.base.height);
    state.log.base = { ...block, term };
    const heights = gone.map((entry) => entry.header.height).filter((height) => height > stays);
    state.staleRecords.push(...heights.map(entryKey));
    for (const { kept } of state.writes.pending) kept.upTo = toHeight(Math.min(kept.upTo, stays));
    // What was on disk above says nothing about what comes instead: that is durable when it is stored.
    state.durable = toHeight(Math.min(state.durable, stays));
    state.executed = block.height;
    count(replica, 'truncated', gone.filter((entry) => entry.header.height > block.height).length);
    // A leader whose log went on from here with what is gone now no longer leads.
    if (state.role.kind === 'follower') Object.assign(state.role, { matched: block.height, staging: [] });
  }
  noteCommitted(state, block.height);
  if (state.role.kind === 'follower')
    state.role.matched = toHeight(Math.max(state.role.matched, block.height));
}
