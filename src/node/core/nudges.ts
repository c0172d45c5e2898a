import { BoundedMap } from '../../base/bounded-map.ts';
import { limits } from '../../base/limits.ts';
import type { MonotonicMs, PendingWork } from '../../consensus/engine.ts';
import type { Mempool } from '../../mempool/mempool.ts';
import type { Sync } from '../catch-up/sync.ts';
import type { Intake } from '../peers/intake.ts';
import type { PeerId } from '../../network/port.ts';
import type { PeerChoice } from '../peers/peer-choice.ts';

interface NudgesOptions {
  readonly mempool: Pick<Mempool, 'work'>;
  readonly intake: Pick<Intake, 'repeat'>;
  readonly sync: Pick<Sync, 'poll'>;
  readonly peersFor: PeerChoice;
  /** Who is neither a member nor dialled by this node. */
  readonly isStranger: (peer: PeerId) => boolean;
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
  /** It was a stranger's turn last. */
  #polledStranger = true;
  /** When each was polled last. */
  readonly #polledAt = new BoundedMap<PeerId, MonotonicMs>(limits.peersRemembered);

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
      this.#poll(now);
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
   * Another peer each time, whatever their order, even when only one is a validator: what one peer withholds
   * the next one tells. A stranger each second time at most: under new names they would have every turn.
   */
  #poll(now: MonotonicMs): void {
    const { sync, peersFor, isStranger } = this.#options;
    const polledAt = (peer: PeerId): MonotonicMs => this.#polledAt.get(peer) ?? -1;
    const peers = peersFor([]).toSorted((a, b) => polledAt(a) - polledAt(b));
    const turn = peers.find((peer) => isStranger(peer) !== this.#polledStranger);
    const peer = turn ?? peers[0];
    if (peer === undefined) return;
    this.#polledStranger = isStranger(peer);
    this.#polledAt.set(peer, now);
    sync.poll(peer);
  }
}
