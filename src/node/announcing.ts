import { decode, encode } from '../base/codec.ts';
import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { Height } from '../ledger/block.ts';
import type { GossipVerdict, Network, PeerId } from '../network/port.ts';
import type { Committed } from './committing.ts';
import type { Verification } from './verification.ts';
import { announcementCodec } from './wire.ts';

export interface AnnouncingOptions {
  readonly self: PublicKey;
  readonly network: Pick<Network, 'publish'>;
  readonly verification: Pick<Verification<object>, 'certificate' | 'fault' | 'muted'>;
  readonly members: () => readonly PublicKey[] | undefined;
  /** The final block's hash at a height, undefined above the last one. */
  readonly finalHashAt: (height: Height) => Hash | undefined;
  /** A block above our final one is proven final. */
  readonly onAhead: (height: Height) => void;
}

/** Tells nodes to which no validator talks of new final blocks: gossip with the proof, from the block's proposer. */
export class Announcing {
  readonly #options: AnnouncingOptions;

  constructor(options: AnnouncingOptions) {
    this.#options = options;
  }

  /** One node tells it, or everybody would. If that one fails, the next block makes up for it, and observers ask by themselves. */
  announce({ block, certificate }: Committed): void {
    if (certificate === null || block.header.proposer !== this.#options.self) return;
    this.#options.network.publish('blocks', encode(announcementCodec, { certificate }));
  }

  heard(from: PeerId, bytes: Uint8Array, decide: (verdict: GossipVerdict) => void): void {
    const { verification, members, finalHashAt, onAhead } = this.#options;
    if (verification.muted(from)) return decide('ignore');
    const announcement = decode(announcementCodec, bytes, 'announcement');
    if (announcement instanceof Problem) {
      verification.fault(from, announcement.code);
      return decide('reject');
    }
    const { certificate } = announcement;
    const known = finalHashAt(certificate.height);
    if (known !== undefined && known !== certificate.blockHash) return decide('ignore');
    verification.certificate(certificate, members(), (result) => {
      // By a member that came after everything that is final here: no fault of anybody, and a reason to ask.
      if (result instanceof Problem && result.code === 'certificate/unknown-member') {
        decide('ignore');
        return onAhead(certificate.height);
      }
      if (result instanceof Problem) {
        verification.fault(from, result.code);
        return decide('reject');
      }
      decide('accept');
      if (known === undefined) onAhead(certificate.height);
    });
  }
}
