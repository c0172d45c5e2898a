import { defined } from '../../base/invariant.ts';
import { limits } from '../../base/limits.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { LogRecord } from '../engine.ts';
import { addWrite } from '../shared/write-queue.ts';
import { type Draft, isSlotMessage } from './message.ts';
import { toUnsigned } from './signing.ts';
import { stateRecord } from './records.ts';
import { epochOf, type Replica } from './replica.ts';

/** Asks for one atomic content. What depends on it happens when its `persisted` comes. */
export function write(
  replica: Replica,
  content: { records?: readonly LogRecord[]; sign?: readonly Draft[]; blocks?: readonly Hash[] },
): void {
  const { state } = replica;
  const isFirst = state.unproven !== null && (content.sign ?? []).length > 0;
  if (isFirst) state.unproven = null;
  const blocks = (content.blocks ?? []).filter((blockHash) => !state.stored.has(blockHash));
  for (const blockHash of blocks) {
    const { parentHash } = defined(state.valid.get(blockHash), 'only what is valid is stored');
    state.stored.set(blockHash, { parentHash, view: state.view });
  }
  const forget = takeSurplus(replica);
  replica.out.push({
    type: 'persist',
    seq: addWrite(state.writes, state.now, null),
    records: [
      ...(content.records ?? []),
      ...(isFirst ? [stateRecord(replica)] : []),
      ...obsoleteRecords(replica),
    ],
    sign: (content.sign ?? []).map((draft) => toUnsigned(draft, epochOf(replica))),
    blocks,
    ...(forget.length > 0 && { forget }),
  });
}

/** How many blocks that are not final may be on the disk, and in memory: some windows of them. */
export function mostStored({ options }: Replica): number {
  return limits.pbftStoredWindows * options.window;
}

/**
 * Every view that fails leaves up to a window of blocks behind. Past the bound the oldest go: what was
 * accepted in this view stays, and what the highest certificate is for, with all below it. A block that is
 * let go may have a certificate that nobody showed for that many views; a liar that shows it need not give
 * the block, and does not stop the chain with it (`../README.md`, "Why it is live").
 */
function takeSurplus(replica: Replica): Hash[] {
  const { stored, valid, slots, highest } = replica.state;
  const surplus = stored.size - mostStored(replica);
  if (surplus <= 0) return [];
  const kept = new Set<Hash>();
  for (const { blockHash } of [...slots.values(), ...(highest === null ? [] : [highest])]) {
    for (let next: Hash | undefined = blockHash; next !== undefined && !kept.has(next);) {
      kept.add(next);
      next = stored.get(next)?.parentHash;
    }
  }
  const gone = [...stored]
    .filter(([blockHash]) => !kept.has(blockHash))
    .sort(([, a], [, b]) => a.view - b.view)
    .slice(0, surplus)
    .map(([blockHash]) => blockHash);
  for (const blockHash of gone) {
    stored.delete(blockHash);
    valid.delete(blockHash);
  }
  return gone;
}

/**
 * Own messages that can no longer be of use: of earlier epochs or views, or for heights that are final and
 * stored.
 * Final alone is not enough: the block comes to the disk later than this write may, and a restart in between
 * must find what was signed for its height.
 */
function obsoleteRecords(replica: Replica): LogRecord[] {
  const { state } = replica;
  const removed: LogRecord[] = [];
  for (const [key, message] of state.own) {
    const past =
      message.epoch !== replica.epoch.height ||
      ('view' in message && message.view < state.view) ||
      (isSlotMessage(message) &&
        message.height <= state.appliedHeight &&
        message.height !== state.viewBase.height);
    if (past) {
      state.own.delete(key);
      removed.push({ key, value: null });
    }
  }
  return removed;
}
