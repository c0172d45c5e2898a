import type { Problem } from '../../base/problem.ts';
import type { TestnetNode } from './node-processes.ts';

export interface NotReady {
  readonly node: TestnetNode;
  readonly problem: Problem;
}

/** How long nothing else may be wrong with those that are not ready until nobody waits for them. */
const silentMs = 5_000;

/** Tells when a network is as ready as it gets without a client. */
export class Readiness {
  readonly #mayBeSilent: number;
  readonly #now: () => number;
  #since: number | undefined;

  /** `mayBeSilent`: the chain goes on without the votes of so many. */
  constructor(mayBeSilent: number, now: () => number) {
    this.#mayBeSilent = mayBeSilent;
    this.#now = now;
  }

  /**
   * To be asked again and again. A validator whose data was lost votes again when some blocks were made: who
   * waits for that before any client comes waits for ever.
   */
  isReached(missing: readonly NotReady[]): boolean {
    if (missing.length === 0) return true;
    const areSilent = missing.every(({ problem }) => problem.code === 'node/not-voting');
    if (!areSilent || missing.length > this.#mayBeSilent) {
      this.#since = undefined;
      return false;
    }
    const now = this.#now();
    this.#since ??= now;
    return now - this.#since >= silentMs;
  }
}
