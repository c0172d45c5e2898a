import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem } from '../../../src/base/problem.ts';
import { limits } from '../../../src/base/limits.ts';
import { Committing } from '../../../src/node/effects/committing.ts';
import type { CommitRequest } from '../../../src/storage/chain-requests.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import { widestLimits } from '../../../src/ledger/chain-parameters.ts';
import { linkOf } from '../../../src/consensus/shared/chain-link.ts';
import { Chain } from '../../../src/node/effects/chain.ts';
import { deciding } from '../chain-changes.ts';
import { ChainMaker } from '../chain-maker.ts';
import { signedTransaction, testGenesis } from '../cluster.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

/** Commits `length` blocks, each with a certificate of its own, one each 20 ms, to a disk that takes 100 ms for a write. */
function onSlowDisk(length: number) {
  const time = new VirtualTime();
  const maker = new ChainMaker(testGenesis(4));
  const chain = maker.chain();
  const runs: number[] = [];
  const applied: { readonly height: number; readonly at: number }[] = [];
  const committing = new Committing({
    chain,
    store: {
      commitRun: (requests: readonly CommitRequest[], done) => {
        runs.push(requests.length);
        time.after(100, () => done(undefined));
      },
    },
    mempool: { committed: () => {}, waitOf: () => undefined },
    bodies: { obtain: () => assert.fail('every block is here') },
    clock: time.clock(),
    enqueue: ({ height }) => void applied.push({ height, at: time.now }),
    flush: () => {},
    onCommitted: () => {},
    onUnknownVersion: () => assert.fail(),
    onFatal: (problem: Problem) => {
      throw problem;
    },
  });
  for (const made of maker.run(length)) {
    chain.add(made.block, { stored: true });
    const { height, parentHash } = made.header;
    const link = { height, blockHash: made.hash, parentHash, isLast: false };
    committing.commit({ type: 'commit', link, certificate: maker.certificate(made) });
    time.run(20);
  }
  return { time, runs, applied };
}

test('blocks that became final while the disk was busy are written together', () => {
  const { time, runs, applied } = onSlowDisk(100);
  time.run(250);
  assert.deepEqual(
    applied.map(({ height }) => height),
    Array.from({ length: 100 }, (_, index) => index + 1),
    'in their order, each once',
  );
  assert.ok(runs.length < 30, `${runs.length} writes`);
  assert.ok(Math.max(...runs) <= limits.commitBlocks);
  for (const { height, at } of applied) assert.ok(at - height * 20 < 300, 'none waits for long');
});

test('what was to be persisted before goes first, with its block: a final block is not taken for one that is on disk before it is', () => {
  const time = new VirtualTime();
  const maker = new ChainMaker(testGenesis(4));
  const chain = maker.chain();
  const [made] = maker.run(1);
  assert.ok(made !== undefined);
  const order: string[] = [];
  const committing = new Committing({
    chain,
    store: { commitRun: () => void order.push('commit') },
    mempool: { committed: () => {}, waitOf: () => undefined },
    bodies: { obtain: () => assert.fail('every block is here') },
    clock: time.clock(),
    enqueue: () => {},
    flush: () => void order.push(`flush, stored: ${chain.get(made.hash)?.stored}`),
    onCommitted: () => {},
    onUnknownVersion: () => assert.fail(),
    onFatal: assert.fail,
  });
  chain.add(made.block, { stored: false });
  const { height, parentHash } = made.header;
  const link = { height, blockHash: made.hash, parentHash, isLast: false };
  committing.commit({ type: 'commit', link, certificate: maker.certificate(made) });
  time.run(20);
  assert.deepEqual(order, ['flush, stored: false', 'commit']);
});

test('a block that is full left nothing out by choice, and the pool is told', () => {
  const genesis = testGenesis(4);
  const maker = new ChainMaker(genesis);
  const most = { ...widestLimits, maxTransactions: 2 };
  const narrow = { type: 'limits', limits: most, height: toHeight(3) } as const;
  const transfer = (nonce: number) => signedTransaction(genesis, 'alice', { nonce });
  const contents = [deciding(genesis, narrow, 3, toHeight(2)), [], [transfer(0), transfer(1)], [transfer(2)]];
  const time = new VirtualTime();
  const chain = maker.chain();
  const hadRoom: boolean[] = [];
  const committing = new Committing({
    chain,
    store: { commitRun: (_requests, done) => done(undefined) },
    mempool: { committed: (block) => void hadRoom.push(block.hadRoom), waitOf: () => undefined },
    bodies: { obtain: () => assert.fail('every block is here') },
    clock: time.clock(),
    enqueue: () => {},
    flush: () => {},
    onCommitted: () => {},
    onUnknownVersion: () => assert.fail(),
    onFatal: assert.fail,
  });
  for (const made of maker.run(4, (height) => contents[height - 1] ?? [])) {
    chain.add(made.block, { stored: false });
    const { height, parentHash } = made.header;
    const link = { height, blockHash: made.hash, parentHash, isLast: false };
    committing.commit({ type: 'commit', link, certificate: maker.certificate(made) });
    time.run(20);
  }
  assert.deepEqual(hadRoom, [true, true, false, true]);
});

test('before a block of an unknown protocol version it writes what is proven, and then ends', () => {
  const genesis = testGenesis(4);
  const toNext = { type: 'protocol-version', version: 2, height: toHeight(4) } as const;
  const maker = new ChainMaker(genesis);
  const made = maker.run(5, (height) => (height === 1 ? deciding(genesis, toNext, 3, toHeight(2)) : []));
  for (const [proven, stored] of [
    [[1, 2, 3, 4, 5], [[1, 2, 3]]],
    [[2, 5], [[1, 2]]],
    [[5], []],
  ] as const) {
    const time = new VirtualTime();
    const chain = new Chain({ genesis, final: maker.start, newestProtocolVersion: 1 });
    const runs: number[][] = [];
    const refused: number[] = [];
    const committing = new Committing({
      chain,
      store: {
        commitRun: (requests: readonly CommitRequest[], done) => {
          runs.push(requests.map(({ height }) => height));
          time.after(1, () => done(undefined));
        },
      },
      mempool: { committed: () => {}, waitOf: () => undefined },
      bodies: { obtain: () => assert.fail('every block is here') },
      clock: time.clock(),
      enqueue: () => {},
      flush: () => {},
      onCommitted: () => {},
      onUnknownVersion: ({ height }) => void refused.push(height),
      onFatal: () => assert.fail(),
    });
    for (const each of made) chain.add(each.block, { stored: true });
    for (const each of made) {
      const { height } = each.header;
      const link = linkOf(each.header, each.hash);
      const certificate = (proven as readonly number[]).includes(height) ? maker.certificate(each) : null;
      committing.commit({ type: 'commit', link, certificate });
    }
    time.run(100);
    assert.deepEqual(runs.flat(), stored.flat());
    assert.deepEqual(refused.slice(0, 1), [4]);
  }
});

/** Commits of a chain whose blocks are brought as a test says, to a disk that is done at once. */
function world(obtain: (hash: string, add: () => void) => 'here' | 'unavailable' = () => 'here') {
  const time = new VirtualTime();
  const maker = new ChainMaker(testGenesis(4));
  const chain = maker.chain();
  const made = maker.run(4);
  const runs: { height: number; hasCertificate: boolean; hasBlock: boolean }[][] = [];
  const applied: number[] = [];
  const forgotten: string[] = [];
  const committing = new Committing({
    chain,
    store: {
      commitRun: (requests: readonly CommitRequest[], done) => {
        forgotten.push(...requests.flatMap(({ forgetCandidates }) => forgetCandidates));
        runs.push(
          requests.map(({ height, certificate, blockBytes }) => ({
            height,
            hasCertificate: certificate !== null,
            hasBlock: blockBytes !== undefined,
          })),
        );
        time.after(1, () => done(undefined));
      },
    },
    mempool: { committed: ({ height }) => void applied.push(height), waitOf: () => undefined },
    bodies: {
      obtain: ({ hash }, done) => {
        const block = made.find((each) => each.hash === hash)?.block ?? assert.fail();
        const result = obtain(hash, () => void chain.add(block, { stored: false }));
        time.after(1, () => done(result));
      },
    },
    clock: time.clock(),
    enqueue: () => {},
    flush: () => {},
    onCommitted: () => {},
    onUnknownVersion: () => assert.fail(),
    onFatal: (problem: Problem) => {
      throw problem;
    },
  });
  const commit = (index: number, proven: boolean): void => {
    const each = made[index] ?? assert.fail();
    const { height, parentHash } = each.header;
    const link = { height, blockHash: each.hash, parentHash, isLast: false };
    committing.commit({ type: 'commit', link, certificate: proven ? maker.certificate(each) : null });
  };
  return { time, chain, made, runs, applied, forgotten, commit, maker };
}

test('blocks that one certificate makes final are written in one batch, which ends with it', () => {
  const { time, chain, made, runs, applied, commit } = world();
  for (const { block } of made) chain.add(block, { stored: false });
  commit(0, false);
  commit(1, false);
  time.run(1_000);
  assert.deepEqual(runs.flat(), [], 'a store never ends at a block without its proof');
  commit(2, true);
  commit(3, true);
  time.run(1_000);
  assert.deepEqual(
    runs.flat().map(({ height, hasCertificate, hasBlock }) => [height, hasCertificate, hasBlock]),
    [
      [1, false, true],
      [2, false, true],
      [3, true, true],
      [4, true, true],
    ],
  );
  assert.equal(runs[0]?.length, 3);
  assert.deepEqual(applied, [1, 2, 3, 4]);
});

test('a final block that nobody has is asked for again until somebody has it, and those above it wait', () => {
  let asked = 0;
  const { time, chain, made, applied, commit } = world((_, add) => {
    asked += 1;
    if (asked < 4) return 'unavailable';
    add();
    return 'here';
  });
  for (const { block } of made.slice(1)) chain.add(block, { stored: false });
  for (const index of [0, 1, 2]) commit(index, true);
  time.run(2_500);
  assert.deepEqual([asked, applied], [3, []]);
  time.run(2_000);
  assert.deepEqual([asked, applied], [4, [1, 2, 3]]);
});

test('nor does it take with it what has no proof yet, when the disk was busy', () => {
  const { time, chain, made, runs, applied, commit } = world();
  for (const { block } of made) chain.add(block, { stored: false });
  commit(0, true);
  commit(1, true);
  commit(2, false);
  time.run(1_000);
  assert.deepEqual(applied, [1, 2]);
  assert.ok(runs.every((run) => run.at(-1)?.hasCertificate === true));
});

test('what a final block rules out goes from the disk with it, and stands there no more', () => {
  const { time, chain, made, forgotten, commit, maker } = world();
  const [first, second] = made;
  assert.ok(first !== undefined && second !== undefined);
  const siblings = [
    maker.block(maker.start, [], { timestamp: first.header.timestamp + 5 }),
    maker.block(first, [], { timestamp: second.header.timestamp + 5 }),
  ] as const;
  const child = maker.block(siblings[0]);
  for (const { block } of [...siblings, child]) chain.add(block, { stored: true });
  for (const { block } of made) chain.add(block, { stored: true });
  commit(0, true);
  time.run(100);
  assert.deepEqual(forgotten.toSorted(), [siblings[0].hash, child.hash].toSorted());
  assert.ok(chain.get(siblings[1].hash) !== undefined, 'it may still become final');
  commit(1, true);
  time.run(100);
  assert.deepEqual(forgotten.slice(2), [siblings[1].hash]);
});
