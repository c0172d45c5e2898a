import { limits } from '../../base/limits.ts';
import type { PeerId } from '../../network/port.ts';
import { BoundedMap } from '../../base/bounded-map.ts';

/**
 * Which peers were worth their time, so that the next question goes to those first. It is about order only:
 * nobody is left out for ever, and nobody is believed more than others.
 */
export class SyncSources {
  /** How often in a row each was worse than others. */
  readonly #poor = new BoundedMap<PeerId, number>(limits.peersRemembered);
  #best: PeerId | undefined;

  /**
   * Best first: who answered well last time, then those without a bad record in the given order, then the
   * others; and strangers behind all of these, likewise. They have no record when they come with a new name,
   * and each that is silent costs time.
   */
  inOrder(peers: readonly PeerId[], isStranger: (peer: PeerId) => boolean): PeerId[] {
    const rank = (peer: PeerId): number => (peer === this.#best ? 0 : isStranger(peer) ? 2 : 1);
    return peers.toSorted((a, b) => rank(a) - rank(b) || this.#timesPoor(a) - this.#timesPoor(b));
  }

  /** It gave as much as one answer holds, in time. */
  good(peer: PeerId): void {
    this.#best = peer;
    this.#poor.delete(peer);
  }

  /** It was slow, gave nothing or little where others had more, or served what is not good. */
  poor(peer: PeerId): void {
    if (this.#best === peer) this.#best = undefined;
    this.#poor.set(peer, this.#timesPoor(peer) + 1);
  }

  #timesPoor(peer: PeerId): number {
    return this.#poor.get(peer) ?? 0;
  }
}
