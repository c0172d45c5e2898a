import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compareBytes, utf8 } from '../../src/base/bytes.ts';
import { limits } from '../../src/base/limits.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { indexRange, keys } from '../../src/storage/keys.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import type { Transaction } from '../../src/ledger/transaction.ts';
import { ChainStore } from '../../src/storage/chain-store.ts';
import { MemoryStore } from '../../src/storage/memory-store.ts';
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

  test('switched off they go from the disk with the next blocks, and begin with the next block when they are switched on', async () => {
    const world = new IndexedChain();
    await world.open();
    await puts(world, 3);
    assert.equal(world.chain.indexedFrom, 1);
    const off = await world.open(false);
    assert.equal(off.indexedFrom, undefined);
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

  test('pruning takes the entries of a block with it', async () => {
    const world = new IndexedChain();
    await world.open();
    await puts(world, 9);
    await world.prune(6);
    assert.equal(world.chain.indexedFrom, 6);
    assert.deepEqual(await world.indexedHeights(), [6, 7, 8, 9]);
    await world.check();
    assert.equal((await world.open()).indexedFrom, 6);
    await world.check();
  });

  test('a large block goes in several batches, and is not read from the first one on', async () => {
    const world = new IndexedChain();
    const chain = await world.open();
    const count = limits.pruneTransactions + 3;
    const many = Array.from({ length: count }, (_, nonce) =>
      transfer({ from: 'alice', nonce, fee: 0n }, nonce % 2 === 0 ? 'bob' : 'carol', 1n),
    );
    await world.add(many);
    await world.add([]);
    await world.prune(2);
    assert.deepEqual([chain.firstBlock, chain.indexedFrom], [1, 2]);
    assert.deepEqual(await chain.listTransactions({ by: 'account', account: keyOf('alice') }, all), []);
    // A crash between the batches: the next process begins anew.
    const again = await world.open();
    assert.deepEqual([again.firstBlock, again.indexedFrom], [1, 2]);
    for (let batch = 0; batch < 2; batch++) {
      assert.equal(again.firstBlock, 1, `before batch ${batch}`);
      await world.prune(2);
    }
    assert.deepEqual([again.firstBlock, await world.indexedHeights()], [2, []]);
    assert.equal(again.blockBytesAt(h(1)), undefined);
    await world.check();
  });

  test('after a snapshot they begin behind it; what it replaced goes with blocks after the next start', async () => {
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
    await world.add([]);
    assert.deepEqual(await world.indexedHeights(), [6]);
    await world.check();
  });

  test('many that are of no use go some at a time, from where a kill left off, while others are added', async () => {
    const world = new IndexedChain();
    await world.open();
    await puts(world, 2);
    const count = 3 * limits.sweptEntries;
    const old = Array.from({ length: count }, (_, index) => {
      const reference = new Uint8Array(4);
      new DataView(reference.buffer).setUint32(0, index);
      return keys.referenceIndex(reference, h(1));
    });
    for (const key of old) world.entries.set(Buffer.from(key).toString('latin1'), new Uint8Array(5));
    const left = (): number =>
      old.filter((key) => world.entries.has(Buffer.from(key).toString('latin1'))).length;

    await world.open(false);
    assert.equal(left(), count, 'a start waits for none of them');
    await puts(world, world.nextHeight);
    assert.ok(left() < count && left() > count - limits.sweptEntries, 'a block takes some with it');
    await puts(world, world.nextHeight);
    const before = left();
    world.scanned.length = 0;
    const on = await world.open(true);
    const { nextHeight } = world;
    assert.equal(on.indexedFrom, nextHeight);
    const again = world.scanned.filter(({ from }) => compareBytes(from, indexRange.from) >= 0);
    assert.deepEqual(
      again.map(({ limit }) => limit),
      [limits.sweptEntries],
      'one page of them',
    );
    assert.ok(compareBytes(again[0]?.from as Uint8Array, old[count - before - 1] as Uint8Array) > 0);
    while (left() > 0) await puts(world, world.nextHeight);
    await puts(world, world.nextHeight + 1);
    assert.deepEqual(
      await world.indexedHeights(),
      Array.from({ length: world.nextHeight - nextHeight }, (_, index) => nextHeight + index),
    );
    await world.check();
    assert.equal(world.entries.has(Buffer.from(keys.sweeping).toString('latin1')), false, 'it is over');
    world.scanned.length = 0;
    await world.open(true);
    assert.ok(world.scanned.every(({ from }) => compareBytes(from, indexRange.from) < 0));
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
