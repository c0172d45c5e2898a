import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { utf8 } from '../../src/base/bytes.ts';
import { InvariantError } from '../../src/base/invariant.ts';
import { Problem } from '../../src/base/problem.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { zeroHash } from '../../src/crypto/hash.ts';
import { encode } from '../../src/base/codec.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { receiptsCodec } from '../../src/ledger/receipt.ts';
import { ChainStore } from '../../src/storage/chain-store.ts';
import type { StoredEvidence, EvidenceTable } from '../../src/storage/evidence-table.ts';
import { type MemoryEntries, MemoryStore } from '../../src/storage/memory-store.ts';
import { copyOf, type Store, type Write } from '../../src/storage/port.ts';
import {
  chainId,
  commit,
  commitOf,
  filledChain,
  persist,
  sampleBlocks,
  stateOf,
  transactionHash,
} from './chain-samples.ts';
import { levelPlace, memoryPlace } from './places.ts';

const blocks = sampleBlocks(8);
const at = (height: number): (typeof blocks)[number] => blocks[height] as (typeof blocks)[number];
const h = toHeight;

for (const [name, makePlace] of [
  ['memory', memoryPlace],
  ['level', levelPlace],
] as const) {
  describe(`chain store on ${name}`, () => {
    test('keeps who the validators are from a block on, and shows it once that is final', async () => {
      const place = await makePlace();
      const chain = await ChainStore.open(await place.open(), { chainId });
      const sets = ['alice', 'bob'].map((who) => [developmentKeyPair(who).publicKey]);
      await commit(chain, commitOf(at(0)));
      await commit(chain, commitOf(at(1), { nextValidators: sets[0] }));
      await commit(chain, commitOf(at(2)));
      await commit(chain, commitOf(at(3), { nextValidators: sets[1] }));
      await chain.close();
      const again = await ChainStore.open(await place.open(), { chainId });
      const all = [
        { height: 1, validators: sets[0] },
        { height: 3, validators: sets[1] },
      ];
      assert.deepEqual(await again.epochs(h(0), 10), all);
      assert.deepEqual(await again.epochs(h(1), 1), all.slice(0, 1));
      assert.deepEqual(await again.epochs(h(2), 10), all.slice(1));
      assert.deepEqual(await again.epochs(h(4), 10), []);
      await again.close();
    });

    test('a life: made, filled, closed, and opened again as it was', async () => {
      const place = await makePlace();
      const empty = await ChainStore.open(await place.open(), { chainId });
      assert.equal(empty.isEmpty, true);
      await commit(empty, commitOf(at(0)));
      assert.equal(empty.isEmpty, false);
      await persist(empty, {
        records: [
          { key: 'prepare/0/1', value: utf8('vote') },
          { key: 'view', value: utf8('3') },
        ],
        blocks: [at(1), at(2)],
      });
      await commit(empty, commitOf(at(1), { blockBytes: undefined, forgetRecords: ['prepare/0/1'] }));
      await empty.close();

      const chain = await ChainStore.open(await place.open(), { chainId });
      assert.equal(chain.isEmpty, false);
      assert.equal(chain.finalHeight, 1);
      assert.equal(chain.finalHash, at(1).hash);
      assert.deepEqual(chain.headerAt(h(1)), at(1).header);
      assert.equal(chain.hashAt(h(0)), at(0).hash);
      assert.deepEqual(chain.blockBytes(at(1).hash), at(1).bytes);
      assert.deepEqual(chain.blockBytesAt(h(1)), at(1).bytes);
      assert.deepEqual(chain.certificateAt(h(1)), utf8('certificate 1'));
      assert.deepEqual(chain.receiptsBytesAt(h(1)), encode(receiptsCodec, at(1).receipts));
      assert.deepEqual(chain.locate(transactionHash(1, 1)), { height: 1, index: 1 });
      assert.deepEqual([...chain.logRecords], [['view', utf8('3')]]);
      assert.deepEqual(chain.takeCandidates(), [{ hash: at(2).hash, bytes: at(2).bytes }]);
      assert.deepEqual(chain.takeCandidates(), [], 'they are not kept for as long as the store is open');
      assert.deepEqual(await stateOf(chain), [
        [Uint8Array.of(1, 0), Uint8Array.of(0)],
        [Uint8Array.of(1, 1), Uint8Array.of(1)],
        [Uint8Array.of(2), Uint8Array.of(1, 1)],
      ]);
      // The candidate that was stored before the restart is not needed again.
      await commit(chain, commitOf(at(2), { blockBytes: undefined }));
      assert.equal(chain.finalHash, at(2).hash);
      await chain.close();
      await place.remove();
    });

    test('what there is not is undefined', async () => {
      const place = await makePlace();
      const chain = await filledChain(await place.open(), blocks.slice(0, 3));
      for (const height of [3, 4, 1_000_000].map(h)) {
        assert.equal(chain.headerAt(height), undefined);
        assert.equal(chain.hashAt(height), undefined);
        assert.equal(chain.blockBytesAt(height), undefined);
        assert.equal(chain.certificateAt(height), undefined);
        assert.equal(chain.nearestCertificate(height), undefined);
        assert.equal(chain.receiptsBytesAt(height), undefined);
      }
      assert.equal(chain.certificateAt(h(0)), undefined);
      assert.equal(chain.blockBytes(zeroHash), undefined);
      assert.equal(chain.locate(zeroHash), undefined);
      await chain.close();
      await place.remove();
    });

    test('state, larger than a page of a scan, comes back whole and in order', async () => {
      const place = await makePlace();
      const chain = await ChainStore.open(await place.open(), { chainId });
      const stateChanges = Array.from({ length: 2_500 }, (_, index) => ({
        key: Uint8Array.of(index >> 8, index & 255),
        value: Uint8Array.of(index & 255),
      }));
      await commit(chain, commitOf(at(0), { stateChanges }));
      await commit(chain, commitOf(at(1), { stateChanges: [{ key: Uint8Array.of(0, 0), value: null }] }));
      assert.deepEqual(
        await stateOf(chain),
        stateChanges.slice(1).map(({ key, value }) => [key, value]),
      );
      await chain.close();
      await place.remove();
    });
  });
}

/** A store that shows each batch, and finishes writes only when told. */
class SlowStore implements Store {
  readonly batches: Write[][] = [];
  readonly compact: Store['compact'] = () => Promise.resolve();
  readonly #inner = new MemoryStore((finish) => this.#due.push(finish));
  readonly #due: (() => void)[] = [];

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#inner.get(key);
  }

  write(changes: Iterable<Write>, done: (problem: Problem | undefined) => void): void {
    const batch = copyOf(changes);
    this.batches.push(batch);
    this.#inner.write(batch, done);
  }

  scan(range: { from: Uint8Array; to: Uint8Array; limit?: number }): Promise<[Uint8Array, Uint8Array][]> {
    return this.#inner.scan(range);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** The oldest write under way becomes durable. */
  finishOne(): void {
    this.#due.shift()?.();
  }
}

const ignore = (): void => undefined;

describe('chain store: one batch per block', () => {
  test('everything of a block is in one batch, and nothing of it is seen before that is durable', async () => {
    const store = new SlowStore();
    const chain = await ChainStore.open(store, { chainId });
    chain.commit(commitOf(at(0)), ignore);
    store.finishOne();
    chain.persist({ records: [{ key: 'x', value: utf8('y') }], blocks: [at(1)] }, ignore);
    assert.equal(chain.logRecords.size, 0);
    store.finishOne();
    assert.equal(chain.logRecords.size, 1);
    chain.commit(commitOf(at(1), { forgetRecords: ['x'] }), ignore);
    assert.equal(store.batches.length, 3);
    assert.equal(chain.finalHeight, 0);
    assert.equal(chain.headerAt(h(1)), undefined);
    assert.equal(chain.locate(transactionHash(1, 0)), undefined);
    assert.equal(chain.logRecords.size, 1);
    store.finishOne();
    assert.equal(chain.finalHeight, 1);
    assert.equal(chain.logRecords.size, 0);
    assert.deepEqual(chain.locate(transactionHash(1, 0)), { height: 1, index: 0 });
  });

  test('several blocks and votes may be under way at once', async () => {
    const store = new SlowStore();
    const chain = await ChainStore.open(store, { chainId });
    const finished: string[] = [];
    for (const height of [0, 1, 2]) {
      chain.commit(commitOf(at(height)), () => finished.push(`block ${height}`));
      chain.persist({ records: [{ key: 'v', value: Uint8Array.of(height) }], blocks: [] }, () =>
        finished.push(`vote ${height}`),
      );
    }
    for (let i = 0; i < 6; i++) store.finishOne();
    assert.deepEqual(finished, ['block 0', 'vote 0', 'block 1', 'vote 1', 'block 2', 'vote 2']);
    assert.equal(chain.finalHeight, 2);
  });

  test('a block that is stored is not written again, also while its first write is under way', async () => {
    const store = new SlowStore();
    const chain = await ChainStore.open(store, { chainId });
    chain.commit(commitOf(at(0)), ignore);
    chain.persist({ records: [], blocks: [at(1)] }, ignore);
    chain.persist({ records: [], blocks: [at(1)] }, ignore);
    chain.commit(commitOf(at(1)), ignore);
    const written = store.batches.map(
      (batch) =>
        batch.filter((write) => write.type === 'put' && Buffer.from(write.value).includes('block 1')).length,
    );
    assert.deepEqual(written, [0, 1, 0, 0]);
  });

  test('blocks that lost are forgotten; one that became final stays whoever asks to forget it', async () => {
    const entries: MemoryEntries = new Map();
    const chain = await filledChain(new MemoryStore(setImmediate, entries), blocks.slice(0, 1));
    const loser = sampleBlocks(2, 'other')[1] as (typeof blocks)[number];
    await persist(chain, { blocks: [at(1), loser] });
    await commit(chain, commitOf(at(1), { forgetCandidates: [loser.hash, at(1).hash, zeroHash] }));
    await commit(chain, commitOf(at(2), { forgetCandidates: [at(1).hash] }));
    assert.equal(chain.blockBytes(loser.hash), undefined);
    assert.deepEqual(chain.blockBytes(at(1).hash), at(1).bytes);
    const again = await ChainStore.open(new MemoryStore(setImmediate, entries), { chainId });
    assert.deepEqual(again.takeCandidates(), []);
    // A block that was forgotten and comes again is stored again.
    await persist(again, { blocks: [loser] });
    assert.deepEqual(again.blockBytes(loser.hash), loser.bytes);
  });

  test('a final block that comes again as a candidate is none, also after a restart', async () => {
    const entries: MemoryEntries = new Map();
    const chain = await filledChain(new MemoryStore(setImmediate, entries), blocks.slice(0, 3));
    await persist(chain, { blocks: [at(2)] });
    await commit(chain, commitOf(at(3), { forgetCandidates: [at(2).hash] }));
    const again = await ChainStore.open(new MemoryStore(setImmediate, entries), { chainId });
    assert.deepEqual(again.takeCandidates(), []);
    await persist(again, { blocks: [at(1)], forget: [at(1).hash] });
    assert.deepEqual(again.blockBytes(at(1).hash), at(1).bytes);
    assert.deepEqual(again.blockBytes(at(2).hash), at(2).bytes);
  });

  test('a candidate may be forgotten without a block, and comes back when it is stored again', async () => {
    const chain = await filledChain(new MemoryStore(setImmediate), blocks.slice(0, 1));
    await persist(chain, { blocks: [at(1)] });
    await persist(chain, { forget: [at(1).hash, zeroHash] });
    assert.equal(chain.blockBytes(at(1).hash), undefined);
    await persist(chain, { blocks: [at(1)] });
    assert.deepEqual(chain.blockBytes(at(1).hash), at(1).bytes);
  });

  test('a run that one certificate makes final is one batch: all of it, or nothing', async () => {
    const store = new SlowStore();
    const chain = await ChainStore.open(store, { chainId });
    chain.commit(commitOf(at(0)), ignore);
    store.finishOne();
    const run = [1, 2, 3].map((height) => commitOf(at(height), height === 3 ? {} : { certificate: null }));
    let done = 0;
    chain.commitRun(run, () => (done += 1));
    assert.equal(store.batches.length, 2);
    assert.equal(chain.finalHeight, 0);
    store.finishOne();
    assert.equal(done, 1);
    assert.equal(chain.finalHeight, 3);
    assert.deepEqual(chain.nearestCertificate(h(1)), { height: 3, bytes: utf8('certificate 3') });
    assert.throws(() => chain.commitRun([commitOf(at(4)), commitOf(at(6))], ignore), InvariantError);
  });

  test('what the disk shows of a block before it is known to be durable is not believed', async () => {
    const entries: MemoryEntries = new Map();
    const early: (() => void)[] = [];
    const chain = await filledChain(new MemoryStore(setImmediate, entries), blocks.slice(0, 1));
    await chain.close();
    const memory = new MemoryStore((finish) => finish(), entries);
    const eager: Store = {
      get: (key) => memory.get(key),
      scan: (range) => memory.scan(range),
      compact: memory.compact,
      close: () => memory.close(),
      write: (batch, done) => memory.write(batch, (problem) => early.push(() => done(problem))),
    };
    const opened = await ChainStore.open(eager, { chainId });
    opened.commit(commitOf(at(1)), ignore);
    assert.equal(opened.locate(transactionHash(1, 0)), undefined);
    assert.equal(opened.headerAt(h(1)), undefined);
    early.shift()?.();
    assert.deepEqual(opened.locate(transactionHash(1, 0)), { height: 1, index: 0 });
  });

  test('the certificate of a descendant stands for the blocks below it', async () => {
    const chain = await ChainStore.open(new MemoryStore(setImmediate), { chainId });
    for (const height of [0, 1, 2, 3, 4]) {
      await commit(chain, commitOf(at(height), height === 3 ? {} : { certificate: null }));
    }
    assert.equal(chain.certificateAt(h(1)), undefined);
    for (const height of [0, 1, 2, 3].map(h)) {
      assert.deepEqual(chain.nearestCertificate(height), { height: 3, bytes: utf8('certificate 3') });
    }
    assert.equal(chain.nearestCertificate(h(4)), undefined);
  });

  test('a failed write reaches its caller, and nothing of it is believed', async () => {
    const entries: MemoryEntries = new Map();
    const chain = await filledChain(new MemoryStore(setImmediate, entries), blocks.slice(0, 2));
    await chain.close();
    const problem = new Problem('storage/write-failed', 'no', { remedy: 'a disk' });
    const memory = new MemoryStore(setImmediate, entries);
    const broken: Store = {
      get: (key) => memory.get(key),
      scan: (range) => memory.scan(range),
      compact: memory.compact,
      close: () => memory.close(),
      write: (_batch, done) => setImmediate(() => done(problem)),
    };
    const opened = await ChainStore.open(broken, { chainId });
    await assert.rejects(commit(opened, commitOf(at(2))), (thrown) => thrown === problem);
    await assert.rejects(
      persist(opened, { records: [{ key: 'x', value: utf8('y') }] }),
      (thrown) => thrown === problem,
    );
    assert.equal(opened.finalHeight, 1);
    assert.equal(opened.logRecords.size, 0);
  });
});

describe('chain store: the caller’s mistakes', () => {
  test('heights out of order, a missing block, and anything before height 0', async () => {
    const chain = await ChainStore.open(new MemoryStore(setImmediate), { chainId });
    assert.throws(() => chain.finalHeight, InvariantError);
    assert.throws(() => chain.persist({ records: [], blocks: [] }, ignore), InvariantError);
    assert.throws(() => chain.commit(commitOf(at(1)), ignore), /height 0 is committed next, not 1/);
    await commit(chain, commitOf(at(0), { blockBytes: undefined }));
    assert.equal(chain.blockBytesAt(h(0)), undefined);
    assert.throws(() => chain.commit(commitOf(at(0)), ignore), /height 1 is committed next/);
    assert.throws(() => chain.commit(commitOf(at(2)), ignore), /height 1 is committed next/);
    assert.throws(() => chain.commit(commitOf(at(1), { blockBytes: undefined }), ignore), /stored or given/);
  });
});

describe('evidence', () => {
  const piece = (bytes: string, accused = 'alice', kind = 'equivocation'): StoredEvidence => ({
    accused: developmentKeyPair(accused).publicKey,
    kind,
    bytes: utf8(bytes),
  });
  const store = (table: EvidenceTable, one: StoredEvidence): Promise<void> =>
    new Promise((resolve, reject) => {
      const fate = table.put(one, (problem) => (problem === undefined ? resolve() : reject(problem)));
      assert.equal(fate, 'stored');
    });

  test('is stored once, listed oldest first, and there after a restart', async () => {
    const entries: MemoryEntries = new Map();
    const { evidence } = await ChainStore.open(new MemoryStore(setImmediate, entries), { chainId });
    const pieces = [piece('c'), piece('a', 'bob'), piece('b'), piece('b', 'alice', 'other')];
    const chain = await filledChain(new MemoryStore(setImmediate, entries), blocks.slice(0, 1));
    assert.deepEqual(evidence.list(), []);
    for (const one of pieces) await store(chain.evidence, one);
    assert.equal(chain.evidence.put(piece('b'), assert.fail), 'known');
    assert.deepEqual(chain.evidence.list(), pieces);
    const again = await ChainStore.open(new MemoryStore(setImmediate, entries), { chainId });
    assert.deepEqual(again.evidence.list(), pieces);
    assert.equal(again.evidence.put(piece('c'), assert.fail), 'known');
    await store(again.evidence, piece('d'));
    assert.equal(again.evidence.list().length, 5);
  });

  test('a liar does not fill the disk: there is enough at sixteen', async () => {
    const { evidence } = await filledChain(new MemoryStore(setImmediate), blocks.slice(0, 1));
    for (let index = 0; index < 16; index++) await store(evidence, piece(`lie ${index}`));
    assert.equal(evidence.put(piece('lie 17'), assert.fail), 'enough');
    await store(evidence, piece('another’s lie', 'bob'));
    await store(evidence, piece('another lie', 'alice', 'other'));
    assert.equal(evidence.list().length, 18);
  });
});
