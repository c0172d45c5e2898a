import { limits } from '../../base/limits.ts';
import type { BlockHeader } from '../../ledger/block.ts';
import type { WriteCount } from '../process/key-use.ts';

/**
 * True when all that the key signed since a block was made is known here. Its time is its proposer's, whose
 * clock may be ahead of others by this much.
 */
export function seesEpoch(
  header: Pick<BlockHeader, 'timestamp'> | undefined,
  uses: Pick<WriteCount, 'since'> | undefined,
): boolean {
  if (header === undefined || uses === undefined) return false;
  return header.timestamp > uses.since + limits.maxClockAheadMs;
}
