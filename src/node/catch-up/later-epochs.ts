import { limits } from '../../base/limits.ts';
import type { MonotonicMs } from '../../consensus/engine.ts';
import type { Height } from '../../ledger/block.ts';
import type { Clock } from '../process/clock.ts';

/**
 * Messages of an epoch that has not begun here show that blocks are missing: only those blocks say who its
 * validators are. Such messages cannot be checked, and anybody can make them up, so they are only a reason to
 * ask for blocks now and then.
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
