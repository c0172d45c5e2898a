import { type Codec, listOf, optional, struct } from '../base/codec.ts';
import { fromHex, toHex } from '../base/bytes.ts';
import { hashCodec, type Hash, isHash, zeroHash } from '../crypto/hash.ts';
import { statePath } from './state-entry.ts';
import { bitAt, hashStateLeaf, hashStateNode, hashValue } from './state-tree.ts';

/** The bits of a path: no proof is longer. */
const maxDepth = 256;

/**
 * That the state with a known root holds a value under a key, or holds nothing under it. The path of the key, from the root
 * down, ends at the key's own leaf (present), at an empty place, or at the leaf of another key (absent).
 */
export interface StateProof {
  /** The hash beside the path on each level, from the root down; zero for an empty subtree. */
  readonly siblings: readonly Hash[];
  /** The other leaf at the path's end, in a proof of absence that ends at one. */
  readonly other: { readonly path: Hash; readonly valueHash: Hash } | undefined;
}

export const stateProofCodec: Codec<StateProof> = struct<StateProof>({
  siblings: listOf(hashCodec, maxDepth),
  other: optional(struct<{ path: Hash; valueHash: Hash }>({ path: hashCodec, valueHash: hashCodec })),
});

/**
 * True when the state with this root holds exactly `value` under `key`; with null, when it holds nothing under it. Believes
 * nothing but the root. Never throws, whatever the proof.
 */
export function verifyStateProof(claim: {
  readonly root: Hash;
  /** From `accountStateKey` or `recordStateKey`. */
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
  readonly proof: StateProof;
}): boolean {
  const { root, key, value, proof } = claim;
  const { siblings, other } = proof;
  if (siblings.length > maxDepth || !siblings.every(isHash)) return false;
  const path = statePath(key);
  let node: Hash;
  if (value !== null) {
    if (other !== undefined) return false;
    node = hashStateLeaf(toHex(path) as Hash, hashValue(value));
  } else if (other === undefined) {
    node = zeroHash;
  } else {
    if (!isHash(other.path) || !isHash(other.valueHash)) return false;
    if (!divergesFrom(fromHex(other.path), path, siblings.length)) return false;
    node = hashStateLeaf(other.path, other.valueHash);
  }
  for (let depth = siblings.length - 1; depth >= 0; depth--) {
    const sibling = siblings[depth] as Hash;
    node = bitAt(path, depth) === 0 ? hashStateNode(node, sibling) : hashStateNode(sibling, node);
  }
  return node === root;
}

/** True for a path that leads to the same place at this depth and is another path below it. */
function divergesFrom(other: Uint8Array, path: Uint8Array, depth: number): boolean {
  for (let bit = 0; bit < depth; bit++) {
    if (bitAt(other, bit) !== bitAt(path, bit)) return false;
  }
  for (let bit = depth; bit < maxDepth; bit++) {
    if (bitAt(other, bit) !== bitAt(path, bit)) return true;
  }
  return false;
}
