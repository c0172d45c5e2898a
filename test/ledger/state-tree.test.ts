import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { concat, toHex, utf8 } from '../../src/base/bytes.ts';
import { useNativeHash } from '../../src/crypto/native-hash.ts';
import { plainPairHash, usePairHash } from '../../src/crypto/pair-hash.ts';
import type { PathOf } from '../../src/ledger/entry-pages.ts';
import { TreeLookups } from '../../src/ledger/tree-lookups.ts';
import { StateTree, type TreeChange } from '../../src/ledger/state-tree.ts';
import { maxUpdates, TreeUpdate } from '../../src/ledger/tree-update.ts';
import { TreeNodes } from '../../src/ledger/tree-nodes.ts';

/** Keys that are their own paths, so that a test says where an entry belongs; what follows behind 32 bytes is of no matter. */
const pathOf: PathOf = (key, target, at) => target.set(key.subarray(0, 32), at);
const empty = StateTree.empty(pathOf);

/** A path of 256 bits that starts as told and goes on with one bit: paths that share as much as a test wants. */
function pathOfBits(bits: string, fill: '0' | '1' = '0'): Uint8Array {
  const text = bits.padEnd(256, fill);
  return Uint8Array.from({ length: 32 }, (_, i) => Number.parseInt(text.slice(i * 8, i * 8 + 8), 2));
}

const bitsOf = (path: Uint8Array): string =>
  [...path].map((byte) => byte.toString(2).padStart(8, '0')).join('');

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(
    createHash('sha256')
      .update(concat(...parts))
      .digest(),
  );

/** The definition, word for word: no entry is zeros, one entry is its leaf, more are split by their next bit. */
function rootByDefinition(
  entries: readonly (readonly [bits: string, value: Uint8Array])[],
  depth = 0,
): Uint8Array {
  const [first] = entries;
  if (first === undefined) return new Uint8Array(32);
  if (entries.length === 1) {
    const valueHash = sha256(utf8('quorate/v1/state-value\0'), first[1]);
    return sha256(utf8('quorate/v1/state-leaf\0'), pathOfBits(first[0]), valueHash);
  }
  const side = (bit: string): Uint8Array =>
    rootByDefinition(
      entries.filter(([bits]) => bits[depth] === bit),
      depth + 1,
    );
  return sha256(side('0'), side('1'));
}

const change = (path: Uint8Array, value: string | null): TreeChange => ({
  key: path,
  value: value === null ? null : utf8(value),
});

/** Paths that agree in very many first bits: the worst shapes that a tree can have. */
const closePath = fc
  .tuple(
    fc.constantFrom(0, 1, 2, 7, 8, 9, 31, 32, 63, 64, 100, 248, 254, 255),
    fc.constantFrom('0', '1'),
    fc.nat(3),
  )
  .map(([shared, fill, tail]) =>
    pathOfBits(`${'01'.repeat(128).slice(0, shared)}${tail.toString(2)}`.slice(0, 256), fill as '0'),
  );
/** Short values and some that need memory elsewhere, up to several pieces of it. */
const valueText = fc.oneof(
  fc.string({ maxLength: 3 }),
  fc.constantFrom(15, 16, 17, 64, 65, 700).map((n) => 'v'.repeat(n)),
);
const update = fc.tuple(closePath, fc.option(valueText, { nil: null }));

/** Whatever batches come, everything that can be asked is what a plain map says, for this and for earlier versions. */
function followMap(
  batches: readonly (readonly (readonly [Uint8Array, string | null])[])[],
  release: boolean,
): void {
  let tree = empty;
  const model = new Map<string, Uint8Array>();
  for (const batch of batches) {
    const before = tree;
    tree = tree.with(batch.map(([path, value]) => change(path, value)));
    if (release && before !== tree && before !== empty) before.release();
    for (const [path, value] of batch) {
      if (value === null) model.delete(bitsOf(path));
      else model.set(bitsOf(path), utf8(value));
    }
    assert.equal(toHex(tree.rootHash), toHex(rootByDefinition([...model])));
    assert.deepEqual(
      [...tree.entries()].map(([key, value]) => [bitsOf(key), value]),
      [...model].toSorted(([a], [b]) => (a < b ? -1 : 1)),
    );
    for (const [bits, value] of model) assert.deepEqual(tree.get(pathOfBits(bits)), value);
    for (const [path] of batch) assert.deepEqual(tree.get(path), model.get(bitsOf(path)));
  }
}

test('the root is the one of the definition, also for paths that share up to 255 bits, in whatever batches they come', () => {
  fc.assert(
    fc.property(fc.array(fc.array(update, { maxLength: 24 }), { maxLength: 6 }), fc.boolean(), followMap),
    { seed: 21, numRuns: 300 },
  );
});

test('the same with many entries that come and go, in small and large batches, by either hasher', () => {
  const spread = fc
    .tuple(fc.nat(300), fc.option(valueText, { nil: null, freq: 2 }))
    .map(([number, value]) => [sha256(utf8(`key ${number}`)), value] as const);
  for (const install of [() => usePairHash(plainPairHash), useNativeHash]) {
    install();
    fc.assert(
      fc.property(fc.array(fc.array(spread, { maxLength: 200 }), { maxLength: 8 }), fc.boolean(), followMap),
      { seed: 22, numRuns: 25 },
    );
  }
});

test('many that are looked up together are found where one alone is, or not at all', () => {
  const size = { keyBytes: 32, valueBytes: 2 };
  const found = { alone: 0, together: 0 };
  fc.assert(
    fc.property(
      fc.array(closePath, { maxLength: 40 }),
      fc.array(closePath, { minLength: 1, maxLength: 40 }),
      fc.constantFrom('ab', 'abc'),
      (there, asked, value) => {
        const tree = empty.with(there.map((path) => change(path, value)));
        const lookups = new TreeLookups(pathOf, asked.length, size);
        for (const path of asked) lookups.add(path);
        assert.ok(lookups.isFull);
        tree.lookUp(lookups);
        for (const [place, path] of asked.entries()) {
          const alone = tree.get(path);
          if (alone?.length === 2) found.alone += 1;
          if (!lookups.isFound(place)) continue;
          found.together += 1;
          assert.deepEqual(lookups.values.subarray(2 * place, 2 * place + 2), alone);
        }
      },
    ),
    { seed: 23, numRuns: 300 },
  );
  // What it may leave out are keys whose paths begin with the same 64 bits as another's.
  assert.ok(found.together > found.alone / 2 && found.together < found.alone);
});

test('entries behind a path are those that come later, whether or not something stands at it', () => {
  const paths = Array.from({ length: 60 }, (_, i) => sha256(utf8(`entry ${i}`)));
  const tree = empty.with(paths.map((path) => change(path, 'x')));
  const inOrder = paths.map(bitsOf).toSorted();
  for (const place of [...paths, ...Array.from({ length: 60 }, (_, i) => sha256(utf8(`none ${i}`)))]) {
    assert.deepEqual(
      [...tree.entries(place)].map(([key]) => bitsOf(key)),
      inOrder.filter((bits) => bits > bitsOf(place)),
    );
  }
});

test('a deleted neighbour lets the other leaf move up through hundreds of levels', () => {
  const [one, two] = [pathOfBits('', '0'), pathOfBits('0'.repeat(255) + '1')];
  const alone = empty.with([change(one, 'a')]);
  const both = alone.with([change(two, 'b')]);
  assert.equal(both.way(one).siblings.length, 256);
  assert.deepEqual(both.with([change(two, null)]).rootHash, alone.rootHash);
  assert.deepEqual(both.with([change(one, null), change(two, null)]).rootHash, new Uint8Array(32));
});

test('changes that change nothing give the same version', () => {
  const tree = empty.with([change(pathOfBits('0'), 'a'), change(pathOfBits('1'), 'b')]);
  assert.equal(tree.with([]), tree);
  assert.equal(tree.with([change(pathOfBits('0'), 'a')]), tree);
  assert.equal(tree.with([change(pathOfBits('01'), null)]), tree);
  assert.equal(empty.with([change(pathOfBits('01'), null)]), empty);
});

test('versions that are released give their memory to the next ones', () => {
  const key = (i: number): Uint8Array => sha256(utf8(`account ${i}`));
  let tree = empty.with(Array.from({ length: 2_000 }, (_, i) => change(key(i), 'x'.repeat(i % 200))));
  let most = 0;
  for (let round = 0; round < 300; round++) {
    const before = tree;
    const changes = Array.from({ length: 50 }, (_, i) =>
      change(key((round * 37 + i * 41) % 2_000), 'y'.repeat((round + i) % 200)),
    );
    tree = tree.with(changes);
    before.release();
    if (round === 60) most = tree.memoryBytes;
  }
  assert.ok(tree.memoryBytes <= 1.1 * most, `${tree.memoryBytes} bytes, and ${most} after 60 rounds`);
});

test('a version that another one shares stays when that is released, and who reads a released one is stopped', () => {
  const tree = empty.with([change(pathOfBits('0'), 'a'), change(pathOfBits('1'), 'b')]);
  const shared = tree.share();
  tree.release();
  tree.release();
  const next = shared.with(Array.from({ length: 50 }, (_, i) => change(sha256(utf8(`${i}`)), 'c')));
  assert.deepEqual(shared.get(pathOfBits('0')), utf8('a'));
  assert.deepEqual(next.get(pathOfBits('1')), utf8('b'));
  for (const read of [
    () => tree.get(pathOfBits('0')),
    () => tree.rootHash,
    () => tree.with([]),
    () => tree.share(),
    () => [...tree.entries()],
    () => tree.way(pathOfBits('0')),
  ]) {
    assert.throws(read, /a state that was released is read no more/);
  }
});

test('the empty tree is everybody’s: to release it does nothing', () => {
  empty.release();
  assert.deepEqual(empty.with([change(pathOfBits('0'), 'a')]).get(pathOfBits('0')), utf8('a'));
});

test('a run of updates is bounded', () => {
  assert.ok(maxUpdates >= 2_000_000);
  const nodes = new TreeNodes(pathOf);
  const run = new TreeUpdate(nodes, pathOf);
  assert.throws(() => run.add(pathOfBits('0'), new Uint8Array(2 ** 16)), /keys and values are short/);
});
