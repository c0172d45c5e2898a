import type { Hash } from '../../crypto/hash.ts';
import type { LogRecord } from '../engine.ts';
import { addWrite } from '../shared/write-queue.ts';
import { type Draft, isSlotMessage, toUnsigned } from './message.ts';
import { epochOf, type Replica } from './replica.ts';

/** Asks for one atomic content. What depends on it happens when its `persisted` comes. */
export function write(
  replica: Replica,
  content: { records?: readonly LogRecord[]; sign?: readonly Draft[]; blocks?: readonly Hash[] },
): void {
  const { state } = replica;
  const blocks = (content.blocks ?? []).filter((blockHash) => !state.stored.has(blockHash));
  for (const blockHash of blocks) state.stored.add(blockHash);
  replica.out.push({
    type: 'persist',
    seq: addWrite(state.writes, state.now, null),
    records: [...(content.records ?? []), ...obsoleteRecords(replica)],
    sign: (content.sign ?? []).map((draft) => toUnsigned(draft, epochOf(replica))),
    blocks,
  });
}

/**
 * Own messages that can no longer be of use: of earlier views, or for heights that are final and stored. Final alone is not enough: the
 * block comes to the disk later than this write may, and a restart in between must find what was signed for its height.
 */
function obsoleteRecords(replica: Replica): LogRecord[] {
  const { state } = replica;
  const removed: LogRecord[] = [];
  for (const [key, message] of state.own) {
    const past =
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
