import type { ListingNode } from './listing-proof.ts';
import { halfOf, isInRange, type PathRange, type Place, rootPlace, sideOf } from './path-range.ts';
import { hashValue } from './state-proof.ts';
import type { Subtree, TreeWalk } from './tree-walk.ts';

/** The nodes that prove a page: the one with what is in this range. */
export function listingNodes(walk: TreeWalk, root: Subtree, range: PathRange): ListingNode[] {
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
