import { equalBytes, toHex } from '../base/bytes.ts';
import { hash, type Hash, zeroHash } from '../crypto/hash.ts';
import { pairHasher } from './pair-hasher.ts';

/**
 * A compact sparse Merkle tree: each entry is a leaf at the shallowest depth at which no other entry shares its
 * path's first bits. So the shape, and with it the root, depends on the entries alone and not on how they came.
 * Nodes never change, apart from remembering their hash; versions of the tree share what they have in common.
 *
 * With some million entries the depth is about 22; only a partial collision of SHA-256 makes a branch deeper.
 */
export type TreeNode = Leaf | Branch;
/** A subtree; null is the empty one, and its hash is zero. */
export type Tree = TreeNode | null;

export interface Leaf {
  readonly type: 'leaf';
  readonly path: Uint8Array;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  hash: Hash | undefined;
}

/** At least two leaves hang below it. */
export interface Branch {
  readonly type: 'branch';
  readonly left: Tree;
  readonly right: Tree;
  hash: Hash | undefined;
}

/** What becomes of one path. */
export interface Update {
  readonly path: Uint8Array;
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

export const hashStateNode = pairHasher('quorate/v1/state-node');
export const hashStateLeaf = pairHasher('quorate/v1/state-leaf');

export function hashValue(value: Uint8Array): Hash {
  return hash('quorate/v1/state-value', value);
}

/** The hash of a subtree. Each node is hashed once in its life, when first asked. */
export function hashTree(tree: Tree): Hash {
  if (tree === null) return zeroHash;
  if (tree.hash === undefined) {
    tree.hash =
      tree.type === 'leaf'
        ? hashStateLeaf(toHex(tree.path) as Hash, hashValue(tree.value))
        : // The arguments are complete before the hasher's own buffer is touched.
          hashStateNode(hashTree(tree.left), hashTree(tree.right));
  }
  return tree.hash;
}

/** The bit of a path that decides at a branch of this depth: 0 goes left. */
export function bitAt(path: Uint8Array, depth: number): number {
  return ((path[depth >>> 3] as number) >>> (7 - (depth & 7))) & 1;
}

/** The leaf at which a walk along the path ends, when it is the path's own. */
export function findLeaf(tree: Tree, path: Uint8Array): Leaf | undefined {
  let node = tree;
  for (let depth = 0; node !== null && node.type === 'branch'; depth++) {
    node = bitAt(path, depth) === 0 ? node.left : node.right;
  }
  return node !== null && equalBytes(node.path, path) ? node : undefined;
}

/** The tree after updates, which are in ascending order of their paths, each path once. */
export function updateTree(tree: Tree, updates: readonly Update[]): Tree {
  return updates.length === 0 ? tree : update(tree, updates, 0, updates.length, 0);
}

/** `updates[from]` up to, and without, `updates[to]` belong under this subtree. */
function update(tree: Tree, updates: readonly Update[], from: number, to: number, depth: number): Tree {
  if (tree === null || tree.type === 'leaf') {
    const leaves = mergeLeaves(tree, updates, from, to);
    return leaves.length === 1 && leaves[0] === tree ? tree : build(leaves, 0, leaves.length, depth);
  }
  const middle = split(updates, from, to, depth);
  const left = from < middle ? update(tree.left, updates, from, middle, depth + 1) : tree.left;
  const right = middle < to ? update(tree.right, updates, middle, to, depth + 1) : tree.right;
  if (left === tree.left && right === tree.right) return tree;
  return join(left, right);
}

/** The leaves, in order of path, that a place with at most one leaf has after updates. */
function mergeLeaves(old: Leaf | null, updates: readonly Update[], from: number, to: number): Leaf[] {
  const leaves: Leaf[] = [];
  let waiting = old;
  for (let i = from; i < to; i++) {
    const { path, key, value } = updates[i] as Update;
    if (waiting !== null) {
      const order = comparePaths(waiting.path, path);
      if (order < 0) leaves.push(waiting);
      if (order === 0 && value !== null && equalBytes(waiting.value, value)) {
        leaves.push(waiting);
        waiting = null;
        continue;
      }
      if (order <= 0) waiting = null;
    }
    if (value !== null) leaves.push({ type: 'leaf', path, key, value, hash: undefined });
  }
  if (waiting !== null) leaves.push(waiting);
  return leaves;
}

function build(leaves: readonly Leaf[], from: number, to: number, depth: number): Tree {
  if (from === to) return null;
  if (to - from === 1) return leaves[from] as Leaf;
  const middle = split(leaves, from, to, depth);
  return join(build(leaves, from, middle, depth + 1), build(leaves, middle, to, depth + 1));
}

/** A leaf that is alone moves up: that keeps the shape canonical after deletes. */
function join(left: Tree, right: Tree): Tree {
  if (left === null && (right === null || right.type === 'leaf')) return right;
  if (right === null && left !== null && left.type === 'leaf') return left;
  return { type: 'branch', left, right, hash: undefined };
}

/** The first index whose path goes right at this depth. */
function split(
  items: readonly { readonly path: Uint8Array }[],
  from: number,
  to: number,
  depth: number,
): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bitAt((items[middle] as Update).path, depth) === 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function comparePaths(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < 32; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** All leaves in order of path. */
export function* leavesOf(tree: Tree): Generator<Leaf> {
  if (tree === null) return;
  if (tree.type === 'leaf') {
    yield tree;
    return;
  }
  yield* leavesOf(tree.left);
  yield* leavesOf(tree.right);
}

/** The leaves behind a path, in order of path. Finds its place without walking what is before it. */
export function* leavesAfter(tree: Tree, path: Uint8Array, depth = 0): Generator<Leaf> {
  if (tree === null) return;
  if (tree.type === 'leaf') {
    if (comparePaths(tree.path, path) > 0) yield tree;
    return;
  }
  if (bitAt(path, depth) === 0) {
    yield* leavesAfter(tree.left, path, depth + 1);
    yield* leavesOf(tree.right);
  } else yield* leavesAfter(tree.right, path, depth + 1);
}
