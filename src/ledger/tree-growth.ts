import type { PathOf } from './entry-pages.ts';
import type { NodeRef, TreeNodes } from './tree-nodes.ts';
import { maxUpdates, TreeUpdate } from './tree-update.ts';

/**
 * A tree that grows: takes changes one at a time, in any number and from whatever source, and hashes in the
 * end.
 */
export class TreeGrowth {
  readonly nodes: TreeNodes;
  readonly #pathOf: PathOf;
  #root: NodeRef;
  /** The root is one of an earlier run, and held here. */
  #isOwn = false;
  #update: TreeUpdate;
  #added = 0;

  /** From a root that somebody else holds until the end. */
  constructor(nodes: TreeNodes, pathOf: PathOf, root: NodeRef) {
    this.nodes = nodes;
    this.#pathOf = pathOf;
    this.#root = root;
    this.#update = new TreeUpdate(nodes, pathOf);
  }

  /** How many more entries the tree has than at the start. Known once it is finished. */
  get added(): number {
    return this.#added;
  }

  /** As `TreeUpdate.add`. */
  add(key: Uint8Array, value: Uint8Array | null, subtree: NodeRef = 0): void {
    if (this.#update.size === maxUpdates) {
      this.#apply();
      this.#update = new TreeUpdate(this.nodes, this.#pathOf);
    }
    this.#update.add(key, value, subtree);
  }

  /** The root with all that was added, held by the caller. Nothing can be added afterwards. */
  finish(): NodeRef {
    this.#apply();
    return this.#root;
  }

  #apply(): void {
    const next = this.#update.apply(this.#root);
    this.#added += this.#update.growth;
    if (this.#isOwn) this.nodes.drop(this.#root);
    this.#root = next;
    this.#isOwn = true;
  }
}
