import { invariant } from '../base/invariant.ts';
import { hashSize } from '../crypto/pair-hash.ts';
import type { Bytes } from './cell-store.ts';
import type { EntryRef, PathOf } from './entry-pages.ts';
import { bitAt } from './path-range.ts';
import { type NodeRef, TreeNodes } from './tree-nodes.ts';
import type { TreeLookups } from './tree-lookups.ts';
import { TreeGrowth } from './tree-growth.ts';
import { type Subtree, type TreeEnd, TreeWalk } from './tree-walk.ts';

/** What becomes of one entry: its value, or null when it goes away. */
export interface TreeChange {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/** What lies beside the way of a path, and where it ends. */
interface Way {
  /** The hash beside the path on each level, from the root down; zero for an empty subtree. */
  readonly siblings: readonly Uint8Array[];
  /** The leaf at its end, whosever it is; undefined where nothing is. */
  readonly end: TreeEnd | undefined;
}

/** Releases the root of a version that was garbage-collected. */
const abandoned = new FinalizationRegistry<{ readonly nodes: TreeNodes; readonly root: NodeRef }>(
  ({ nodes, root }) => nodes.drop(root),
);

/**
 * One version of a compact sparse Merkle tree: each entry is a leaf at the shallowest depth at which
 * no other entry shares its path's first bits. So the shape, and with it the root, depends on the
 * entries alone and not on how they came. A version never changes; `with` gives the next one, which
 * shares all nodes that stayed. An entry may have a tree of its own, which is read through it (`owner`).
 *
 * With some million entries the depth is about 22; only a partial collision of SHA-256 makes a branch deeper.
 */
export class StateTree {
  readonly #pathOf: PathOf;
  /** The empty tree has none of its own: what grows from it is a tree apart. */
  readonly #nodes: TreeNodes | undefined;
  readonly #root: NodeRef;
  #isReleased = false;

  private constructor(pathOf: PathOf, nodes: TreeNodes | undefined, root: NodeRef) {
    this.#pathOf = pathOf;
    this.#nodes = nodes;
    this.#root = root;
    if (nodes !== undefined && root !== 0) abandoned.register(this, { nodes, root }, this);
  }

  static empty(pathOf: PathOf): StateTree {
    return new StateTree(pathOf, undefined, 0);
  }

  /** The hash over all entries; zero when there are none. A copy. */
  get rootHash(): Bytes {
    return this.#held()?.hashOf(this.#root) ?? new Uint8Array(hashSize);
  }

  /** Bytes of memory of all versions that share nodes with this one, used or kept for the next. */
  get memoryBytes(): number {
    return this.#nodes?.memoryBytes ?? 0;
  }

  /**
   * A copy of the value under a key, in this tree or in that of another entry; of its first bytes where it
   * has more than `most`.
   */
  get(key: Uint8Array, owner?: Uint8Array, most?: number): Bytes | undefined {
    const nodes = this.#held();
    const entry = nodes && this.#find(nodes, this.#rootOf(nodes, owner), key);
    return entry === undefined ? undefined : nodes?.pages.valueOf(entry, most);
  }

  /** Copies the value under a key in this tree, when it is there as short as most; as `copyValue`. */
  copy(key: Uint8Array, target: Uint8Array): boolean {
    const nodes = this.#held();
    const entry = nodes && this.#find(nodes, this.#root, key);
    return (
      nodes !== undefined && entry !== undefined && nodes.pages.copyValue(entry, target, 0, target.length)
    );
  }

  /** Copies the values under many keys in this tree that are as short as most. */
  lookUp(lookups: TreeLookups): void {
    lookups.run(this.#held(), this.#root);
  }

  /**
   * A copy of the value, and the root of the tree that the entry has of its own, which the entry holds; 0 for
   * none.
   */
  withSubtree(key: Uint8Array): { readonly value: Bytes; readonly root: NodeRef } | undefined {
    const nodes = this.#held();
    const entry = nodes && this.#find(nodes, this.#root, key);
    if (nodes === undefined || entry === undefined) return undefined;
    return { value: nodes.pages.valueOf(entry), root: nodes.pages.subtreeOf(entry) };
  }

  /**
   * The version after changes, in any number; of two changes to one key the later
   * counts. The bytes are copied.
   */
  with(changes: readonly TreeChange[]): StateTree {
    const growth = this.grow();
    for (const { key, value } of changes) growth.add(key, value);
    return this.at(growth.nodes, growth.finish());
  }

  /** What grows from this version; `at` makes a version of it. */
  grow(): TreeGrowth {
    return new TreeGrowth(this.#held() ?? new TreeNodes(this.#pathOf), this.#pathOf, this.#root);
  }

  /** The way of a key's path from the root down, in this tree or in that of another entry. */
  way(key: Uint8Array, owner?: Uint8Array): Way {
    const siblings: Uint8Array[] = [];
    const path = this.#path(key);
    const { walk, root } = this.walk(owner);
    let at = root;
    for (let depth = 0; walk.isBranch(at); depth++) {
      const [left, right] = walk.halves(at, depth);
      const goesLeft = bitAt(path, depth) === 0;
      siblings.push(walk.hash(goesLeft ? right : left, depth + 1));
      at = goesLeft ? left : right;
    }
    return { siblings, end: walk.end(at) };
  }

  /** To go down this tree, or that of another entry, as long as this version is held. */
  walk(owner?: Uint8Array): { readonly walk: TreeWalk; readonly root: Subtree } {
    const nodes = this.#held() ?? new TreeNodes(this.#pathOf);
    const walk = new TreeWalk(nodes);
    return { walk, root: walk.root(this.#rootOf(nodes, owner)) };
  }

  /** All entries, or those behind a key's, in the order of their paths. Copies. */
  *entries(after?: Uint8Array, owner?: Uint8Array): Generator<readonly [key: Bytes, value: Bytes]> {
    const nodes = this.#held();
    if (nodes === undefined) return;
    const path = after === undefined ? undefined : this.#path(after);
    const root = this.#rootOf(nodes, owner);
    const waiting = path === undefined ? [root] : behind(nodes, root, path);
    // Looked up each time, also so that a version that only this generator refers to is not collected.
    while (waiting.length > 0 && this.#held() !== undefined) {
      const ref = waiting.pop() as NodeRef;
      if (ref === 0) continue;
      if (ref > 0) waiting.push(nodes.right(ref), nodes.left(ref));
      else yield* this.#entriesOf(nodes, ref, path);
    }
  }

  /** The same version once more, to be released apart. */
  share(): StateTree {
    const nodes = this.#held();
    return new StateTree(this.#pathOf, nodes, nodes?.hold(this.#root) ?? 0);
  }

  /**
   * Gives back at once what no other version has, rather than whenever the collector finds this one. To be
   * called when nobody will read it any more: whoever does breaks an invariant.
   */
  release(): void {
    // The empty tree has nothing, and is everybody's.
    if (this.#isReleased || this.#nodes === undefined) return;
    this.#isReleased = true;
    abandoned.unregister(this);
    this.#nodes.drop(this.#root);
  }

  /** A version with another root, which it holds from now on; this one when it is the same. */
  at(nodes: TreeNodes, root: NodeRef): StateTree {
    if (root !== this.#root) return new StateTree(this.#pathOf, nodes, root);
    nodes.drop(root);
    return this;
  }

  #held(): TreeNodes | undefined {
    invariant(!this.#isReleased, 'a state that was released is read no more');
    return this.#nodes;
  }

  /** The entries of a page, or those behind a path. */
  *#entriesOf(
    nodes: TreeNodes,
    page: NodeRef,
    after: Uint8Array | undefined,
  ): Generator<readonly [key: Bytes, value: Bytes]> {
    const { pages } = nodes;
    for (let index = 0; index < nodes.count(page); index++) {
      const entry = pages.entry(-page, index);
      if (after === undefined || pages.compareWith(entry, after) > 0) {
        yield [pages.keyOf(entry), pages.valueOf(entry)];
      }
    }
  }

  #rootOf(nodes: TreeNodes, owner: Uint8Array | undefined): NodeRef {
    if (owner === undefined) return this.#root;
    const entry = this.#find(nodes, this.#root, owner);
    return entry === undefined ? 0 : nodes.pages.subtreeOf(entry);
  }

  #find(nodes: TreeNodes, root: NodeRef, key: Uint8Array): EntryRef | undefined {
    const path = soughtPath;
    this.#pathOf(key, path, 0);
    const { pages } = nodes;
    const page = -nodes.endOf(root, path);
    // Keys whose paths begin with the same 64 bits are hardly ever found.
    let entry = pages.withPath(page, path, 0);
    while (entry !== 0 && !pages.hasKey(entry, key, 0, key.length)) {
      entry = pages.withPath(page, path, 0, entry + 1);
    }
    return entry === 0 ? undefined : entry;
  }

  #path(key: Uint8Array): Bytes {
    const path = new Uint8Array(hashSize);
    this.#pathOf(key, path, 0);
    return path;
  }
}

/** Of the key that is looked up: nothing is kept of it. */
const soughtPath = new Uint8Array(hashSize);

/** The subtrees at and behind a path, the first one last. */
function behind(nodes: TreeNodes, root: NodeRef, path: Uint8Array): NodeRef[] {
  const found: NodeRef[] = [];
  let ref = root;
  for (let depth = 0; ref > 0; depth++) {
    const goesLeft = bitAt(path, depth) === 0;
    if (goesLeft) found.push(nodes.right(ref));
    ref = goesLeft ? nodes.left(ref) : nodes.right(ref);
  }
  found.push(ref);
  return found;
}
