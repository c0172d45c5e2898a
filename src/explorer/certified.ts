import { Problem } from '../base/problem.ts';
import { certifiedBlock, type CertifiedBlock } from '../client/certified-block.ts';
import type { Hash } from '../crypto/hash.ts';
import type { Height } from '../ledger/block.ts';
import { node } from './node.ts';
import { knownChecker } from './trust.ts';

/** The header of the block that is meant, as this page checked it. */
export async function certified(name: Height | Hash): Promise<CertifiedBlock | Problem> {
  const checker = await knownChecker();
  return checker instanceof Problem ? checker : certifiedBlock(node, checker, name);
}
