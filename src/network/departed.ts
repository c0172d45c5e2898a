import type { Libp2p, PeerId } from '@libp2p/interface';

/**
 * Strangers that are gone. libp2p remembers every identity it ever met; identities are free, so without
 * this its memory of them would grow for ever.
 */
export class Departed {
  readonly #host: Libp2p;
  /**
   * Gone since the last round, and in the round before: libp2p needs their record a little
   * longer than the connection.
   */
  #recent = new Set<PeerId>();
  #earlier = new Set<PeerId>();

  constructor(host: Libp2p) {
    this.#host = host;
  }

  add(peer: PeerId): void {
    this.#recent.add(peer);
  }

  /** One round: forgets those of the round before that have not come back. */
  forget(): void {
    const due = this.#earlier;
    this.#earlier = this.#recent;
    this.#recent = new Set();
    for (const peer of due) {
      if (this.#host.getConnections(peer).length > 0) continue;
      // Nothing depends on it; a failure leaves one record more.
      this.#host.peerStore.delete(peer).catch(() => {});
    }
  }
}
