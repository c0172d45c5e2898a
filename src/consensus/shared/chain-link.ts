import type { Hash } from '../../crypto/hash.ts';
import { type BlockHeader, changesValidators } from '../../ledger/block.ts';
import type { ChainLink } from '../engine.ts';

/** The link of a block with this header and hash. */
export function linkOf(header: BlockHeader, blockHash: Hash): ChainLink {
  const { height, parentHash } = header;
  return { height, blockHash, parentHash, isLast: changesValidators(header) };
}
