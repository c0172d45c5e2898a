import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { utf8 } from '../../src/base/bytes.ts';
import { encode } from '../../src/base/codec.ts';
import { InvariantError } from '../../src/base/invariant.ts';
import { limits } from '../../src/base/limits.ts';
import type { Problem } from '../../src/base/problem.ts';
import { headerCodec, toHeight } from '../../src/ledger/block.ts';
import { ChainStore } from '../../src/storage/chain-store.ts';
import type { CommitRequest } from '../../src/storage/chain-requests.ts';
import { heightIn, keys, rangeOf } from '../../src/storage/keys.ts';
import { type MemoryEntries, MemoryStore } from '../../src/storage/memory-store.ts';
import type { Write } from '../../src/storage/port.ts';
import {
  chainId,
  commit,
  commitOf,
  persist,
  type SampleBlock,
  sampleBlocks,
  stateOf,
  transactionHash,
} from './chain-samples.ts';
import { levelPlace, memoryPlace } from './places.ts';

const blocks = sampleBlocks(20);
const at = (height: number): (typeof blocks)[number] => blocks[height] as (typeof blocks)[number];
const h = toHeight;

const heightsIn = (entries: readonly (readonly [Uint8Array, Uint8Array])[]): number[] =>
  entries.map(([key]) => heightIn(key));

/** What a store answers to a call, as a promise. */
function written(call: (done: (problem: Problem | undefined) => void) => void): Promise<void> {
  return new Promise((resolve, reject) =>
    call((problem) => (problem === undefined ? resolve() : reject(problem))),
  );
}

const prune = (chain: ChainStore, keepFrom: number, atMost = 100): Promise<void> =>
  written((done) => chain.prune({ keepFrom: h(keepFrom), atMost }, done));

function install(chain: ChainStore, height: number, forgetCandidates: readonly number[] = []): Promise<void> {
  const { hash, header } = at(height);
  return written((done) =>
    chain.install(
      {
        height: h(height),
        hash,
        headerBytes: encode(headerCodec, header),
        certificate: utf8('the certificate'),
        stateChanges: [
          { key: Uint8Array.of(9), value: Uint8Array.of(9, 9) },
          { key: Uint8Array.of(2), value: null },
        ],
        forgetCandidates: forgetCandidates.map((one) => at(one).hash),
      },
      done,
    ),
  );
}

for (const [name, makePlace] of [
  ['memory', memoryPlace],
  ['level', levelPlace],
] as const) {
  const filled = async (t: TestContext, height: number) => {
    const place = await makePlace();
    t.after(() => place.remove());
    const chain = await ChainStore.open(await place.open(), { chainId });
    for (let next = 0; next <= height; next++) await commit(chain, commitOf(at(next)));
    return { place, chain };
  };

  describe(`what is not kept, on ${name}`, () => {
    test('old blocks go some at a time; headers and the index of transactions stay', async (t) => {
      const { place, chain } = await filled(t, 10);
      assert.equal(chain.firstBlock, 1);
      await prune(chain, 8, 3);
      assert.equal(chain.firstBlock, 4);
      await prune(chain, 8);
      await prune(chain, 8);
      await chain.close();
      const again = await ChainStore.open(await place.open(), { chainId });
      assert.equal(again.firstBlock, 8);
      for (const height of [1, 7]) {
        assert.equal(again.blockBytesAt(h(height)), undefined);
        assert.equal(again.receiptsBytesAt(h(height)), undefined);
        assert.equal(again.certificateAt(h(height)), undefined);
        assert.equal(again.hashAt(h(height)), at(height).hash);
        assert.deepEqual(again.locate(transactionHash(height, 0)), { height, index: 0 });
      }
      assert.deepEqual(again.blockBytesAt(h(8)), at(8).bytes);
      assert.equal((await stateOf(again)).length, 12);
      await commit(again, commitOf(at(11)));
      await again.close();
    });

    test('the final block is never pruned, and nothing comes back', async (t) => {
      const { chain } = await filled(t, 5);
      await prune(chain, 100);
      assert.equal(chain.firstBlock, 5);
      assert.ok(chain.blockBytesAt(h(5)));
      await prune(chain, 2);
      assert.equal(chain.firstBlock, 5);
      await chain.close();
    });

    test('a snapshot takes the place of all before it, in one batch', async (t) => {
      const { place, chain } = await filled(t, 4);
      await persist(chain, { records: [{ key: 'raft/state', value: utf8('s') }], blocks: [at(5), at(16)] });
      await written((done) => chain.snapshot.begin(utf8('head'), done));
      await written((done) => chain.snapshot.add(utf8('part'), done));
      await install(chain, 15, [5]);
      await chain.close();

      const again = await ChainStore.open(await place.open(), { chainId });
      assert.equal(again.finalHeight, 15);
      assert.equal(again.finalHash, at(15).hash);
      assert.equal(again.firstBlock, 16);
      assert.deepEqual(again.certificateAt(h(15)), utf8('the certificate'));
      for (const height of [1, 4, 14]) assert.equal(again.headerAt(h(height)), undefined);
      assert.equal(again.hashAt(h(0)), at(0).hash);
      for (const height of [1, 4]) {
        assert.equal(again.blockBytesAt(h(height)), undefined);
        assert.equal(again.certificateAt(h(height)), undefined);
        assert.equal(again.receiptsBytesAt(h(height)), undefined);
      }
      assert.deepEqual(
        again.takeCandidates().map(({ hash }) => hash),
        [at(16).hash],
      );
      assert.deepEqual([...again.logRecords.keys()], ['raft/state']);
      const state = await stateOf(again);
      assert.ok(state.some(([key]) => key[0] === 9) && !state.some(([key]) => key[0] === 2));
      assert.equal(again.snapshot.head(), undefined);
      await commit(again, commitOf(at(16), { blockBytes: undefined }));
      await prune(again, 16);
      await again.close();
      const store = await place.open();
      const last = await ChainStore.open(store, { chainId });
      assert.deepEqual(last.blockBytesAt(h(16)), at(16).bytes);
      assert.deepEqual(heightsIn(await store.scan(rangeOf('header'))), [0, 15, 16]);
      assert.deepEqual(heightsIn(await store.scan(rangeOf('receipts'))), [0, 16]);
      assert.deepEqual(heightsIn(await store.scan(rangeOf('certificate'))), [15, 16]);
      // Those of heights 0 and 16.
      assert.equal((await store.scan(rangeOf('block'))).length, 2);
      await last.close();
    });

    test('a snapshot of the past, or while a commit is under way, is our own fault', async (t) => {
      const { chain } = await filled(t, 4);
      await assert.rejects(install(chain, 4), InvariantError);
      const committing = commit(chain, commitOf(at(5)));
      await assert.rejects(install(chain, 15), InvariantError);
      await committing;
      await chain.close();
    });

    test('parts of a snapshot are there after a restart, and gone when another begins', async (t) => {
      const { place, chain } = await filled(t, 1);
      await written((done) => chain.snapshot.begin(utf8('one'), done));
      for (const part of ['a', 'b', 'c']) await written((done) => chain.snapshot.add(utf8(part), done));
      await chain.close();
      const again = await ChainStore.open(await place.open(), { chainId });
      assert.deepEqual(again.snapshot.head(), utf8('one'));
      assert.equal(again.snapshot.partCount, 3);
      assert.deepEqual(again.snapshot.part(2), utf8('c'));
      await written((done) => again.snapshot.begin(utf8('two'), done));
      await again.close();
      const last = await ChainStore.open(await place.open(), { chainId });
      assert.deepEqual(last.snapshot.head(), utf8('two'));
      assert.equal(last.snapshot.partCount, 0);
      assert.equal(last.snapshot.part(0), undefined);
      await written((done) => last.snapshot.clear(done));
      assert.equal(last.snapshot.head(), undefined);
      await last.close();
    });

    test('a block that should be there and is not is damage, not pruning', async (t) => {
      const { place, chain } = await filled(t, 10);
      await prune(chain, 4);
      await chain.close();
      const store = await place.open();
      await written((done) => store.write([{ type: 'del', key: keys.block(at(5).hash) }], done));
      await assert.rejects(ChainStore.open(store, { chainId }), { code: 'storage/damaged' });
      await store.close();
    });
  });
}

/** A store whose batches are seen before it is said that they are durable: a disk shows them a moment before. */
class EagerStore extends MemoryStore {
  readonly #due: (() => void)[] = [];

  constructor(entries: MemoryEntries) {
    super((finish) => finish(), entries);
  }

  override write(batch: Iterable<Write>, done: (problem: Problem | undefined) => void): void {
    super.write(batch, (problem) => this.#due.push(() => done(problem)));
  }

  finish(): void {
    for (const done of this.#due.splice(0)) done();
  }
}

/** A store that counts the changes of each batch. */
class CountingStore extends MemoryStore {
  readonly batches: number[] = [];

  override write(batch: Iterable<Write>, done: (problem: Problem | undefined) => void): void {
    const changes = [...batch];
    this.batches.push(changes.length);
    super.write(changes, done);
  }
}

test('a start looks at what was fetched of a snapshot a part at a time: all of them are a whole state', async () => {
  const entries: MemoryEntries = new Map();
  const chain = await ChainStore.open(new MemoryStore(setImmediate, entries), { chainId });
  await commit(chain, commitOf(at(0)));
  await written((done) => chain.snapshot.begin(utf8('head'), done));
  const part = new Uint8Array(1_000).fill(7);
  for (let index = 0; index < 20; index++) await written((done) => chain.snapshot.add(part, done));
  const store = new MemoryStore(setImmediate, entries);
  let most = 0;
  const scan = store.scan.bind(store);
  store.scan = async (range) => {
    const page = await scan(range);
    most = Math.max(most, page.filter(([, value]) => value.length > part.length).length);
    return page;
  };
  const again = await ChainStore.open(store, { chainId });
  assert.deepEqual([again.snapshot.partCount, most], [20, 0]);
});

describe('the blocks that a snapshot replaces, however many they are', () => {
  const long = sampleBlocks(3 * limits.leftoverBlocks + 10);
  const filled = async (height: number): Promise<{ store: CountingStore; chain: ChainStore }> => {
    const store = new CountingStore(setImmediate);
    const chain = await ChainStore.open(store, { chainId });
    for (const block of long.slice(0, height + 1)) await commit(chain, sparse(block));
    return { store, chain };
  };
  const sparse = (block: SampleBlock): CommitRequest =>
    commitOf(block, { stateChanges: [], blockBytes: block.bytes });
  const installAt = (chain: ChainStore, { header, hash }: SampleBlock): Promise<void> =>
    written((done) =>
      chain.install(
        {
          height: header.height,
          hash,
          headerBytes: encode(headerCodec, header),
          certificate: utf8('the certificate'),
          stateChanges: [],
          forgetCandidates: [],
        },
        done,
      ),
    );
  const headers = async (store: CountingStore): Promise<number> =>
    (await store.scan(rangeOf('header'))).length;

  test('add nothing to the batch that puts it in their place', async () => {
    const [few, many] = [await filled(1), await filled(2 * limits.leftoverBlocks)];
    for (const { chain } of [few, many]) await installAt(chain, long.at(-2) as SampleBlock);
    assert.equal(many.store.batches.at(-1), few.store.batches.at(-1));
  });

  test('go some at a time with the blocks that follow, two snapshots’ worth too', async () => {
    const { store, chain } = await filled(limits.leftoverBlocks + 1);
    const [top, next] = [2 * limits.leftoverBlocks, 3 * limits.leftoverBlocks];
    await installAt(chain, long[top] as SampleBlock);
    await commit(chain, sparse(long[top + 1] as SampleBlock));
    // Block 0, the last of them, that of the snapshot, and the new one.
    assert.equal(await headers(store), 4);
    await installAt(chain, long[next] as SampleBlock);
    for (let height = next + 1; height <= next + 3; height++) {
      await commit(chain, sparse(long[height] as SampleBlock));
    }
    assert.deepEqual(heightsIn(await store.scan(rangeOf('header'))), [0, next, next + 1, next + 2, next + 3]);
  });
});

describe('while something is on its way out', () => {
  async function filled(height: number) {
    const entries: MemoryEntries = new Map();
    const store = new EagerStore(entries);
    const chain = await ChainStore.open(store, { chainId });
    for (let next = 0; next <= height; next++) chain.commit(commitOf(at(next)), () => undefined);
    store.finish();
    return { entries, store, chain };
  }

  test('who reads it finds it pruned, and no damage', async () => {
    const { store, chain } = await filled(10);
    const pruned = prune(chain, 8);
    assert.equal(chain.firstBlock, 8);
    assert.equal(chain.blockBytesAt(h(3)), undefined);
    assert.equal(chain.receiptsBytesAt(h(3)), undefined);
    store.finish();
    await pruned;
    const installed = install(chain, 15);
    for (const height of [3, 10]) {
      assert.equal(chain.hashAt(h(height)), undefined);
      assert.equal(chain.blockBytesAt(h(height)), undefined);
      assert.equal(chain.receiptsBytesAt(h(height)), undefined);
    }
    store.finish();
    await installed;
    assert.equal(chain.hashAt(h(15)), at(15).hash);
  });

  test('the end of one batch of old blocks begins the next, and takes nothing back of a snapshot', async () => {
    const { entries, store, chain } = await filled(10);
    const first = prune(chain, 8, 3);
    const installed = install(chain, 15);
    const second = prune(chain, 8, 3);
    store.finish();
    await Promise.all([first, installed, second]);
    assert.equal(chain.firstBlock, 16);
    const again = await ChainStore.open(new MemoryStore(setImmediate, entries), { chainId });
    assert.equal(again.firstBlock, 16);
    assert.equal(again.finalHash, at(15).hash);
  });
});
