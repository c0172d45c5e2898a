import { type Codec, encode, listOf, struct, u32 } from '../base/codec.ts';
import { invariant } from '../base/invariant.ts';
import { hash, hashCodec, type Hash, hashToBytes, isHash, zeroHash } from '../crypto/hash.ts';
import { pairHasher } from './pair-hasher.ts';

/**
 * Merkle trees over the ordered hashes of a block's transactions and receipts, shaped as in RFC 6962, section 2.1: the
 * left half holds the largest power of two below the count. Leaves, nodes and the root have tags of their own. The root also
 * covers the count: in RFC 6962 it does not, and there one proof can stand for two positions.
 */
const joinNodes = pairHasher('quorate/v1/merkle-node');

/** Where a leaf stands in a tree of `count` leaves, and what joins it to the root. */
export interface MerkleProof {
  readonly index: number;
  readonly count: number;
  /** The sibling on each level, lowest first; a level on which the node has none is left out. */
  readonly siblings: readonly Hash[];
}

export const merkleProofCodec: Codec<MerkleProof> = struct<MerkleProof>({
  index: u32,
  count: u32,
  siblings: listOf(hashCodec, 32),
});

/** The root over the leaves in their order; the zero hash when there are none. */
export function merkleRoot(leaves: readonly Hash[]): Hash {
  if (leaves.length === 0) return zeroHash;
  let level = leaves.map(hashLeaf);
  while (level.length > 1) level = levelAbove(level);
  return hashRoot(leaves.length, level[0] as Hash);
}

/** The proof that `leaves[index]` stands where it stands. */
export function merkleProof(leaves: readonly Hash[], index: number): MerkleProof {
  invariant(
    Number.isInteger(index) && index >= 0 && index < leaves.length,
    'a proof is for one of the leaves',
  );
  const siblings: Hash[] = [];
  let level = leaves.map(hashLeaf);
  let position = index;
  while (level.length > 1) {
    const sibling = level[position ^ 1];
    if (sibling !== undefined) siblings.push(sibling);
    level = levelAbove(level);
    position >>>= 1;
  }
  return { index, count: leaves.length, siblings };
}

/** True when `leaf` stands at `proof.index` of the `proof.count` leaves under `root`. Never throws (RFC 9162, section 2.1.3.2). */
export function verifyMerkleProof(root: Hash, leaf: Hash, proof: MerkleProof): boolean {
  const { index, count, siblings } = proof;
  if (!Number.isInteger(index) || !Number.isInteger(count)) return false;
  if (index < 0 || index >= count || count > 2 ** 32 - 1) return false;
  if (!isHash(leaf) || !siblings.every(isHash)) return false;
  let node = hashLeaf(leaf);
  let used = 0;
  let position = index;
  let last = count - 1;
  while (last > 0) {
    const isRight = position % 2 === 1;
    if (isRight || position < last) {
      const sibling = siblings[used++];
      if (sibling === undefined) return false;
      node = isRight ? joinNodes(sibling, node) : joinNodes(node, sibling);
    }
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  return used === siblings.length && hashRoot(count, node) === root;
}

function hashLeaf(leaf: Hash): Hash {
  return hash('quorate/v1/merkle-leaf', hashToBytes(leaf));
}

function hashRoot(count: number, top: Hash): Hash {
  return hash('quorate/v1/merkle-root', encode(u32, count), hashToBytes(top));
}

/** Joins pairs; the last of an odd number goes up as it is. */
function levelAbove(level: readonly Hash[]): Hash[] {
  const above: Hash[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const left = level[i] as Hash;
    const right = level[i + 1];
    above.push(right === undefined ? left : joinNodes(left, right));
  }
  return above;
}
