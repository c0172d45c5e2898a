import type { ChainLink } from '../../consensus/engine.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { FinalityCertificate } from '../../ledger/certificate.ts';
import type { ChainChecker } from './chain-checker.ts';

/** One of two blocks that are final at one height. */
interface FinalBlock {
  /** The first node that made it final. */
  readonly node: number;
  readonly blockHash: Hash;
  readonly view: number | null;
  readonly transactions: number | null;
  /** Who signed its certificate; empty where the node has none for this block itself. */
  readonly signers: readonly number[];
}

/** Two honest nodes disagree for ever. */
export interface Conflict {
  readonly height: number;
  readonly blocks: readonly [FinalBlock, FinalBlock];
  /** Validators that signed for both: by the size of a quorum at least f + 1, and each of them lied. */
  readonly signedBoth: readonly number[];
}

/** Keeps what shows, when two blocks are final at one height, who made that possible. */
export class ConflictBook {
  first: Conflict | null = null;
  readonly #chain: Pick<ChainChecker, 'finalAt' | 'proposalOf'>;
  readonly #signers = new Map<Hash, readonly number[]>();

  constructor(chain: Pick<ChainChecker, 'finalAt' | 'proposalOf'>) {
    this.#chain = chain;
  }

  onFinal(
    node: number,
    { height, blockHash }: Pick<ChainLink, 'height' | 'blockHash'>,
    certificate: FinalityCertificate | null,
  ): void {
    if (certificate !== null && 'signatures' in certificate) {
      this.#signers.set(
        blockHash,
        certificate.signatures.map(({ validator }) => validator),
      );
    }
    const before = this.#chain.finalAt(height);
    if (before === undefined || before.blockHash === blockHash) return;
    const blocks = [this.#block(before.node, before.blockHash), this.#block(node, blockHash)] as const;
    const [a, b] = blocks;
    this.first ??= { height, blocks, signedBoth: a.signers.filter((signer) => b.signers.includes(signer)) };
  }

  #block(node: number, blockHash: Hash): FinalBlock {
    const proposal = this.#chain.proposalOf(blockHash);
    return {
      node,
      blockHash,
      view: proposal?.header.view ?? null,
      transactions: proposal?.transactionHashes.length ?? null,
      signers: this.#signers.get(blockHash) ?? [],
    };
  }
}
