import { fixedBytes, type Codec, listOf, optional, struct } from '../base/codec.ts';
import { type Hash, hashBytes, hashToBytes, isHash } from '../crypto/hash.ts';
import { hashPairs, hashSize } from '../crypto/pair-hash.ts';
import { concat, equalBytes } from '../base/bytes.ts';
import { statePath, treeOwnerOf } from './state-entry.ts';
import { bitAt } from './path-range.ts';
import { hashLeaf } from './tree-update.ts';

/** The bits of a path: no proof is longer. */
export const maxDepth = 256;

/**
 * That the state with a known root holds a value under a key, or holds nothing under it. The path of the key,
 * from the root down, ends at the key's own leaf (present), at an empty place, or at the leaf of another key
 * (absent). All hashes are 32 bytes.
 */
export interface StateProof {
  /** The hash beside the path on each level, from the root down; zero for an empty subtree. */
  readonly siblings: readonly Uint8Array[];
  /** The other leaf at the path's end, in a proof of absence that ends at one. */
  readonly other: { readonly path: Uint8Array; readonly valueHash: Uint8Array } | undefined;
}

/** A hash of the tree in a proof. */
export const nodeHashCodec: Codec<Uint8Array> = fixedBytes(hashSize);

export const stateProofCodec: Codec<StateProof> = struct<StateProof>({
  siblings: listOf(nodeHashCodec, maxDepth),
  other: optional(struct({ path: nodeHashCodec, valueHash: nodeHashCodec })),
});

export function hashValue(value: Uint8Array): Uint8Array {
  return hashBytes('quorate/v1/state-value', value);
}

/** The hash of a branch. */
export function hashPair(left: Uint8Array, right: Uint8Array): Uint8Array {
  const hash = new Uint8Array(hashSize);
  hashPairs(concat(left, right), hash);
  return hash;
}

/**
 * True when the state with this root holds exactly `value` under `key`; with null, when it holds nothing
 * under it. Believes nothing but the root. Never throws, whatever the proof. What a namespace holds is not
 * proven so, neither present nor absent: see `verifyRecordProof`.
 */
export function verifyStateProof(claim: {
  readonly root: Hash;
  /** From `accountStateKey`, `namespaceStateKey`, or `recordStateKey` of a key without namespace. */
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
  readonly proof: StateProof;
}): boolean {
  if (!isHash(claim.root) || treeOwnerOf(claim.key) !== undefined) return false;
  return verifyTreeProof({ ...claim, root: hashToBytes(claim.root) });
}

/** The same of one tree, whatever stands in it. */
export function verifyTreeProof(claim: {
  readonly root: Uint8Array;
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
  readonly proof: StateProof;
}): boolean {
  const { root, key, value, proof } = claim;
  const { siblings } = proof;
  if (siblings.length > maxDepth || !siblings.every(isHashBytes)) return false;
  const path = statePath(key);
  let node = endOf(path, value, proof);
  if (node === undefined) return false;
  for (let depth = siblings.length - 1; depth >= 0; depth--) {
    const beside = siblings[depth] as Uint8Array;
    node = bitAt(path, depth) === 0 ? hashPair(node, beside) : hashPair(beside, node);
  }
  return equalBytes(node, root);
}

/**
 * The hash at which the path of the key must end for the claim to be true; undefined when the proof does not
 * fit it.
 */
function endOf(
  path: Uint8Array,
  value: Uint8Array | null,
  { siblings, other }: StateProof,
): Uint8Array | undefined {
  if (value !== null) return other === undefined ? hashLeaf(path, hashValue(value)) : undefined;
  if (other === undefined) return new Uint8Array(hashSize);
  if (!isHashBytes(other.path) || !isHashBytes(other.valueHash)) return undefined;
  if (!divergesFrom(other.path, path, siblings.length)) return undefined;
  return hashLeaf(other.path, other.valueHash);
}

export function isHashBytes(bytes: Uint8Array): boolean {
  return bytes instanceof Uint8Array && bytes.length === hashSize;
}

/** Two paths that agree above a depth, so that both end there, and differ below it. */
function divergesFrom(other: Uint8Array, path: Uint8Array, depth: number): boolean {
  for (let bit = 0; bit < depth; bit++) {
    if (bitAt(other, bit) !== bitAt(path, bit)) return false;
  }
  return !equalBytes(other, path);
}
