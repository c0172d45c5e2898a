import { compareBytes, equalBytes } from '../base/bytes.ts';
import { bool, boundedBytes, type Codec, listOf, struct, union } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import type { Hash } from '../crypto/hash.ts';
import { hashSize } from '../crypto/pair-hash.ts';
import { treeRootIn } from './namespace-entry.ts';
import { bitAt, halfOf, isInRange, type PathRange, type Place, rootPlace, sideOf } from './path-range.ts';
import { type NamespaceProof, namespaceProofCodec, verifyNamespaceProof } from './namespace-proof.ts';
import { namespaceOf, recordKeyCodec } from './record-key.ts';
import { recordStateKey, statePath } from './state-entry.ts';
import { hashPair, hashValue, isHashBytes, maxDepth, nodeHashCodec } from './state-proof.ts';
import { hashLeaf } from './tree-update.ts';

/**
 * A subtree of a namespace's tree that the edge of a page goes through, or that lies outside of the page.
 * What lies inside needs none: it is made of the page's entries alone.
 */
export type ListingNode =
  /** At the edge: left and right follow, one after the other. */
  | { readonly type: 'branch' }
  /** At the edge: nothing. */
  | { readonly type: 'empty' }
  /** At the edge: an entry of the page, alone. */
  | { readonly type: 'entry' }
  /** At the edge: an entry outside of the page, alone. */
  | { readonly type: 'leaf'; readonly path: Uint8Array; readonly valueHash: Uint8Array }
  /** Outside, whatever it is. */
  | { readonly type: 'hash'; readonly hash: Uint8Array };

/** That a page of a namespace lacks nothing. */
export interface ListingProof {
  readonly namespace: NamespaceProof;
  /** From the root of the namespace's tree down, left before right; none for a page that has everything. */
  readonly nodes: readonly ListingNode[];
}

/**
 * Entries of a namespace in the order of their paths (`statePath` of their keys): all of them, or a page of
 * them. Deleted records are among them, as tombstones.
 */
export interface Listing {
  /** Each value as the state has it (`decodeRecord`). */
  readonly entries: readonly { readonly key: string; readonly value: Uint8Array }[];
  /** There are no more behind these. */
  readonly complete: boolean;
}

export const listingCodec: Codec<Listing> = struct<Listing>({
  entries: listOf(
    struct<Listing['entries'][number]>({
      key: recordKeyCodec,
      value: boundedBytes(limits.recordEntryBytes, 'record entry'),
    }),
    limits.listingEntries,
  ),
  complete: bool,
});

type Fields<Type extends ListingNode['type']> = Omit<Extract<ListingNode, { readonly type: Type }>, 'type'>;

/** Two edges, each with a branch and what lies beside it on each level. */
const maxNodes = 4 * maxDepth + 1;

export const listingProofCodec: Codec<ListingProof> = struct<ListingProof>({
  namespace: namespaceProofCodec,
  nodes: listOf(
    union<ListingNode, 'type'>('type', {
      branch: [1, struct<object>({})],
      empty: [2, struct<object>({})],
      entry: [3, struct<object>({})],
      leaf: [4, struct<Fields<'leaf'>>({ path: nodeHashCodec, valueHash: nodeHashCodec })],
      hash: [5, struct<Fields<'hash'>>({ hash: nodeHashCodec })],
    }),
    maxNodes,
  ),
});

/**
 * True when the namespace has exactly these entries behind `after`, up to the last of them; or, when the
 * listing says that it is complete, up to its end. So a listing that starts without `after` and is complete
 * has all there is. Believes nothing but the root. Never throws, whatever the proof.
 */
export function verifyListing(claim: {
  readonly root: Hash;
  readonly name: string;
  /**
   * The key behind which the page starts, whether there is such a record or not; undefined for the first
   * page.
   */
  readonly after: string | undefined;
  readonly listing: Listing;
  readonly proof: ListingProof;
}): boolean {
  const { root, name, after, listing, proof } = claim;
  if (!verifyNamespaceProof({ root, name, proof: proof.namespace })) return false;
  const { value } = proof.namespace;
  if (value === null) return listing.complete && listing.entries.length === 0 && proof.nodes.length === 0;
  const leaves = leavesOf(name, listing);
  const behind = after === undefined ? undefined : statePath(recordStateKey(after));
  const last = listing.complete ? undefined : leaves?.at(-1)?.path;
  if (leaves === undefined || (!listing.complete && last === undefined)) return false;
  const range = { after: behind, last };
  if (!leaves.every(({ path }) => isInRange(range, path))) return false;
  const page = new PageRoot(range, leaves, proof.nodes);
  const found = page.root(rootPlace, 0, leaves.length);
  return found !== undefined && page.isUsedUp && equalBytes(found, treeRootIn(value));
}

interface Leaf {
  readonly path: Uint8Array;
  readonly hash: Uint8Array;
}

/** Undefined when they are of another namespace, or out of order. */
function leavesOf(name: string, { entries }: Listing): readonly Leaf[] | undefined {
  const leaves: Leaf[] = [];
  for (const { key, value } of entries) {
    const path = statePath(recordStateKey(key));
    const before = leaves.at(-1);
    if (namespaceOf(key) !== name || (before !== undefined && compareBytes(before.path, path) >= 0)) {
      return undefined;
    }
    leaves.push({ path, hash: hashLeaf(path, hashValue(value)) });
  }
  return leaves;
}

/** The root of a tree of which the page is known entry by entry, and the rest from the proof. */
class PageRoot {
  readonly #range: PathRange;
  readonly #leaves: readonly Leaf[];
  readonly #nodes: readonly ListingNode[];
  #next = 0;

  constructor(range: PathRange, leaves: readonly Leaf[], nodes: readonly ListingNode[]) {
    this.#range = range;
    this.#leaves = leaves;
    this.#nodes = nodes;
  }

  get isUsedUp(): boolean {
    return this.#next === this.#nodes.length;
  }

  /** The hash of the subtree with these leaves of the page; undefined when the proof does not fit it. */
  root(place: Place, from: number, to: number): Uint8Array | undefined {
    const side = sideOf(this.#range, place);
    if (side === 'inside') return this.#inside(place.depth, from, to);
    const node = this.#nodes[this.#next++];
    if (side === 'outside') return node?.type === 'hash' && isHashBytes(node.hash) ? node.hash : undefined;
    switch (node?.type) {
      case 'branch': {
        if (place.depth >= maxDepth) return undefined;
        const middle = this.#middle(place.depth, from, to);
        const left = this.root(halfOf(place, 0), from, middle);
        const right = left && this.root(halfOf(place, 1), middle, to);
        return left && right && hashPair(left, right);
      }
      case 'empty':
        return from === to ? new Uint8Array(hashSize) : undefined;
      case 'entry':
        return to - from === 1 ? this.#leaves[from]?.hash : undefined;
      case 'leaf':
        return from === to ? this.#outer(node) : undefined;
      case 'hash':
      case undefined:
        return undefined;
    }
  }

  #outer({ path, valueHash }: Fields<'leaf'>): Uint8Array | undefined {
    if (!isHashBytes(path) || !isHashBytes(valueHash)) return undefined;
    return !isInRange(this.#range, path) ? hashLeaf(path, valueHash) : undefined;
  }

  #inside(depth: number, from: number, to: number): Uint8Array {
    if (from === to) return new Uint8Array(hashSize);
    if (to - from === 1) return (this.#leaves[from] as Leaf).hash;
    const middle = this.#middle(depth, from, to);
    return hashPair(this.#inside(depth + 1, from, middle), this.#inside(depth + 1, middle, to));
  }

  /** The first leaf that goes right at this depth. */
  #middle(depth: number, from: number, to: number): number {
    let middle = from;
    while (middle < to && bitAt((this.#leaves[middle] as Leaf).path, depth) === 0) middle += 1;
    return middle;
  }
}
