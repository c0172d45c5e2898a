import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { utf8 } from '../../src/base/bytes.ts';
import { defined } from '../../src/base/invariant.ts';
import { toHeight } from '../../src/ledger/block.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import type { Transaction } from '../../src/ledger/transaction.ts';
import { ChainStore } from '../../src/storage/chain-store.ts';
import { checksummedWrite } from '../../src/storage/checksummed.ts';
import {
  bucketOf,
  entryExtraBytes,
  EntryWriter,
  runBlocks,
  runEnd,
} from '../../src/storage/index-entries.ts';
import { IndexTables } from '../../src/storage/index-tables.ts';
import { keys } from '../../src/storage/keys.ts';
import { MemoryStore } from '../../src/storage/memory-store.ts';
import { copyOf } from '../../src/storage/port.ts';
import { chainId, commitOf, sampleBlocks, sampleSender } from './chain-samples.ts';
import { IndexedChain } from './indexed-chain.ts';
import { keyOf, put, transaction, transfer } from '../ledger/samples.ts';

const h = toHeight;
const all = { from: h(0), to: h(1_000), newestFirst: false, limit: 1_000 };
const newest = { ...all, newestFirst: true };

/** Alice puts a record in each block from 1 to `last`. */
async function puts(world: IndexedChain, last: number): Promise<void> {
  while (world.nextHeight <= last) {
    const height = world.nextHeight;
    await world.add([put({ from: 'alice', nonce: height - 1, reference: utf8('r') }, 'key', `${height}`)]);
  }
}

describe('indexes', () => {
  test('list transactions by account and reference, and versions by record, both ways and in parts', async () => {
    const world = new IndexedChain();
    const chain = await world.open();
    await world.add([
      transfer({ from: 'alice', nonce: 0, reference: utf8('order 7') }, 'bob', 5n),
      transaction(
        { from: 'bob', nonce: 0 },
        { type: 'put', key: 'a', value: utf8('1') },
        { type: 'put', key: 'a', value: utf8('2') },
        { type: 'give', key: 'a', to: keyOf('carol') },
      ),
      // Fails: bob has not so much, and carol is not touched.
      transfer({ from: 'bob', nonce: 1 }, 'carol', 5_000n),
    ]);
    await world.add([transaction({ from: 'carol', nonce: 0 }, { type: 'delete', key: 'a' })]);
    const bob = await chain.listTransactions({ by: 'account', account: keyOf('bob') }, all);
    assert.deepEqual(bob, [
      { height: 1, transaction: 0, sent: false },
      { height: 1, transaction: 1, sent: true },
      { height: 1, transaction: 2, sent: true },
    ]);
    const carol = await chain.listTransactions({ by: 'account', account: keyOf('carol') }, newest);
    assert.deepEqual(carol, [
      { height: 2, transaction: 0, sent: true },
      { height: 1, transaction: 1, sent: false },
    ]);
    const seven = { by: 'reference', reference: utf8('order 7') } as const;
    assert.deepEqual(await chain.listTransactions(seven, all), [{ height: 1, transaction: 0, sent: false }]);
    // One name may begin another.
    assert.deepEqual(await chain.listTransactions({ ...seven, reference: utf8('order') }, all), []);
    assert.deepEqual(await chain.listVersions('a', newest), [
      { height: 2, version: 4, transaction: 0, operation: 0, change: 'delete' },
      { height: 1, version: 3, transaction: 1, operation: 2, change: 'give' },
      { height: 1, version: 2, transaction: 1, operation: 1, change: 'put' },
      { height: 1, version: 1, transaction: 1, operation: 0, change: 'put' },
    ]);
    const before = await chain.listVersions('a', { ...newest, to: h(1), limit: 1 });
    assert.equal(before.length, 3, 'the entries of a block come together');
    await world.check();
  });

  test('show nothing of a block before its batch is known to be durable', async () => {
    const told: (() => void)[] = [];
    // What is written is on the disk at once, and nobody is told yet.
    const store = new MemoryStore((finish) => finish());
    const write = store.write.bind(store);
    store.write = (batch, done) => write(batch, (problem) => told.push(() => done(problem)));
    const chain = await ChainStore.open(store, { chainId });
    for (const block of sampleBlocks(2)) chain.commit(commitOf(block), () => undefined);
    const sender = { by: 'account', account: sampleSender } as const;
    told.shift()?.();
    assert.deepEqual(await chain.listTransactions(sender, all), []);
    assert.deepEqual(await chain.listVersions('counter', newest), []);
    told.shift()?.();
    assert.equal((await chain.listTransactions(sender, all)).length, 2);
  });

  test('switched off they go from the disk, and begin with the next block when they are switched on', async () => {
    const world = new IndexedChain();
    await world.open();
    await puts(world, 3);
    assert.equal(world.chain.indexedFrom, 1);
    const off = await world.open(false);
    assert.equal(off.indexedFrom, undefined);
    assert.deepEqual(await world.indexedHeights(), []);
    await puts(world, 5);
    assert.deepEqual(await world.indexedHeights(), []);
    const on = await world.open(true);
    assert.equal(on.indexedFrom, 6, 'above the head: nothing is claimed');
    await puts(world, 7);
    assert.deepEqual(await world.indexedHeights(), [6, 7]);
    await world.check();
    assert.equal((await world.open()).indexedFrom, 6);
    await world.check();
  });

  test('a new chain may be without from its first block on', async () => {
    const world = new IndexedChain();
    await world.open(false);
    await puts(world, 2);
    assert.deepEqual([world.chain.indexedFrom, await world.indexedHeights()], [undefined, []]);
    assert.equal((await world.open(null)).indexedFrom, undefined);
  });

  test('the last block of a run puts the entries of all of it together, and they say the same', async () => {
    const world = new IndexedChain();
    await world.open();
    await puts(world, runBlocks - 2);
    // None of block 0, which is empty.
    assert.equal(await world.indexRecords(), runBlocks - 2);
    await puts(world, runBlocks - 1);
    // The record, its reference and its owner.
    assert.ok((await world.indexRecords()) <= 3);
    await world.check();
    await puts(world, 2 * runBlocks + 1);
    await world.check();
    await world.open();
    await world.check();
    const some = { from: h(runBlocks - 2), to: h(2 * runBlocks), newestFirst: false, limit: 4 };
    const oldest = await world.chain.listVersions('key', some);
    assert.deepEqual(
      oldest.map(({ height }) => height),
      [0, 1, 2, 3].map((more) => some.from + more),
    );
    const last = await world.chain.listVersions('key', { ...some, newestFirst: true });
    assert.deepEqual(
      last.map(({ height }) => height),
      [0, 1, 2, 3].map((less) => some.to - less),
    );
  });

  test('what is read of many runs waits for its turn between its parts', async () => {
    const store = new MemoryStore((finish) => finish());
    const name = { kind: 'record', bytes: utf8('key') } as const;
    const ends = Array.from({ length: 150 }, (_, run) => runEnd(h(run * runBlocks)));
    for (const end of ends) {
      const entry = new EntryWriter(end, entryExtraBytes + 3 + 10);
      entry.begin(name.kind, 3);
      entry.bytes(name.bytes);
      entry.u16(10);
      entry.u48(0);
      for (let at = 0; at < 4; at++) entry.u8(0);
      store.write([checksummedWrite(keys.index(bucketOf(name), end), entry.written())], () => undefined);
    }
    const whole = { from: h(1), to: defined(ends.at(-1), 'the last run'), limit: 1_000 };
    const tables = IndexTables.open(store, { final: whole.to, firstBlock: whole.from });
    for (const newestFirst of [true, false]) {
      let turns = 0;
      const pace = async (): Promise<void> => void (turns += 1);
      const found = await tables.versions('key', { ...whole, newestFirst, pace });
      const heights = found.map(({ height }) => height);
      assert.deepEqual(newestFirst ? heights.toReversed() : heights, ends);
      assert.ok(turns >= 2);
    }
  });

  test('a run is read from memory until its last batch is known to be durable', async () => {
    const told: (() => void)[] = [];
    const store = new MemoryStore((finish) => finish());
    const chain = await ChainStore.open(store, { chainId });
    const made = sampleBlocks(runBlocks + 2);
    for (const block of made.slice(0, runBlocks - 1)) chain.commit(commitOf(block), () => undefined);
    // From here on nothing is on the disk before `told`.
    const write = store.write.bind(store);
    store.write = (changes, done) => {
      const batch = copyOf(changes);
      told.push(() => write(batch, done));
    };
    for (const block of made.slice(runBlocks - 1)) chain.commit(commitOf(block), () => undefined);
    const heights = async (range: typeof all): Promise<number[]> => [
      ...new Set((await chain.listVersions('counter', range)).map(({ height }) => height)),
    ];
    for (let final = runBlocks - 2; final < made.length; final++) {
      const expected = Array.from({ length: final }, (_, index) => index + 1);
      assert.deepEqual(await heights(all), expected);
      assert.deepEqual(await heights(newest), expected.toReversed());
      told.shift()?.();
    }
  });

  test('pruning takes the entries of whole runs with it, and hides those of the others', async () => {
    const world = new IndexedChain();
    await world.open();
    await puts(world, 2 * runBlocks + 3);
    await world.prune(6);
    assert.equal(world.chain.indexedFrom, 6);
    await world.check();
    await world.prune(runBlocks - 1);
    assert.equal((await world.indexedHeights())[0], 1);
    await world.prune(runBlocks);
    assert.equal((await world.indexedHeights())[0], runBlocks);
    await world.prune(2 * runBlocks + 2);
    assert.deepEqual(
      await world.indexedHeights(),
      [0, 1, 2, 3].map((more) => 2 * runBlocks + more),
    );
    assert.equal((await world.open()).indexedFrom, 2 * runBlocks + 2);
    await world.check();
    await puts(world, 3 * runBlocks + 1);
    await world.check();
    assert.equal((await world.indexedHeights())[0], 2 * runBlocks + 2);
  });

  test('after a snapshot they begin behind it; what it replaced goes at the next start', async () => {
    const world = new IndexedChain();
    await world.open();
    await puts(world, 3);
    await world.add([], false);
    await world.add([], false);
    await world.install();
    assert.equal(world.chain.indexedFrom, 6);
    await world.add([put({ from: 'alice', nonce: 3 }, 'key', 'new')]);
    await world.check();
    assert.deepEqual(await world.chain.listVersions('key', all), [
      { height: 6, version: 4, transaction: 0, operation: 0, change: 'put' },
    ]);
    assert.equal((await world.open()).indexedFrom, 6);
    assert.deepEqual(await world.indexedHeights(), [6]);
    await world.check();
  });

  test('agree with a look through all blocks, after any run of blocks, restarts, pruning and snapshots', async () => {
    const names = ['alice', 'bob', 'carol'] as const;
    const name = fc.constantFrom(...names);
    const key = fc.constantFrom('a', 'ab', 'b');
    const operation: fc.Arbitrary<Operation> = fc.oneof(
      fc.record({
        type: fc.constant('transfer' as const),
        to: name.map(keyOf),
        amount: fc.bigInt(1n, 600n),
        memo: fc.constant(''),
      }),
      fc.record({ type: fc.constant('put' as const), key, value: fc.constant(utf8('v')) }),
      fc.record({ type: fc.constant('delete' as const), key }),
      fc.record({ type: fc.constant('give' as const), key, to: name.map(keyOf) }),
    );
    const sent = fc.record({
      from: name,
      reference: fc.constantFrom('', 'r', 'rr').map(utf8),
      operations: fc.array(operation, { minLength: 1, maxLength: 3 }),
    });
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.array(sent, { maxLength: 4 }) },
      { weight: 1, arbitrary: fc.constantFrom('restart', 'snapshot', 'off', 'prune') },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const world = new IndexedChain();
        await world.open();
        const nonces = { alice: 0, bob: 0, carol: 0 };
        const block = (orders: typeof sent extends fc.Arbitrary<infer T> ? readonly T[] : never) =>
          orders.map(({ from, reference, operations }): Transaction =>
            transaction({ from, nonce: nonces[from]++, fee: 0n, reference }, ...operations),
          );
        for (const each of steps) {
          if (each === 'restart') await world.open();
          else if (each === 'off') {
            await world.open(false);
            await world.add([]);
            await world.open();
          } else if (each === 'prune') await world.prune(world.nextHeight - 2);
          else if (each === 'snapshot') {
            await world.add([], false);
            await world.install();
          } else if (Array.isArray(each)) await world.add(block(each));
          await world.check();
        }
      }),
      { seed: 20261128, numRuns: 60 },
    );
  });
});
