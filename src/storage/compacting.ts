import { limits } from '../base/limits.ts';
import type { Height } from '../ledger/block.ts';
import { rangeOf } from './keys.ts';
import type { LogTable } from './log-table.ts';
import type { Store } from './port.ts';

/**
 * The consensus log and the candidates are read whole at each start. Few of them live at a time, and each
 * block leaves traces of some more: they are put away before there are so many that a start takes long.
 */
export function compactTables(store: Store, log: LogTable): void {
  void store.compact(rangeOf('log'), log.bytes);
  void store.compact(rangeOf('candidate'), 0);
}

/** Whether it is time for that, once this block is final. */
export function isCompactedAfter(height: Height): boolean {
  return height % limits.compactBlocks === 0;
}
