import { invariant } from '../base/invariant.ts';
import { domainPrefix, hashInto, sha256Into } from '../crypto/hash.ts';
import { hashSize } from '../crypto/pair-hash.ts';
import type { EntryPages, EntryRef, PathOf } from './entry-pages.ts';
import { pageEntries } from './page-heads.ts';
import type { NodeRef, TreeNodes } from './tree-nodes.ts';
import type { BranchList, UpdateMemory } from './update-memory.ts';

const leafPrefix = domainPrefix('quorate/v1/state-leaf');
/**
 * The domain, the path, and the value's hash: 86 bytes, so no leaf is hashed like a
 * branch, whose message has 64.
 */
const leafMessage = new Uint8Array(leafPrefix.length + 2 * hashSize);
leafMessage.set(leafPrefix);

/** Writes the hash of the leaf of an entry. */
function hashEntryInto(path: Uint8Array, value: Uint8Array, target: Uint8Array, at: number): void {
  leafMessage.set(path, leafPrefix.length);
  hashInto('quorate/v1/state-value', leafMessage, leafPrefix.length + hashSize, value);
  sha256Into(leafMessage, target, at);
}

/** The hash of a leaf that is known by its value's hash. */
export function hashLeaf(path: Uint8Array, valueHash: Uint8Array): Uint8Array {
  leafMessage.set(path, leafPrefix.length);
  leafMessage.set(valueHash, leafPrefix.length + hashSize);
  const leaf = new Uint8Array(hashSize);
  sha256Into(leafMessage, leaf, 0);
  return leaf;
}

/** Sorting is by numbers that hold the first 32 bits of a path and the update's place: 53 bits are exact. */
const placeBits = 21;
/** The most updates of one run. */
export const maxUpdates = 2 ** placeBits;

/**
 * One run of updates of a tree: collects what becomes of each key, then makes the next version with all of
 * them, and hashes what is new. A subtree with at most eight entries is a page, and any other a branch: so
 * the shape depends on the entries alone.
 */
export class TreeUpdate {
  readonly #nodes: TreeNodes;
  readonly #pages: EntryPages;
  readonly #memory: UpdateMemory;
  readonly #staged: EntryPages;
  /** How many updates there are. Their entries are numbered one by one from the first of page 1 on. */
  #size = 0;
  /** By update: its entry goes away. Empty while none does. */
  readonly #removed = new Set<EntryRef>();
  #stagedPage = 0;
  /** How many more entries the tree has than before, once this is applied. */
  growth = 0;

  constructor(nodes: TreeNodes, pathOf: PathOf) {
    this.#nodes = nodes;
    this.#pages = nodes.pages;
    this.#memory = nodes.borrow(pathOf);
    this.#staged = this.#memory.staged;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * What becomes of one key; null removes its entry. Of two updates of a key the later
   * counts. The bytes are copied. The entry holds the root of a tree of its own in the caller's place.
   */
  add(key: Uint8Array, value: Uint8Array | null, subtree: NodeRef = 0): void {
    invariant(this.#size < maxUpdates, 'a run of updates is bounded');
    invariant(key.length < 2 ** 16 && (value?.length ?? 0) < 2 ** 16, 'keys and values are short');
    if (this.#size % pageEntries === 0) {
      this.#stagedPage += 1;
      this.#memory.beginPage(this.#stagedPage);
    }
    const entry =
      value === null
        ? this.#staged.append(this.#stagedPage, key, nothing, () => {})
        : this.#staged.append(this.#stagedPage, key, value, hashEntryInto, subtree);
    if (value === null) this.#removed.add(entry);
    this.#size += 1;
  }

  /** The tree after the updates, held by the caller and hashed. The old one stays. */
  apply(root: NodeRef): NodeRef {
    const order = this.#sorted();
    const next = order.length === 0 ? this.#nodes.hold(root) : this.#update(root, order, 0, order.length, 0);
    this.#nodes.hashing.finish();
    const { levels } = this.#memory;
    for (let depth = levels.length - 1; depth >= 0; depth--) {
      this.#nodes.hashBranches(levels[depth] as BranchList);
    }
    for (let page = 1; page <= this.#stagedPage; page++) this.#staged.clear(page);
    this.#nodes.giveBack(this.#memory);
    return next;
  }

  /**
   * `order[from]` up to, and without, `order[to]` belong under this subtree. Returns what the caller holds.
   */
  #update(tree: NodeRef, order: Uint32Array, from: number, to: number, depth: number): NodeRef {
    const nodes = this.#nodes;
    if (tree === 0 && this.#removed.size === 0) return this.#build(order, from, to, depth);
    if (tree <= 0) return this.#merge(tree, order, from, to, depth);
    if (to - from === 1) return this.#updateOne(tree, order, from, depth);
    const oldLeft = nodes.left(tree);
    const oldRight = nodes.right(tree);
    const middle = this.#split(order, from, to, depth);
    const left = from < middle ? this.#update(oldLeft, order, from, middle, depth + 1) : nodes.hold(oldLeft);
    const right = middle < to ? this.#update(oldRight, order, middle, to, depth + 1) : nodes.hold(oldRight);
    if (left !== oldLeft || right !== oldRight) return this.#join(left, right, depth);
    nodes.drop(left);
    nodes.drop(right);
    return nodes.hold(tree);
  }

  /** The same for one update below a branch, as most are a few levels below the root: down and up again. */
  #updateOne(tree: NodeRef, order: Uint32Array, from: number, depth: number): NodeRef {
    const nodes = this.#nodes;
    const { way } = this.#memory;
    const entry = order[from] as EntryRef;
    let end = depth;
    let old = tree;
    for (; old > 0; end++) {
      way[end] = old;
      old = nodes.child(old, this.#staged.bitOf(entry, end));
    }
    let next = this.#update(old, order, from, from + 1, end);
    if (next === old) {
      nodes.drop(next);
      return nodes.hold(tree);
    }
    while (end > depth) {
      end -= 1;
      const bit = this.#staged.bitOf(entry, end);
      const beside = nodes.hold(nodes.child(way[end] as NodeRef, 1 - bit));
      next = bit === 0 ? this.#join(next, beside, end) : this.#join(beside, next, end);
    }
    return next;
  }

  /** Updates of a page: what stays of it and what is new, in the order of their paths. */
  #merge(tree: NodeRef, order: Uint32Array, from: number, to: number, depth: number): NodeRef {
    const pages = this.#pages;
    const count = this.#nodes.count(tree);
    const { merged } = this.#memory;
    let size = 0;
    let old = 0;
    let hasChanged = false;
    for (let i = from; i < to; i++) {
      const entry = order[i] as EntryRef;
      let comparison = 1;
      while (old < count) {
        comparison = pages.compare(pages.entry(-tree, old), this.#staged, entry);
        if (comparison >= 0) break;
        old += 1;
        merged[size++] = -old;
      }
      const isThere = old < count && comparison === 0;
      if (isThere) old += 1;
      if (this.#removed.has(entry)) {
        hasChanged ||= isThere;
        if (isThere) this.growth -= 1;
      } else if (isThere && pages.isSame(pages.entry(-tree, old - 1), this.#staged, entry))
        merged[size++] = -old;
      else {
        merged[size++] = entry;
        hasChanged = true;
        if (!isThere) this.growth += 1;
      }
    }
    if (!hasChanged) return this.#nodes.hold(tree);
    while (old < count) {
      old += 1;
      merged[size++] = -old;
    }
    return this.#place(tree, merged, 0, size, depth);
  }

  /** The subtree of entries that `#merge` made of a page. */
  #place(tree: NodeRef, merged: readonly number[], from: number, to: number, depth: number): NodeRef {
    if (from === to) return 0;
    if (to - from > pageEntries) {
      let middle = from;
      while (middle < to && this.#mergedBit(tree, merged[middle] as number, depth) === 0) middle += 1;
      const left = this.#place(tree, merged, from, middle, depth + 1);
      return this.#branch(left, this.#place(tree, merged, middle, to, depth + 1), depth);
    }
    const page = this.#nodes.page();
    for (let i = from; i < to;) {
      const entry = merged[i] as number;
      if (entry >= 0) {
        this.#pages.appendCopies(-page, this.#staged, entry, 1);
        i += 1;
        continue;
      }
      // What stays of the old page mostly stands side by side.
      let count = 1;
      while (i + count < to && merged[i + count] === entry - count) count += 1;
      this.#pages.appendCopies(-page, this.#pages, this.#pages.entry(-tree, -entry - 1), count);
      i += count;
    }
    this.#nodes.hashing.add(-page, depth);
    return page;
  }

  #mergedBit(tree: NodeRef, entry: number, depth: number): number {
    if (entry >= 0) return this.#staged.bitOf(entry, depth);
    return this.#pages.bitOf(this.#pages.entry(-tree, -entry - 1), depth);
  }

  /** A subtree of new entries only. */
  #build(order: Uint32Array, from: number, to: number, depth: number): NodeRef {
    if (from === to) return 0;
    if (to - from > pageEntries) {
      const middle = this.#split(order, from, to, depth);
      const left = this.#build(order, from, middle, depth + 1);
      return this.#branch(left, this.#build(order, middle, to, depth + 1), depth);
    }
    this.growth += to - from;
    const page = this.#nodes.page();
    for (let i = from; i < to; i++) {
      this.#pages.appendCopies(-page, this.#staged, order[i] as EntryRef, 1);
    }
    this.#nodes.hashing.add(-page, depth);
    return page;
  }

  /** The subtree over two others: those that became small enough become one page. */
  #join(left: NodeRef, right: NodeRef, depth: number): NodeRef {
    const nodes = this.#nodes;
    if (left > 0 || right > 0 || nodes.count(left) + nodes.count(right) > pageEntries)
      return this.#branch(left, right, depth);
    if (left === 0 && right === 0) return 0;
    const page = nodes.page();
    for (const part of [left, right]) {
      this.#pages.appendCopies(-page, this.#pages, this.#pages.entry(-part, 0), nodes.count(part));
      nodes.drop(part);
    }
    this.#nodes.hashing.add(-page, depth);
    return page;
  }

  #branch(left: NodeRef, right: NodeRef, depth: number): NodeRef {
    const branch = this.#nodes.branch(left, right);
    this.#memory.addBranch(branch, depth);
    return branch;
  }

  /** The first update whose path goes right at this depth. */
  #split(order: Uint32Array, from: number, to: number, depth: number): number {
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#staged.bitOf(order[middle] as EntryRef, depth) === 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The updates in the order of their paths; of those of one key the latest. */
  #sorted(): Uint32Array {
    const count = this.#size;
    const first = this.#staged.entry(1, 0);
    const numbers = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      numbers[i] = this.#staged.first32(first + i) * maxUpdates + i;
    }
    numbers.sort();
    const order = new Uint32Array(count);
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const entry = first + ((numbers[i] as number) % maxUpdates);
      // Insertion behind all that are smaller or equal: entries with the same first bits are few, or of one
      // key.
      let at = kept;
      let comparison = -1;
      for (; at > 0; at--) {
        comparison = this.#staged.compare(order[at - 1] as EntryRef, this.#staged, entry);
        if (comparison <= 0) break;
      }
      if (at > 0 && comparison === 0) {
        order[at - 1] = entry;
        continue;
      }
      if (at < kept) order.copyWithin(at + 1, at, kept);
      order[at] = entry;
      kept += 1;
    }
    return order.subarray(0, kept);
  }
}

const nothing = new Uint8Array();
