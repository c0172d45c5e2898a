import { limits } from '../../base/limits.ts';
import type { MonotonicMs } from '../../consensus/engine.ts';
import type { Height } from '../../ledger/block.ts';
import type { Clock } from '../process/clock.ts';

/**
 * What others sign may be of an epoch that has not begun here: then blocks are missing, and only those tell
 * who its validators are. Nothing of it can be checked before, and anybody can say it, so it is a reason to
 * ask for blocks, not often, and nothing else.
 */
export class LaterEpochs {
  readonly #options: {
    readonly clock: Pick<Clock, 'monotonicMs'>;
    /** The block at this height is said to be final, and to have changed the validators. */
    readonly onLater: (height: Height) => void;
  };
  #askedAt: MonotonicMs = -Infinity;

  constructor(options: {
    readonly clock: Pick<Clock, 'monotonicMs'>;
    readonly onLater: (height: Height) => void;
  }) {
    this.#options = options;
  }

  /** Something of the epoch that began with the block at this height, or a certificate that is above it. */
  seen(height: Height): void {
    const now = this.#options.clock.monotonicMs();
    if (now - this.#askedAt < limits.laterEpochMs) return;
    this.#askedAt = now;
    this.#options.onLater(height);
  }
}
