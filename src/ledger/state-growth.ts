import { toHex } from '../base/bytes.ts';
import { parametersKind } from './chain-parameters.ts';
import type { PathOf } from './entry-pages.ts';
import { entriesIn, namespaceValue, rulesPartOf } from './namespace-entry.ts';
import { namespaceKind, type StateChange, type StateChanges, treeOwnerOf } from './state-entry.ts';
import type { StateTree } from './state-tree.ts';
import { TreeGrowth } from './tree-growth.ts';
import type { NodeRef } from './tree-nodes.ts';

/** A namespace that changes. */
interface Branch {
  readonly key: Uint8Array;
  /** As they are stored; null where it has no entry, or loses it. */
  rules: Uint8Array | null;
  /** Of its tree; held here. */
  root: NodeRef;
  entries: number;
}

/**
 * The next state, entry by entry: records of namespaces go into the trees of those, and all else into the
 * main one, where each namespace that changed gets its new root in the end.
 */
export class StateGrowth {
  readonly #tree: StateTree;
  readonly #main: TreeGrowth;
  readonly #pathOf: PathOf;
  /** By their keys in hex. */
  readonly #branches = new Map<string, Branch>();
  /**
   * The namespace whose tree grows now. A block's changes and a store's entries come sorted, so those of one
   * namespace come together.
   */
  #growing: { readonly branch: Branch; readonly growth: TreeGrowth } | undefined;

  /** What counts for all transactions is among what was added. */
  hasParameters = false;

  constructor(tree: StateTree, pathOf: PathOf) {
    this.#tree = tree;
    this.#main = tree.grow();
    this.#pathOf = pathOf;
  }

  /** In their order. */
  addAll(changes: StateChanges): void {
    for (let index = 0; index < changes.length; index++) {
      const { key, value } = changes.at(index) as StateChange;
      this.add(key, value);
    }
  }

  add(key: Uint8Array, value: Uint8Array | null): void {
    this.hasParameters ||= key[0] === parametersKind;
    const owner = treeOwnerOf(key);
    if (owner !== undefined) this.#growthOf(owner).add(key, value);
    else if (key[0] === namespaceKind) this.#branch(key).rules = value && Uint8Array.from(value);
    else this.#main.add(key, value);
  }

  /** Returns the next version, or the same one when nothing changed. Nothing can be added afterwards. */
  finish(): StateTree {
    this.#stop();
    const { nodes } = this.#main;
    for (const { key, rules, root, entries } of this.#branches.values()) {
      if (rules !== null) {
        this.#main.add(key, namespaceValue(rules, nodes.hashOf(root), entries), root);
        continue;
      }
      nodes.drop(root);
      this.#main.add(key, null);
    }
    return this.#tree.at(nodes, this.#main.finish());
  }

  #growthOf(owner: Uint8Array): TreeGrowth {
    const branch = this.#branch(owner);
    if (this.#growing?.branch !== branch) {
      this.#stop();
      this.#growing = { branch, growth: new TreeGrowth(this.#main.nodes, this.#pathOf, branch.root) };
    }
    return this.#growing.growth;
  }

  #stop(): void {
    if (this.#growing === undefined) return;
    const { branch, growth } = this.#growing;
    const root = growth.finish();
    this.#main.nodes.drop(branch.root);
    branch.root = root;
    branch.entries += growth.added;
    this.#growing = undefined;
  }

  #branch(key: Uint8Array): Branch {
    const name = toHex(key);
    const known = this.#branches.get(name);
    if (known !== undefined) return known;
    const old = this.#tree.withSubtree(key);
    const branch = {
      key: Uint8Array.from(key),
      rules: old === undefined ? null : rulesPartOf(old.value),
      root: this.#main.nodes.hold(old?.root ?? 0),
      entries: old === undefined ? 0 : entriesIn(old.value),
    };
    this.#branches.set(name, branch);
    return branch;
  }
}
