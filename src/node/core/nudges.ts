import { limits } from '../../base/limits.ts';
import type { MonotonicMs, PendingWork } from '../../consensus/engine.ts';
import type { Mempool } from '../../mempool/mempool.ts';
import type { Sync } from '../catch-up/sync.ts';
import type { Intake } from '../peers/intake.ts';
import type { PeerChoice } from '../peers/peer-choice.ts';

interface NudgesOptions {
  readonly mempool: Pick<Mempool, 'work'>;
  readonly intake: Pick<Intake, 'repeat'>;
  readonly sync: Pick<Sync, 'poll'>;
  readonly peersFor: PeerChoice;
  /** Nobody sends new blocks to this node unasked. */
  readonly hearsNobody: () => boolean;
  readonly onWork: () => void;
  readonly now: MonotonicMs;
}

/**
 * What is tried again on every tick, because nothing else would bring it up: messages are lost, and peers
 * forget.
 */
export class Nudges {
  readonly #options: NudgesOptions;
  #lastFinalAt: MonotonicMs;
  #lastPollAt: MonotonicMs;
  #polls = 0;

  constructor(options: NudgesOptions) {
    this.#options = options;
    this.#lastFinalAt = options.now;
    this.#lastPollAt = options.now;
  }

  advanced(now: MonotonicMs): void {
    this.#lastFinalAt = now;
  }

  tick(now: MonotonicMs): void {
    const { mempool, intake, hearsNobody, onWork } = this.#options;
    const work = mempool.work();
    if (work.executable > 0) onWork();
    if (this.#isWaitingInVain(work, now)) intake.repeat();
    if (now - this.#lastPollAt >= limits.syncPollMs && hearsNobody()) {
      this.#lastPollAt = now;
      this.#poll();
    }
  }

  /**
   * Something executable waits while blocks with room go final without it, or anything waits while none does:
   * others may not know of it. A primary that knows of something that cannot be executed makes empty blocks,
   * until it expires.
   */
  #isWaitingInVain({ oldestSince, passedOverSince, waiting = 0 }: PendingWork, now: MonotonicMs): boolean {
    const since = oldestSince ?? (waiting > 0 ? this.#lastFinalAt : now);
    const stalledSince = Math.max(since, this.#lastFinalAt);
    return now - Math.min(passedOverSince ?? now, stalledSince) >= limits.regossipMs;
  }

  /**
   * Another peer each time, even when only one is a validator: what one peer withholds the next one tells.
   */
  #poll(): void {
    const { sync, peersFor } = this.#options;
    const peers = peersFor([]);
    const peer = peers[this.#polls % Math.max(peers.length, 1)];
    this.#polls += 1;
    if (peer !== undefined) sync.poll(peer);
  }
}
