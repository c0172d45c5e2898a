import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { listed } from '../../ledger/changes.ts';
import { encode } from '../../../src/base/codec.ts';
import { defined } from '../../../src/base/invariant.ts';
import type { Protocol } from '../../../src/consensus/protocol.ts';
import { type FinalityCertificate, finalityCodec } from '../../../src/ledger/certificate.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import { encodeBlock } from '../../../src/ledger/block-body.ts';
import { executeBlock } from '../../../src/ledger/execution.ts';
import type { Genesis } from '../../../src/ledger/genesis.ts';
import { receiptsCodec } from '../../../src/ledger/receipt.ts';
import { headerBytes } from '../../../src/node/effects/chain.ts';
import { candidateLinks, restore } from '../../../src/node/effects/restore.ts';
import { ChainStore } from '../../../src/storage/chain-store.ts';
import { MemoryStore } from '../../../src/storage/memory-store.ts';
import { deciding } from '../chain-changes.ts';
import { ChainMaker, type Made } from '../chain-maker.ts';
import { Cluster, signedTransaction, testGenesis } from '../cluster.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const genesis = testGenesis(4);
const maker = new ChainMaker(genesis);

function certificateOf(made: Made, epoch: number): FinalityCertificate {
  const certificate = maker.certificate(made);
  return 'epoch' in certificate ? { ...certificate, epoch: toHeight(epoch) } : certificate;
}

class Disk {
  readonly time = new VirtualTime();
  readonly entries = new Map<string, Uint8Array>();

  open(): Promise<ChainStore> {
    const store = new MemoryStore(this.time.defer, this.entries);
    return this.time.settle(ChainStore.open(store, { chainId: genesis.chainId }));
  }

  restore(store: ChainStore) {
    return this.time.settle(restore(store, genesis));
  }

  commit(
    store: ChainStore,
    made: Made,
    parent: { state: Made['state'] },
    options: { certified?: boolean; epoch?: number } = {},
  ): void {
    const { header, block } = made;
    const { height, timestamp, proposer, validatorsHash } = header;
    const context = { height, timestamp, proposer, chainId: genesis.chainId, validatorsHash };
    const execution = executeBlock(parent.state, context, block.transactions);
    assert.ok('state' in execution);
    store.commit(
      {
        height,
        hash: made.hash,
        headerBytes: headerBytes(header),
        blockBytes: encodeBlock(block),
        certificate:
          options.certified === false ? null : encode(finalityCodec, certificateOf(made, options.epoch ?? 0)),
        transactions: block.transactions,
        touched: execution.touched,
        receiptsBytes: encode(receiptsCodec, execution.receipts),
        stateChanges: execution.changes,
        forgetRecords: [],
        forgetCandidates: [],
      },
      (problem) => assert.equal(problem, undefined),
    );
    this.time.run(0);
  }
}

describe('restore', () => {
  test('starts an empty store with the genesis', async () => {
    const disk = new Disk();
    const { final, certificate, candidates } = await disk.restore(await disk.open());
    assert.equal(final.hash, maker.start.hash);
    assert.equal(final.state.root, maker.start.header.stateRoot);
    assert.deepEqual([certificate, candidates], [null, []]);
  });

  test('goes on from the last final block, its state and its certificate', async () => {
    const disk = new Disk();
    const store = await disk.open();
    await disk.restore(store);
    const a = maker.block(maker.start, [signedTransaction(genesis, 'alice', { nonce: 0 })]);
    disk.commit(store, a, maker.start);
    const again = await disk.restore(await disk.open());
    assert.equal(again.final.hash, a.hash);
    assert.equal(again.final.state.root, a.header.stateRoot);
    assert.deepEqual(again.certificate, maker.certificate(a));
  });

  test('reads the accounts of the genesis file for the first start alone: there may be a hundred thousand', async () => {
    const disk = new Disk();
    const store = await disk.open();
    await disk.restore(store);
    const a = maker.block(maker.start, [signedTransaction(genesis, 'alice', { nonce: 0 })]);
    disk.commit(store, a, maker.start);
    const withoutAccounts: Genesis = {
      ...genesis,
      get accounts() {
        return assert.fail('they are in the state');
      },
    };
    const again = await disk.time.settle(restore(await disk.open(), withoutAccounts));
    assert.deepEqual(again.epoch, { height: 0, blockHash: maker.start.hash });
  });

  test('knows the stored blocks above it', async () => {
    const disk = new Disk();
    const store = await disk.open();
    await disk.restore(store);
    const [a, b] = maker.run(2) as [Made, Made];
    const blocks = [a, b].map(({ hash, block }) => ({ hash, bytes: encodeBlock(block) }));
    store.persist({ records: [], blocks }, () => {});
    disk.time.run(0);
    const again = await disk.restore(await disk.open());
    assert.deepEqual(
      new Set(candidateLinks(again).map(({ blockHash }) => blockHash)),
      new Set([a.hash, b.hash]),
    );
  });

  test('knows those that can never be final any more, too: they leave the disk with the next block', async () => {
    const disk = new Disk();
    const store = await disk.open();
    await disk.restore(store);
    const [a, dead] = [maker.block(maker.start), maker.block(maker.start, [], { view: toView(1) })];
    store.persist({ records: [], blocks: [{ hash: dead.hash, bytes: encodeBlock(dead.block) }] }, () => {});
    disk.commit(store, a, maker.start);
    const again = await disk.restore(await disk.open());
    assert.deepEqual(
      again.candidates.map(({ header }) => header),
      [dead.header],
    );
    assert.deepEqual(candidateLinks(again), []);
  });

  test('does not start on a state that is not the one after the final block', async () => {
    const disk = new Disk();
    const store = await disk.open();
    await disk.restore(store);
    const a = maker.block(maker.start, [signedTransaction(genesis, 'alice', { nonce: 0 })]);
    const { chainId } = genesis;
    const { height, timestamp, proposer, validatorsHash } = a.header;
    const execution = executeBlock(
      maker.start.state,
      { height, timestamp, proposer, chainId, validatorsHash },
      a.block.transactions,
    );
    assert.ok('state' in execution);
    // A key that the block does not touch, written behind everybody's back.
    const key = defined([...maker.start.state.entries()].at(-1), 'an entry')[0];
    store.commit(
      {
        height,
        hash: a.hash,
        headerBytes: headerBytes(a.header),
        blockBytes: encodeBlock(a.block),
        certificate: encode(finalityCodec, maker.certificate(a)),
        transactions: a.block.transactions,
        touched: execution.touched,
        receiptsBytes: encode(receiptsCodec, execution.receipts),
        stateChanges: [...listed(execution.changes), { key, value: null }],
        forgetRecords: [],
        forgetCandidates: [],
      },
      () => {},
    );
    disk.time.run(0);
    await assert.rejects(disk.restore(await disk.open()), { code: 'storage/damaged' });
  });

  test('does not start at a block without the proof that it is final', async () => {
    const disk = new Disk();
    const store = await disk.open();
    await disk.restore(store);
    disk.commit(store, maker.block(maker.start), maker.start, { certified: false });
    await assert.rejects(disk.restore(await disk.open()), { code: 'storage/damaged' });
  });
});

test('a node killed in the middle of a run of blocks under one certificate starts again with a proof of where it is', async () => {
  const cluster = await Cluster.start(4);
  const { genesis } = cluster;
  // An engine that says nothing of the certificates of odd heights: two blocks at a time become final by one.
  const inPairs: Protocol<object> = {
    ...cluster.protocol,
    start: (start) => {
      const engine = cluster.protocol.start(start);
      return {
        status: () => engine.status(),
        why: () => engine.why(),
        wants: (message) => engine.wants(message),
        step: (input) =>
          engine
            .step(input)
            .map((effect) =>
              effect.type === 'commit' && effect.link.height % 2 === 1
                ? { ...effect, certificate: null }
                : effect,
            ),
      };
    },
  };
  cluster.kill('validator-3');
  await cluster.boot('validator-3', { protocol: inPairs });
  let before = 0;
  for (let nonce = 0; nonce < 8; nonce++) {
    cluster.submit('validator-0', signedTransaction(genesis, 'alice', { nonce }));
    cluster.time.runUntil(() => cluster.node('validator-3').driver.chain.final.height > before, 3_000);
    // At the very moment at which something became final there.
    cluster.kill('validator-3');
    const { store, driver } = await cluster.boot('validator-3', { protocol: inPairs });
    const { height } = driver.chain.final;
    assert.equal(height % 2, 0, 'never between the two');
    assert.equal(store.certificateAt(height) === undefined, height === 0);
    before = height;
  }
  assert.ok(before > 0);
  cluster.kill('validator-3');
  const { fatal } = await cluster.boot('validator-3');
  assert.ok(
    cluster.time.runUntil(() => cluster.nonces('alice').every((nonce) => nonce === 8), 20_000),
    cluster.why(),
  );
  assert.deepEqual(fatal, []);
});

test('the certificate of the final block tells since when its validators are in force', async () => {
  const disk = new Disk();
  const store = await disk.open();
  await disk.restore(store);
  const run = maker.run(3);
  for (const [index, made] of run.entries())
    disk.commit(store, made, run[index - 1] ?? maker.start, { epoch: index === 0 ? 0 : 1 });
  disk.time.run(0);
  const { epoch } = await disk.restore(store);
  assert.deepEqual(epoch, { height: 1, blockHash: run[0]?.hash });
});

test('above a block that changed the validators the next ones vote, from that block on', async () => {
  const validators = genesis.validators.map(({ publicKey }) => publicKey).toReversed();
  const disk = new Disk();
  const store = await disk.open();
  await disk.restore(store);
  const last = maker.block(maker.start, deciding(genesis, { type: 'validators', validators }, 3));
  disk.commit(store, last, maker.start);
  const restored = await disk.restore(store);
  assert.deepEqual(restored.epoch, { height: 1, blockHash: last.hash });
  assert.deepEqual(restored.validators.keys, validators);
});
