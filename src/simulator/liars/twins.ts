import type { PrePrepare } from '../../consensus/pbft/message.ts';
import type { Hash } from '../../crypto/hash.ts';
import { type BlockHeader, hashHeader } from '../../ledger/block.ts';

/**
 * Other blocks in the place of a liar's own, as valid as those: each is chained to the one
 * that stands for its parent.
 */
export class Twins {
  /** By block, the one that stands for it; null for one that stays as it is. */
  readonly #twins = new Map<Hash, Hash | null>();

  /** What stands for a block; undefined for one that was never looked at. */
  of(blockHash: Hash): Hash | null | undefined {
    return this.#twins.get(blockHash);
  }

  /** From now on the block stays as it is. */
  keep(blockHash: Hash): void {
    this.#twins.set(blockHash, null);
  }

  /** The proposal of the block that stands for this one, without a signature of its own yet. */
  proposal(message: PrePrepare, change: (header: BlockHeader) => Partial<BlockHeader>): PrePrepare {
    const { header } = message.proposal;
    const parentHash = this.#twins.get(header.parentHash) ?? header.parentHash;
    const twin = { ...header, parentHash, ...change(header) };
    const blockHash = hashHeader(twin);
    this.#twins.set(message.blockHash, blockHash);
    return { ...message, blockHash, proposal: { ...message.proposal, header: twin } };
  }
}
