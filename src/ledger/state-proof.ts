import { fixedBytes, type Codec, listOf, optional, struct } from '../base/codec.ts';
import { type Hash, hashBytes, hashToBytes, isHash } from '../crypto/hash.ts';
import { hashPairs, hashSize, pairBytes } from '../crypto/pair-hash.ts';
import { equalBytes } from '../base/bytes.ts';
import { statePath } from './state-entry.ts';
import { bitAt } from './entry-pages.ts';
import { hashLeaf } from './tree-update.ts';

/** The bits of a path: no proof is longer. */
const maxDepth = 256;

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

const hashCodec = fixedBytes(hashSize);

export const stateProofCodec: Codec<StateProof> = struct<StateProof>({
  siblings: listOf(hashCodec, maxDepth),
  other: optional(struct({ path: hashCodec, valueHash: hashCodec })),
});

export function hashValue(value: Uint8Array): Uint8Array {
  return hashBytes('quorate/v1/state-value', value);
}

/**
 * True when the state with this root holds exactly `value` under `key`; with null, when it holds nothing
 * under it. Believes nothing but the root. Never throws, whatever the proof.
 */
export function verifyStateProof(claim: {
  readonly root: Hash;
  /** From `accountStateKey` or `recordStateKey`. */
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
  readonly proof: StateProof;
}): boolean {
  const { root, key, value, proof } = claim;
  const { siblings } = proof;
  if (!isHash(root) || siblings.length > maxDepth || !siblings.every(isHashBytes)) return false;
  const path = statePath(key);
  const end = endOf(path, value, proof);
  if (end === undefined) return false;
  let node = end;
  const pair = new Uint8Array(pairBytes);
  for (let depth = siblings.length - 1; depth >= 0; depth--) {
    const goesLeft = bitAt(path, depth) === 0;
    pair.set(node, goesLeft ? 0 : hashSize);
    pair.set(siblings[depth] as Uint8Array, goesLeft ? hashSize : 0);
    node = new Uint8Array(hashSize);
    hashPairs(pair, node);
  }
  return equalBytes(node, hashToBytes(root));
}

/**
 * The hash at which the path of the key must end for the claim to be true; undefined when the
 * proof is of no form for it.
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

function isHashBytes(bytes: Uint8Array): boolean {
  return bytes instanceof Uint8Array && bytes.length === hashSize;
}

/** Two paths that agree above a depth, so that both end there, and differ below it. */
function divergesFrom(other: Uint8Array, path: Uint8Array, depth: number): boolean {
  for (let bit = 0; bit < depth; bit++) {
    if (bitAt(other, bit) !== bitAt(path, bit)) return false;
  }
  return !equalBytes(other, path);
}
