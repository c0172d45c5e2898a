import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { compareBytes, toHex, utf8 } from '../../src/base/bytes.ts';
import { hashBytes } from '../../src/crypto/hash.ts';
import {
  findLeaf,
  hashTree,
  leavesOf,
  type Tree,
  type Update,
  updateTree,
} from '../../src/ledger/state-tree.ts';

/** A path of 256 bits that starts as told and goes on with one bit: paths that share as much as a test wants. */
function pathOf(bits: string, fill: '0' | '1' = '0'): Uint8Array {
  const text = bits.padEnd(256, fill);
  return Uint8Array.from({ length: 32 }, (_, i) => Number.parseInt(text.slice(i * 8, i * 8 + 8), 2));
}

const bitsOf = (path: Uint8Array): string =>
  [...path].map((byte) => byte.toString(2).padStart(8, '0')).join('');

/** The definition, word for word: no entry is zeros, one entry is its leaf, more are split by their next bit. */
function rootByDefinition(
  entries: readonly (readonly [bits: string, value: Uint8Array])[],
  depth = 0,
): Uint8Array {
  const [first] = entries;
  if (first === undefined) return new Uint8Array(32);
  if (entries.length === 1) {
    return hashBytes(
      'quorate/v1/state-leaf',
      pathOf(first[0]),
      hashBytes('quorate/v1/state-value', first[1]),
    );
  }
  return hashBytes(
    'quorate/v1/state-node',
    rootByDefinition(
      entries.filter(([bits]) => bits[depth] === '0'),
      depth + 1,
    ),
    rootByDefinition(
      entries.filter(([bits]) => bits[depth] === '1'),
      depth + 1,
    ),
  );
}

const change = (path: Uint8Array, value: string | null): Update => ({
  path,
  key: path,
  value: value === null ? null : utf8(value),
});

function apply(tree: Tree, updates: readonly Update[]): Tree {
  return updateTree(
    tree,
    updates.toSorted((a, b) => compareBytes(a.path, b.path)),
  );
}

const rootOf = (tree: Tree): string => hashTree(tree);

/** Paths that agree in very many first bits: the worst shapes that a tree can have. */
const closePath = fc
  .tuple(fc.constantFrom(0, 1, 2, 7, 8, 9, 100, 248, 254, 255), fc.constantFrom('0', '1'), fc.nat(3))
  .map(([shared, fill, tail]) =>
    pathOf(`${'01'.repeat(128).slice(0, shared)}${tail.toString(2)}`.slice(0, 256), fill as '0'),
  );

test('the root is the one of the definition, also for paths that share up to 255 bits, in whatever batches they come', () => {
  const update = fc.tuple(closePath, fc.option(fc.string({ maxLength: 3 }), { nil: null }));
  fc.assert(
    fc.property(fc.array(fc.array(update, { maxLength: 12 }), { maxLength: 6 }), (batches) => {
      let tree: Tree = null;
      const model = new Map<string, Uint8Array>();
      for (const batch of batches) {
        const once = new Map(batch.map(([path, value]) => [bitsOf(path), change(path, value)]));
        tree = apply(tree, [...once.values()]);
        for (const [bits, { value }] of once) {
          if (value === null) model.delete(bits);
          else model.set(bits, value);
        }
        assert.equal(rootOf(tree), toHex(rootByDefinition([...model])));
        assert.deepEqual(
          [...leavesOf(tree)].map((leaf) => bitsOf(leaf.path)),
          [...model.keys()].toSorted(),
        );
        for (const [bits, value] of model) assert.deepEqual(findLeaf(tree, pathOf(bits))?.value, value);
      }
    }),
    { seed: 21, numRuns: 300 },
  );
});

test('a deleted neighbour lets the other leaf move up through hundreds of levels', () => {
  const [one, two] = [pathOf('', '0'), pathOf('0'.repeat(255) + '1')];
  const alone = apply(null, [change(one, 'a')]);
  const both = apply(alone, [change(two, 'b')]);
  assert.equal(both?.type, 'branch');
  assert.equal(apply(both, [change(two, null)]), alone);
  assert.equal(apply(both, [change(one, null), change(two, null)]), null);
});

test('what does not change is shared: unchanged values, unknown deletes and other subtrees keep their nodes', () => {
  const [left, right] = [pathOf('0'), pathOf('1')];
  const tree = apply(null, [change(left, 'a'), change(right, 'b')]);
  assert.equal(apply(tree, [change(left, 'a')]), tree);
  assert.equal(apply(tree, [change(pathOf('01'), null)]), tree);
  const changed = apply(tree, [change(left, 'c')]);
  assert.ok(changed?.type === 'branch' && tree?.type === 'branch');
  assert.equal(changed.right, tree.right);
  assert.notEqual(changed.left, tree.left);
});

test('each node is hashed once: an update of a hashed tree leaves only its own path to hash', () => {
  const paths = Array.from({ length: 64 }, (_, i) => pathOf(i.toString(2).padStart(6, '0')));
  const tree = apply(
    null,
    paths.map((path) => change(path, 'x')),
  );
  hashTree(tree);
  const next = apply(tree, [change(paths[5] as Uint8Array, 'y')]);
  assert.equal(countUnhashed(next), 7);
  hashTree(next);
  assert.equal(countUnhashed(next), 0);
});

function countUnhashed(tree: Tree): number {
  if (tree === null) return 0;
  const own = tree.hash === undefined ? 1 : 0;
  return tree.type === 'leaf' ? own : own + countUnhashed(tree.left) + countUnhashed(tree.right);
}
