import { decode, encode } from '../../base/codec.ts';
import { Problem } from '../../base/problem.ts';
import type { Roster } from '../../consensus/protocol.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import { type Height, toHeight } from '../../ledger/block.ts';
import type { FinalityCertificate } from '../../ledger/certificate.ts';
import type { GossipVerdict, Network, PeerId } from '../../network/port.ts';
import type { Clock } from '../process/clock.ts';
import type { Committed } from '../effects/committing.ts';
import type { Verification } from '../peers/verification.ts';
import { announcementCodec } from '../peers/wire.ts';

interface AnnouncingOptions {
  readonly self: PublicKey;
  readonly network: Pick<Network, 'publish'>;
  readonly verification: Pick<Verification<object>, 'gossipedCertificate' | 'fault' | 'mayRead'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly roster: () => Roster;
  /** Of one that was removed, as far as this node knows, and signs whatever it likes. */
  readonly isFormer: (certificate: FinalityCertificate) => boolean;
  /** The final block's hash at a height, undefined above the last one. */
  readonly finalHashAt: (height: Height) => Hash | undefined;
  /** A block above our final one is proven final. */
  readonly onAhead: (height: Height) => void;
  /** The same may be the case, but this node knows none of its signers, or believes none. */
  readonly onUnproven: (height: Height) => void;
}

/**
 * Tells nodes to which no validator talks of new final blocks: gossip with the proof, from the block's
 * proposer.
 */
export class Announcing {
  readonly #options: AnnouncingOptions;
  /** The highest block that an announcement proved final. */
  #proven = toHeight(0);

  constructor(options: AnnouncingOptions) {
    this.#options = options;
  }

  /**
   * One node tells it, or everybody would. If that one fails, the next block makes up for it, and observers
   * ask by themselves.
   */
  announce({ block, certificate }: Committed): void {
    if (certificate === null || block.header.proposer !== this.#options.self) return;
    this.#options.network.publish('blocks', encode(announcementCodec, { certificate }));
  }

  /**
   * Judges an announcement of another node. Only what is news here is checked, and only what was checked is
   * passed on: what is final here is no news to anybody who asks us, and a block below one that is proven
   * final tells nothing.
   */
  heard(from: PeerId, bytes: Uint8Array, decide: (verdict: GossipVerdict) => void): void {
    const { verification, roster, isFormer, finalHashAt, onUnproven } = this.#options;
    if (!verification.mayRead(from, bytes)) return decide('unread');
    const announcement = decode(announcementCodec, bytes, 'announcement');
    if (announcement instanceof Problem) {
      verification.fault(from, announcement.code);
      return decide('reject');
    }
    const { certificate } = announcement;
    const { height } = certificate;
    if (height <= this.#proven || finalHashAt(height) !== undefined) return decide('ignore');
    if (isFormer(certificate)) {
      decide('ignore');
      return onUnproven(height);
    }
    verification.gossipedCertificate(from, certificate, roster(), (result) => {
      if (result === 'unread') return decide('unread');
      if (result instanceof Problem && result.code === 'certificate/unknown-member') {
        decide('ignore');
        // Signed by a member that joined above our final block. That is nobody's fault, and a reason to ask
        // for blocks.
        return onUnproven(height);
      }
      if (result instanceof Problem) {
        verification.fault(from, result.code);
        return decide('reject');
      }
      decide('accept');
      if (height <= this.#proven) return;
      this.#proven = height;
      // It may have become final here while it was checked.
      if (finalHashAt(height) === undefined) this.#options.onAhead(height);
    });
  }
}
