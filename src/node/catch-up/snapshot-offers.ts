import { othersAreAsked } from '../../base/peer-faults.ts';
import { Problem } from '../../base/problem.ts';
import type { Verified } from '../../consensus/engine.ts';
import type { Hash } from '../../crypto/hash.ts';
import { type BlockHeader, hashHeader, type Height } from '../../ledger/block.ts';
import type { FinalityCertificate } from '../../ledger/certificate.ts';
import type { PeerId } from '../../network/port.ts';
import { isHeadOf } from './installing.ts';
import type { SnapshotHead } from '../peers/wire.ts';

/** A snapshot whose certificate is good, and who offered it. */
interface SnapshotOffer {
  readonly blockHash: Hash;
  readonly header: BlockHeader;
  readonly certificate: Verified<FinalityCertificate>;
  readonly peers: readonly PeerId[];
}

/** What peers offered who pruned the block that sync asked for, until somebody has that block. */
export class SnapshotOffers {
  readonly #asked = new Set<PeerId>();
  readonly #offers = new Map<Hash, SnapshotOffer>();

  get some(): boolean {
    return this.#offers.size > 0;
  }

  asked(peer: PeerId): void {
    this.#asked.add(peer);
  }

  wasAsked(peer: PeerId): boolean {
    return this.#asked.has(peer);
  }

  add(peer: PeerId, header: BlockHeader, certificate: Verified<FinalityCertificate>): void {
    const { blockHash } = certificate;
    const peers = [...(this.#offers.get(blockHash)?.peers ?? []), peer];
    this.#offers.set(blockHash, { blockHash, header, certificate, peers });
  }

  /** The newest one; from here on everything starts anew. */
  take(): SnapshotOffer | undefined {
    const [newest] = [...this.#offers.values()].sort((a, b) => b.header.height - a.header.height);
    this.clear();
    return newest;
  }

  clear(): void {
    this.#asked.clear();
    this.#offers.clear();
  }
}

/**
 * An offer in the place of the block above this height: of a later one, and with a certificate for it. Who
 * signed is not looked at.
 */
export function checkOffer(head: SnapshotHead, above: Height): Problem | undefined {
  const { height } = head.header;
  if (height > above && isHeadOf(head, { height, blockHash: hashHeader(head.header) })) return undefined;
  return new Problem('sync/snapshot-offer', 'what a peer offered in the place of pruned blocks is not that', {
    remedy: othersAreAsked,
  });
}
