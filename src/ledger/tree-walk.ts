import type { TreeNodes } from './tree-nodes.ts';

/** An entry, and where it belongs. */
export interface TreeEnd {
  readonly key: Uint8Array;
  readonly path: Uint8Array;
  readonly value: Uint8Array;
}

/** A subtree: a branch, or some entries of a page. */
export interface Subtree {
  readonly ref: number;
  readonly from: number;
  readonly to: number;
  /** Its hash is stored. */
  readonly isWhole: boolean;
}

/**
 * The way down a tree, as if all its branches were stored. Those inside a page are not, and are hashed anew.
 */
export class TreeWalk {
  readonly #nodes: TreeNodes;

  constructor(nodes: TreeNodes) {
    this.#nodes = nodes;
  }

  root(ref: number): Subtree {
    return { ref, from: 0, to: ref > 0 ? 0 : this.#nodes.count(ref), isWhole: true };
  }

  /** It has more than one entry. */
  isBranch({ ref, from, to }: Subtree): boolean {
    return ref > 0 || to - from > 1;
  }

  /** Left and right of a branch at this depth. */
  halves({ ref, from, to }: Subtree, depth: number): readonly [left: Subtree, right: Subtree] {
    const { pages } = this.#nodes;
    if (ref > 0) return [this.root(this.#nodes.left(ref)), this.root(this.#nodes.right(ref))];
    let middle = from;
    while (middle < to && pages.bitOf(pages.entry(-ref, middle), depth) === 0) middle += 1;
    return [
      { ref, from, to: middle, isWhole: false },
      { ref, from: middle, to, isWhole: false },
    ];
  }

  /** The hash of a subtree at this depth; zero for an empty one. */
  hash({ ref, from, to, isWhole }: Subtree, depth: number): Uint8Array {
    return isWhole ? this.#nodes.hashOf(ref) : this.#nodes.hashing.partOf(-ref, from, to, depth);
  }

  /** The entry of a subtree that is no branch; undefined when it is empty. */
  end({ ref, from, to }: Subtree): TreeEnd | undefined {
    if (from === to) return undefined;
    const { pages } = this.#nodes;
    const entry = pages.entry(-ref, from);
    return { key: pages.keyOf(entry), path: pages.pathOf(entry), value: pages.valueOf(entry) };
  }
}
