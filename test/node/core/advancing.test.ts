import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from '../../../src/base/codec.ts';
import { limits } from '../../../src/base/limits.ts';
import { finalityCodec } from '../../../src/ledger/certificate.ts';
import type { Transaction } from '../../../src/ledger/transaction.ts';
import { Advancing } from '../../../src/node/core/advancing.ts';
import { Decided } from '../../../src/node/core/decided.ts';
import { Snapshots } from '../../../src/node/catch-up/snapshots.ts';
import { silentLog } from '../../../src/node/process/log.ts';
import { snapshotRequestCodec } from '../../../src/node/peers/wire.ts';
import { VirtualTime } from '../../support/virtual-time.ts';
import { ChainMaker, genesisRoster } from '../chain-maker.ts';
import { signedTransaction, testGenesis } from '../cluster.ts';

const genesis = testGenesis(4);
const maker = new ChainMaker(genesis);

test('a snapshot that was installed is the newest that this node serves from then on', () => {
  const made = maker.run(10).at(-1) ?? assert.fail('a block');
  const clock = new VirtualTime().clock();
  const chain = maker.chain();
  const snapshots = new Snapshots({
    chain,
    store: {
      certificateAt: (height) =>
        encode(finalityCodec, maker.certificate(height === made.header.height ? made : maker.start)),
      firstBlock: maker.start.height,
      prune: () => assert.fail('nothing is pruned'),
    },
    clock,
    complete: (certificate) => certificate,
    partBytes: limits.snapshotPartBytes,
    enqueue: () => assert.fail('the engine hears of it from the one who installs'),
    onFatal: (problem) => assert.fail(problem),
  });
  const decided = new Decided(maker.start.height, genesisRoster(genesis));
  const advancing = new Advancing({
    chain,
    mempool: { installed: () => undefined },
    intake: { final: () => assert.fail('no block came') },
    sync: { applied: () => undefined, active: false },
    snapshots,
    installing: { advanced: () => undefined },
    announcing: { announce: () => assert.fail('others have it') },
    nudges: { advanced: () => undefined },
    listeners: { final: () => assert.fail('no block came') } as never,
    decided,
    clock,
    clockWatch: { look: () => undefined, live: () => undefined },
    versionWatch: { look: () => undefined },
    onWork: () => undefined,
    log: silentLog,
  });
  const served = (kind: 'head' | 'part') =>
    snapshots.serve(encode(snapshotRequestCodec, { kind, blockHash: made.hash, after: undefined }));
  assert.equal(served('head'), null);
  advancing.installed({ ...made, height: made.header.height });
  assert.equal(snapshots.newest()?.header.height, made.header.height);
  assert.ok(served('head') !== null && served('part') !== null);
  assert.equal(decided.finalHeight, made.header.height, 'and no block up to there is looked for any more');
});

test('who handed in what became final hears of it', () => {
  const heard: Transaction[] = [];
  const nothing = (): void => {};
  const advancing = new Advancing({
    chain: { install: () => assert.fail('blocks came') },
    mempool: { installed: () => assert.fail('blocks came') },
    intake: { final: (transactions) => heard.push(...transactions) },
    sync: { applied: nothing, active: false },
    installing: { advanced: () => undefined },
    snapshots: { take: () => assert.fail('blocks came') },
    announcing: { announce: nothing },
    nudges: { advanced: nothing },
    listeners: { final: { tell: nothing } } as never,
    decided: new Decided(maker.start.height, genesisRoster(genesis)),
    clock: new VirtualTime().clock(),
    clockWatch: { look: nothing, live: nothing },
    versionWatch: { look: nothing },
    onWork: nothing,
    log: silentLog,
  });
  const transactions = [0, 1].map((nonce) => signedTransaction(genesis, 'alice', { nonce }));
  const { block, hash } = maker.block(maker.start, transactions);
  advancing.committed({ block, hash, execution: {} as never, certificate: null, waits: [] });
  assert.deepEqual(heard, transactions);
});
