import type { Listing, ListingNode, ListingProof } from './listing-proof.ts';
import type { NamespaceProof } from './namespace-proof.ts';
import { halfOf, isInRange, type PathRange, type Place, rootPlace, sideOf } from './path-range.ts';
import { nameIn, namespaceStateKey, recordStateKey, statePath } from './state-entry.ts';
import { hashValue } from './state-proof.ts';
import type { StateTree } from './state-tree.ts';
import type { Subtree, TreeWalk } from './tree-walk.ts';

/** Which part of a namespace: behind a key or from its first on, so many entries or so many bytes. */
export interface ListingPage {
  readonly after?: string | undefined;
  readonly limit: number;
  readonly bytes?: number;
}

export interface ProvenListing {
  readonly listing: Listing;
  readonly proof: ListingProof;
}

/**
 * Entries of a namespace, and the proof that none is missing (`verifyListing`). None for a namespace that was
 * never opened.
 */
export function proveListing(
  tree: StateTree,
  { name, namespace }: { readonly name: string; readonly namespace: NamespaceProof },
  page: ListingPage,
): ProvenListing {
  const owner = namespaceStateKey(name);
  const after = page.after === undefined ? undefined : recordStateKey(page.after);
  const entries: Listing['entries'][number][] = [];
  let complete = true;
  let left = page.bytes ?? Infinity;
  for (const [key, value] of tree.entries(after, owner)) {
    complete = entries.length < page.limit && left > 0;
    if (!complete) break;
    entries.push({ key: nameIn(key), value });
    left -= key.length + value.length;
  }
  const end = complete ? undefined : entries.at(-1);
  const last = end && statePath(recordStateKey(end.key));
  const { walk, root } = tree.walk(owner);
  const nodes = listingNodes(walk, root, { after: after && statePath(after), last });
  return { listing: { entries, complete }, proof: { namespace, nodes: namespace.value ? nodes : [] } };
}

/** The nodes that prove a page: the one with what is in this range. */
function listingNodes(walk: TreeWalk, root: Subtree, range: PathRange): ListingNode[] {
  const nodes: ListingNode[] = [];
  const visit = (at: Subtree, place: Place): void => {
    const side = sideOf(range, place);
    if (side === 'inside') return;
    if (side === 'outside') return void nodes.push({ type: 'hash', hash: walk.hash(at, place.depth) });
    if (walk.isBranch(at)) {
      nodes.push({ type: 'branch' });
      const [left, right] = walk.halves(at, place.depth);
      visit(left, halfOf(place, 0));
      visit(right, halfOf(place, 1));
      return;
    }
    const end = walk.end(at);
    if (end === undefined) nodes.push({ type: 'empty' });
    else if (isInRange(range, end.path)) nodes.push({ type: 'entry' });
    else nodes.push({ type: 'leaf', path: end.path, valueHash: hashValue(end.value) });
  };
  visit(root, rootPlace);
  return nodes;
}
