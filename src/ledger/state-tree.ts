import { invariant } from '../base/invariant.ts';
import { hashSize } from '../crypto/pair-hash.ts';
import type { Bytes } from './cell-store.ts';
import { bitAt, type EntryRef, type PathOf } from './entry-pages.ts';
import { PageHashing } from './page-hashing.ts';
import { type NodeRef, TreeNodes } from './tree-nodes.ts';
import { maxUpdates, TreeUpdate } from './tree-update.ts';

/** What becomes of one entry: its value, or null when it goes away. */
export interface TreeChange {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/** An entry, and where it belongs. */
interface TreeEnd {
  readonly key: Uint8Array;
  readonly path: Uint8Array;
  readonly value: Uint8Array;
}

/** What lies beside the way of a path, and where it ends. */
interface Way {
  /** The hash beside the path on each level, from the root down; zero for an empty subtree. */
  readonly siblings: readonly Uint8Array[];
  /** The leaf at its end, whosever it is; undefined where nothing is. */
  readonly end: TreeEnd | undefined;
}

/** A version that nobody can reach any more holds its root no longer. */
const abandoned = new FinalizationRegistry<{ readonly nodes: TreeNodes; readonly root: NodeRef }>(
  ({ nodes, root }) => nodes.drop(root),
);

/**
 * One version of a compact sparse Merkle tree: each entry is a leaf at the shallowest depth at which
 * no other entry shares its path's first bits. So the shape, and with it the root, depends on the
 * entries alone and not on how they came. A version never changes; `with` gives the next one, which
 * shares all nodes that stayed.
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

  /** A copy of the value under a key. */
  get(key: Uint8Array): Bytes | undefined {
    const nodes = this.#held();
    if (nodes === undefined) return undefined;
    const path = this.#path(key);
    let ref = this.#root;
    for (let depth = 0; ref > 0; depth++) {
      ref = bitAt(path, depth) === 0 ? nodes.left(ref) : nodes.right(ref);
    }
    for (let index = 0; index < nodes.count(ref); index++) {
      const entry = nodes.pages.entry(-ref, index);
      if (nodes.pages.isAt(entry, path, key)) return nodes.pages.valueOf(entry);
    }
    return undefined;
  }

  /**
   * The version after changes, in any number; of two changes to one key the later
   * counts. The bytes are copied.
   */
  with(changes: readonly TreeChange[]): StateTree {
    const growth = new TreeGrowth(this);
    for (const { key, value } of changes) growth.add(key, value);
    return growth.finish();
  }

  /** The way of a key's path from the root down. */
  way(key: Uint8Array): Way {
    const siblings: Uint8Array[] = [];
    const nodes = this.#held();
    if (nodes === undefined) return { siblings, end: undefined };
    const path = this.#path(key);
    let ref = this.#root;
    let depth = 0;
    for (; ref > 0; depth++) {
      const goesLeft = bitAt(path, depth) === 0;
      siblings.push(nodes.hashOf(goesLeft ? nodes.right(ref) : nodes.left(ref)));
      ref = goesLeft ? nodes.left(ref) : nodes.right(ref);
    }
    // Below that the branches stand nowhere: of what is beside the path they are hashed anew.
    const { pages } = nodes;
    const hashing = new PageHashing(pages);
    let [from, to] = [0, nodes.count(ref)];
    for (; to - from > 1; depth++) {
      let middle = from;
      while (middle < to && pages.bitOf(pages.entry(-ref, middle), depth) === 0) middle += 1;
      const goesLeft = bitAt(path, depth) === 0;
      siblings.push(
        goesLeft
          ? hashing.partOf(-ref, middle, to, depth + 1)
          : hashing.partOf(-ref, from, middle, depth + 1),
      );
      if (goesLeft) to = middle;
      else from = middle;
    }
    return { siblings, end: from === to ? undefined : this.#end(nodes, pages.entry(-ref, from)) };
  }

  /** All entries, or those behind a key's, in the order of their paths. Copies. */
  *entries(after?: Uint8Array): Generator<readonly [key: Bytes, value: Bytes]> {
    const nodes = this.#held();
    if (nodes === undefined) return;
    const path = after === undefined ? undefined : this.#path(after);
    const waiting = path === undefined ? [this.#root] : this.#behind(nodes, path);
    // Asks each time: also so that a version that only its generator has is not taken for abandoned.
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

  /** What the next version starts from. For `TreeGrowth`. */
  parts(): { readonly pathOf: PathOf; readonly nodes: TreeNodes; readonly root: NodeRef } {
    return { pathOf: this.#pathOf, nodes: this.#held() ?? new TreeNodes(this.#pathOf), root: this.#root };
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

  #end({ pages }: TreeNodes, entry: EntryRef): TreeEnd {
    return { key: pages.keyOf(entry), path: pages.pathOf(entry), value: pages.valueOf(entry) };
  }

  /** The subtrees at and behind a path, the first one last. */
  #behind(nodes: TreeNodes, path: Uint8Array): NodeRef[] {
    const behind: NodeRef[] = [];
    let ref = this.#root;
    for (let depth = 0; ref > 0; depth++) {
      const goesLeft = bitAt(path, depth) === 0;
      if (goesLeft) behind.push(nodes.right(ref));
      ref = goesLeft ? nodes.left(ref) : nodes.right(ref);
    }
    behind.push(ref);
    return behind;
  }

  #path(key: Uint8Array): Bytes {
    const path = new Uint8Array(hashSize);
    this.#pathOf(key, path, 0);
    return path;
  }
}

/** A tree that grows: takes changes one at a time, from whatever source, and hashes in the end. */
export class TreeGrowth {
  #tree: StateTree;
  #nodes: TreeNodes;
  #pathOf: PathOf;
  #update: TreeUpdate;

  constructor(tree: StateTree) {
    const { nodes, pathOf } = tree.parts();
    this.#tree = tree;
    this.#nodes = nodes;
    this.#pathOf = pathOf;
    this.#update = new TreeUpdate(nodes, pathOf);
  }

  add(key: Uint8Array, value: Uint8Array | null): void {
    if (this.#update.size === maxUpdates) {
      this.finish();
      this.#update = new TreeUpdate(this.#nodes, this.#pathOf);
    }
    this.#update.add(key, value);
  }

  /** The version with all that was added. Takes nothing more. */
  finish(): StateTree {
    const { root } = this.#tree.parts();
    this.#tree = this.#tree.at(this.#nodes, this.#update.apply(root));
    return this.#tree;
  }
}
