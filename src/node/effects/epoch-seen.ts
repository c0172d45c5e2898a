import { limits } from '../../base/limits.ts';
import type { BlockHeader } from '../../ledger/block.ts';
import type { Clock } from '../process/clock.ts';
import type { WriteCount } from '../process/key-use.ts';

/**
 * Tells of a block whether all that the key signed since it was made is known here. Its time is its
 * proposer's, whose clock may be ahead of others by `maxClockAheadMs`.
 *
 * What was noted by a clock that was behind looks older than it is. So nothing is known where the block is
 * ahead of the clock even now, nor once the clock was set forward since this was made.
 */
export function epochSight(
  uses: Pick<WriteCount, 'since'> | undefined,
  clock: Pick<Clock, 'wallMs' | 'monotonicMs'>,
): (header: Pick<BlockHeader, 'timestamp'> | undefined) => boolean {
  const aheadMs = (): number => clock.wallMs() - clock.monotonicMs();
  const aheadAtFirst = aheadMs();
  return (header) => {
    if (header === undefined || uses === undefined) return false;
    const { timestamp } = header;
    const { maxClockAheadMs } = limits;
    const isBehind = timestamp > clock.wallMs() + maxClockAheadMs;
    const wasBehind = aheadMs() - aheadAtFirst > maxClockAheadMs;
    return !isBehind && !wasBehind && timestamp > uses.since + maxClockAheadMs;
  };
}
