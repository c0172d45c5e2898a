import type { PublicKey } from '../../crypto/signature.ts';
import { addressBlock } from '../../network/address-block.ts';
import type { Network, PeerId } from '../../network/port.ts';

/** What a peer is to us, as far as it decides what it may cost. */
export type Standing =
  /**
   * It proved a key that we know: a validator's, or one that the operator named. What it does falls back on
   * that key, whatever its identity.
   */
  | { readonly type: 'member'; readonly key: string }
  /** Anybody. Identities are free, so what counts is where it comes from. */
  | { readonly type: 'stranger'; readonly block: string };

interface StandingsOptions {
  /** The key that a peer proved, if we know that one. */
  readonly memberKeyOf: (peer: PeerId) => PublicKey | undefined;
  readonly network: Pick<Network, 'stats'>;
}

/** Who is a member, and which strangers come from one place. */
export class Standings {
  readonly #options: StandingsOptions;
  readonly #blocks = new Map<PeerId, string>();

  constructor(options: StandingsOptions) {
    this.#options = options;
  }

  connected(peer: PeerId): void {
    const address = this.#options.network.stats().find((other) => other.peer === peer)?.address;
    if (address !== undefined && address !== '') this.#blocks.set(peer, addressBlock(address));
  }

  forget(peer: PeerId): void {
    this.#blocks.delete(peer);
  }

  of(peer: PeerId): Standing {
    const key = this.#options.memberKeyOf(peer);
    if (key !== undefined) return { type: 'member', key };
    return { type: 'stranger', block: this.#blocks.get(peer) ?? peer };
  }
}
