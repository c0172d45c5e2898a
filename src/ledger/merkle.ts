import { toHex, writeHex } from '../base/bytes.ts';
import { type Codec, encode, listOf, struct, u32 } from '../base/codec.ts';
import { invariant } from '../base/invariant.ts';
import { hash, hashCodec, type Hash, hashToBytes, isHash, zeroHash } from '../crypto/hash.ts';
import { hashPairs, hashSize, pairBytes } from '../crypto/pair-hash.ts';

/**
 * Merkle trees over the ordered hashes of a block's transactions and receipts, shaped as in RFC 6962, section
 * 2.1: the left half holds the largest power of two below the count. A node is SHA-256 over the 64 bytes of
 * its two children, and the root covers the count as well. So the shape is proven with the root, and needs no
 * tags: what is a leaf and what a node follows from position and count alone (in RFC 6962, whose root covers
 * no count, one proof can stand for two positions).
 */

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
  return merkleRootOf(bytesOf(leaves));
}

/** The same over leaves of 32 bytes, one behind the other. */
export function merkleRootOf(leaves: Uint8Array): Hash {
  const count = leaves.length / hashSize;
  invariant(Number.isInteger(count), 'leaves have 32 bytes');
  if (count === 0) return zeroHash;
  let level = leaves;
  while (level.length > hashSize) level = levelAbove(level);
  return hashRoot(count, level);
}

/** The proof that `leaves[index]` stands where it stands. */
export function merkleProof(leaves: readonly Hash[], index: number): MerkleProof {
  invariant(
    Number.isInteger(index) && index >= 0 && index < leaves.length,
    'a proof is for one of the leaves',
  );
  const siblings: Hash[] = [];
  let level = bytesOf(leaves);
  let position = index;
  while (level.length > hashSize) {
    const at = (position ^ 1) * hashSize;
    if (at < level.length) siblings.push(toHex(level.subarray(at, at + hashSize)) as Hash);
    level = levelAbove(level);
    position >>>= 1;
  }
  return { index, count: leaves.length, siblings };
}

/**
 * True when `leaf` stands at `proof.index` of the `proof.count` leaves under `root`. Never throws
 * (RFC 9162, section 2.1.3.2).
 */
export function verifyMerkleProof(root: Hash, leaf: Hash, proof: MerkleProof): boolean {
  const { index, count, siblings } = proof;
  if (!Number.isInteger(index) || !Number.isInteger(count)) return false;
  if (index < 0 || index >= count || count > 2 ** 32 - 1) return false;
  if (!isHash(leaf) || !siblings.every(isHash)) return false;
  let node: Uint8Array = hashToBytes(leaf);
  let used = 0;
  let position = index;
  let last = count - 1;
  const pair = new Uint8Array(pairBytes);
  while (last > 0) {
    const isRight = position % 2 === 1;
    if (isRight || position < last) {
      const sibling = siblings[used++];
      if (sibling === undefined) return false;
      pair.set(node, isRight ? hashSize : 0);
      pair.set(hashToBytes(sibling), isRight ? 0 : hashSize);
      node = new Uint8Array(hashSize);
      hashPairs(pair, node);
    }
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  return used === siblings.length && hashRoot(count, node) === root;
}

function hashRoot(count: number, top: Uint8Array): Hash {
  return hash('quorate/v1/merkle-root', encode(u32, count), top);
}

function bytesOf(leaves: readonly Hash[]): Uint8Array {
  const bytes = new Uint8Array(leaves.length * hashSize);
  for (let index = 0; index < leaves.length; index++) {
    const leaf = leaves[index] as Hash;
    invariant(leaf.length === 2 * hashSize && writeHex(bytes, index * hashSize, leaf), 'a leaf is a hash');
  }
  return bytes;
}

/** Joins pairs, all in one call; the last of an odd number goes up as it is. */
function levelAbove(level: Uint8Array): Uint8Array {
  const paired = level.length - (level.length % pairBytes);
  const above = new Uint8Array(paired / 2 + level.length - paired);
  hashPairs(level.subarray(0, paired), above.subarray(0, paired / 2));
  above.set(level.subarray(paired), paired / 2);
  return above;
}
