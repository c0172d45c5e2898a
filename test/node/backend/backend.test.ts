import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { finalityJson, transactionStatusJson } from '../../../src/api/present.ts';
import { defined } from '../../../src/base/invariant.ts';
import { limits } from '../../../src/base/limits.ts';
import { Problem, unwrap } from '../../../src/base/problem.ts';
import { verifyHeader, verifyReceipt } from '../../../src/client/verify.ts';
import { developmentKeyPair } from '../../../src/crypto/development-keys.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import { hashHeader, toHeight } from '../../../src/ledger/block.ts';
import { genesisHeader, parseGenesis } from '../../../src/ledger/genesis.ts';
import type { Operation } from '../../../src/ledger/operation.ts';
import type { NodeBackend } from '../../../src/node/backend/backend.ts';
import { Cluster, raftGenesis, signedTransaction } from '../cluster.ts';
import { backendOf } from './backend-of.ts';

const alice = developmentKeyPair('alice').publicKey;
const nowhere = 'ab'.repeat(32) as Hash;

const transfers = (cluster: Cluster, count: number, from = 0) =>
  Array.from({ length: count }, (_, index) =>
    signedTransaction(cluster.genesis, 'alice', { nonce: from + index }),
  );

async function withHistory(): Promise<{ cluster: Cluster; backend: NodeBackend }> {
  const cluster = await Cluster.start(4);
  for (let nonce = 0; nonce < 6; nonce += 2) {
    cluster.submit('validator-0', ...transfers(cluster, 2, nonce));
    assert.ok(cluster.time.runUntil(() => cluster.nonces('alice').every((at) => at === nonce + 2), 10_000));
  }
  return { cluster, backend: backendOf(cluster, 'validator-1') };
}

describe('the backend', () => {
  test('tells of a transaction from its submission to its proof', async () => {
    const cluster = await Cluster.start(4);
    const backend = backendOf(cluster, 'validator-1');
    const [transaction] = transfers(cluster, 1);
    const { hash, bytes } = defined(transaction, 'a transaction');
    assert.equal((await backend.transaction(hash)).status, 'unknown');
    const [result] = await cluster.time.settle(backend.submit([bytes]));
    assert.deepEqual(result, { status: 'accepted', hash, missing: null });
    const seen: string[] = [];
    while (!seen.includes('final')) {
      const { status } = await backend.transaction(hash);
      if (seen.at(-1) !== status) seen.push(status);
      cluster.time.run(1);
    }
    assert.deepEqual(seen, ['pending', 'final']);
  });

  test('reads a block once to tell what became of all its transactions', async () => {
    const { cluster, backend } = await withHistory();
    const { store } = cluster.node('validator-1');
    const read = store.receiptsBytesAt.bind(store);
    const heights: number[] = [];
    store.receiptsBytesAt = (height) => {
      heights.push(height);
      return read(height);
    };
    for (const { hash } of transfers(cluster, 6)) {
      const outcome = await backend.outcome(hash);
      assert.ok(outcome.status === 'final');
      assert.equal(outcome.receipt.transactionHash, hash);
    }
    assert.equal(heights.length, new Set(heights).size);
    assert.ok(heights.length < 6, 'some stand in one block');
  });

  test('tells whom it hears, and which keys connected that no validator has', async () => {
    const cluster = await Cluster.start(4);
    const backend = backendOf(cluster, 'validator-0');
    const heard = (of: NodeBackend) => of.validators().map((one) => one.heard);
    assert.ok(cluster.time.runUntil(() => heard(backend).every(Boolean), 10_000));
    assert.deepEqual(backend.strangers(), []);
    await cluster.boot('validator-4');
    cluster.time.run(1_000);
    assert.deepEqual(backend.strangers(), [developmentKeyPair('validator-4').publicKey]);
    cluster.kill('validator-2');
    assert.ok(cluster.time.runUntil(() => heard(backend)[2] === false, 20_000));
    assert.deepEqual(heard(backend), [true, true, false, true]);
    // Validators do not speak to it: it knows of connections only.
    const observer = backendOf(cluster, 'validator-4');
    assert.deepEqual(heard(observer), [null, null, null, null]);
    assert.deepEqual(observer.strangers(), [developmentKeyPair('validator-4').publicKey]);
  });

  test('proves a final transaction: its place, its receipt, and the block that holds it', async () => {
    const { cluster, backend } = await withHistory();
    for (const transaction of transfers(cluster, 6)) {
      const answer = await backend.transaction(transaction.hash);
      assert.ok(answer.status === 'final');
      const shown: unknown = JSON.parse(JSON.stringify(transactionStatusJson(backend.identity, answer)));
      const { genesis } = cluster;
      const { inclusion } = unwrap(verifyReceipt(shown, { genesis, hash: transaction.hash }));
      assert.deepEqual(inclusion.receipt, answer.inclusion.receipt);
      assert.deepEqual(inclusion.transaction.bytes, transaction.bytes);
    }
  });

  test('gives blocks by height, hash and as the latest, and none that is not final', async () => {
    const { cluster, backend } = await withHistory();
    const { final } = cluster.node('validator-1').driver.chain;
    const latest = defined(await backend.block('latest'), 'the latest block');
    assert.equal(latest.hash, final.hash);
    assert.deepEqual(await backend.block({ height: final.height }), latest);
    assert.deepEqual(await backend.block({ hash: final.hash }), latest);
    assert.equal(latest.transactions.length, latest.receipts.length);
    const genesis = defined(await backend.block({ height: toHeight(0) }), 'the genesis');
    assert.equal(genesis.hash, hashHeader(genesisHeader(cluster.genesis)));
    assert.deepEqual(await backend.block({ hash: genesis.hash }), genesis);
    assert.equal(await backend.block({ height: toHeight(final.height + 1) }), undefined);
    assert.equal(await backend.block({ hash: nowhere }), undefined);
  });

  test('shows of each block, by any of its names, that it is final', async () => {
    const { cluster, backend } = await withHistory();
    const { genesis } = cluster;
    const { finalHeight } = backend.status();
    for (let height = 0; height <= finalHeight; height++) {
      const block = defined(await backend.block({ height: toHeight(height) }), 'a final block');
      for (const name of [{ height: block.header.height }, { hash: block.hash }]) {
        const proof = finalityJson(defined(await backend.finality(name), 'its proof'));
        const { header } = unwrap(verifyHeader(JSON.parse(JSON.stringify(proof)), { genesis }));
        assert.equal(hashHeader(header), block.hash);
      }
    }
    assert.equal((await backend.finality('latest'))?.header.height, finalHeight);
    assert.equal(await backend.finality({ height: toHeight(finalHeight + 1) }), undefined);
    assert.equal(await backend.finality({ hash: nowhere }), undefined);
    assert.equal(unwrap(parseGenesis(backend.identity.genesis)).chainId, genesis.chainId);
  });

  test('lists headers with the number of their transactions, as far as there are any', async () => {
    const { backend } = await withHistory();
    const { finalHeight } = backend.status();
    const headers = await backend.headers(toHeight(0), 1_000);
    assert.equal(headers.length, finalHeight + 1);
    assert.equal(
      headers.reduce((sum, { transactionCount }) => sum + transactionCount, 0),
      6,
    );
    assert.equal((await backend.headers(toHeight(1), 2)).length, 2);
    assert.deepEqual(await backend.headers(toHeight(finalHeight + 1), 5), []);
  });

  test('lists records by prefix in pages, each as it was after one final block, without deleted ones', async () => {
    const cluster = await Cluster.start(4);
    const backend = backendOf(cluster, 'validator-1');
    const make = (nonce: number, operation: Operation) =>
      signedTransaction(cluster.genesis, 'alice', { nonce, operation });
    const put = (nonce: number, key: string) =>
      make(nonce, { type: 'put', key, value: Uint8Array.of(nonce) });
    const settle = (...transactions: ReturnType<typeof make>[]): void => {
      const { nonce } = defined(transactions.at(-1), 'a transaction');
      cluster.submit('validator-0', ...transactions);
      assert.ok(cluster.time.runUntil(() => cluster.nonces('alice').every((at) => at === nonce + 1), 10_000));
    };
    const keys = Array.from({ length: limits.httpPage + 20 }, (_, i) => `demo/${1_000 + i}`);
    settle(
      ...keys.map((key, nonce) => put(nonce, key)),
      put(keys.length, 'demo'),
      put(keys.length + 1, 'demon'),
    );
    settle(make(keys.length + 2, { type: 'delete', key: 'demo/1003' }));
    const shown = keys.filter((key) => key !== 'demo/1003');
    const pages: string[][] = [];
    const heights = new Set<number>();
    let nonce = keys.length + 3;
    for (let after: string | undefined; ;) {
      // While a page is read, another block becomes final: it is not seen in that page.
      const pace = async (): Promise<void> => {
        settle(put(nonce, `demo/0${nonce}`), put(nonce + 1, 'demo/1001'));
        nonce += 2;
      };
      const before = backend.status().finalHeight;
      const reading = backend.listRecords({ prefix: 'demo/', after, limit: 50 }, 'stale', pace);
      const page = await cluster.time.settle(reading);
      assert.equal(page.height, before);
      assert.ok(backend.status().finalHeight > before);
      heights.add(page.height);
      pages.push(page.value.records.map(({ key }) => key));
      if (after === undefined) {
        assert.deepEqual(page.value.records[1]?.value, Uint8Array.of(1), 'as it was before');
      }
      if (page.value.next === null) break;
      after = page.value.next;
    }
    assert.equal(heights.size, 3);
    assert.deepEqual(
      pages.map((page) => page.length),
      [50, 50, shown.length - 100],
    );
    assert.deepEqual(pages.flat(), shown);
    const { value } = await cluster.time.settle(backend.namespace('demo', 'stale'));
    assert.equal(value?.mode, 'open');
    assert.ok((value?.entries ?? 0) > keys.length);
    assert.equal((await cluster.time.settle(backend.namespace('none', 'stale'))).value, undefined);
  });

  test('lists namespaces by prefix in pages, as they were after one final block', async () => {
    const cluster = await Cluster.start(4);
    const backend = backendOf(cluster, 'validator-1');
    const open = (nonce: number, name: string): void => {
      const operation: Operation = { type: 'open-namespace', name, mode: 'open', writers: [] };
      cluster.submit('validator-0', signedTransaction(cluster.genesis, 'alice', { nonce, operation }));
      assert.ok(cluster.time.runUntil(() => cluster.nonces('alice').every((at) => at === nonce + 1), 10_000));
    };
    ['shop', 'shops', 'a'].forEach((name, nonce) => open(nonce, name));
    const list = async (prefix: string, limit: number, after?: string) =>
      (await cluster.time.settle(backend.listNamespaces({ prefix, limit, after }, 'stale'))).value;
    const first = await list('shop', 1);
    assert.deepEqual([first.namespaces.map(({ name }) => name), first.next], [['shop'], 'shop']);
    const second = await list('shop', 1, 'shop');
    assert.deepEqual([second.namespaces.map(({ name }) => name), second.next], [['shops'], null]);
    const all = await list('', 50);
    assert.deepEqual(
      all.namespaces.filter(({ name }) => /^(?:a|shops?)$/.test(name)).map(({ name }) => name),
      ['a', 'shop', 'shops'],
    );
    // One that is opened while the page is read is not in it.
    const pace = async (): Promise<void> => {
      if (cluster.nonces('alice')[0] === 3) open(3, 'b');
    };
    const reading = backend.listNamespaces({ prefix: 'b', limit: 5, after: undefined }, 'stale', pace);
    assert.deepEqual((await cluster.time.settle(reading)).value.namespaces, []);
    assert.equal((await list('b', 5)).namespaces.length, 1);
  });

  test('reads accounts, and says which nonce to use next', async () => {
    const { cluster, backend } = await withHistory();
    cluster.net.onSend = () => null;
    const waiting = transfers(cluster, 2, 6).map(({ bytes }) => bytes);
    await cluster.time.settle(backend.submit(waiting));
    const { value, height } = await backend.account(alice, 'stale');
    assert.deepEqual([value.nonce, value.pendingNonce], [6, 8]);
    assert.equal(value.balance, 10n ** 18n - 6n * 6n);
    assert.equal(height, backend.status().finalHeight);
    assert.equal((await backend.record('nothing here', 'stale')).value, undefined);
  });

  test('reads a large submission in pieces, and gives each transaction its answer', async () => {
    const { cluster, backend } = await withHistory();
    let turns = 0;
    const pace = async (): Promise<void> => void (turns += 1);
    const good = defined(transfers(cluster, 1, 6)[0], 'a transaction');
    const batch = [good.bytes, ...Array.from({ length: 200 }, () => new Uint8Array(3))];
    const results = await cluster.time.settle(backend.submit(batch, { pace }));
    assert.deepEqual(
      results.map(({ status }) => status),
      ['accepted', ...Array(200).fill('refused')],
    );
    assert.equal(turns, Math.ceil(batch.length / limits.httpPieceTransactions) - 1);
  });

  test('says of a transaction that left its mempool that others may have it, and why it left here', async () => {
    const { cluster, backend } = await withHistory();
    cluster.net.onSend = () => null;
    const cheap = signedTransaction(cluster.genesis, 'alice', { nonce: 6, fee: 1n });
    const dear = signedTransaction(cluster.genesis, 'alice', { nonce: 6, fee: 10n });
    await cluster.time.settle(backend.submit([cheap.bytes]));
    await cluster.time.settle(backend.submit([dear.bytes]));
    const answer = await backend.transaction(cheap.hash);
    assert.ok(answer.status === 'unknown');
    assert.equal(answer.problem?.code, 'mempool/replaced');
    assert.match(answer.problem.remedy, /submit the same bytes again/);
  });

  test('never calls gone what another node makes final', async () => {
    const { cluster } = await withHistory();
    const backend = backendOf(cluster, 'validator-2');
    const original = signedTransaction(cluster.genesis, 'alice', { nonce: 6, fee: 1n });
    const other = signedTransaction(cluster.genesis, 'alice', { nonce: 6, fee: 10n });
    // The replacement stays at this node, and the original at the primary.
    cluster.net.onGossip = (from) => from !== 'validator-2';
    cluster.net.onSend = () => null;
    await cluster.time.settle(backend.submit([original.bytes]));
    await cluster.time.settle(backend.submit([other.bytes]));
    cluster.submit('validator-0', original);
    cluster.time.run(10);
    assert.equal((await backend.transaction(original.hash)).status, 'unknown');
    cluster.net.onSend = (_from, _to, bytes) => bytes;
    assert.ok(cluster.time.runUntil(() => cluster.nonces('alice').every((at) => at === 7), 20_000));
    const [first, second] = [await backend.transaction(original.hash), await backend.transaction(other.hash)];
    assert.equal(first.status, 'final');
    assert.ok(second.status === 'gone');
    assert.equal(second.problem.code, 'mempool/superseded');
  });

  test('calls gone what expired without being in a block, once its expiry height is final', async () => {
    const { cluster, backend } = await withHistory();
    const { finalHeight } = backend.status();
    const late = signedTransaction(cluster.genesis, 'bob', {
      nonce: 1,
      expiryHeight: toHeight(finalHeight + 1),
    });
    await cluster.time.settle(backend.submit([late.bytes]));
    cluster.submit('validator-0', ...transfers(cluster, 1, 6));
    assert.ok(cluster.time.runUntil(() => cluster.nonces('alice').every((at) => at === 7), 10_000));
    const answer = await backend.transaction(late.hash);
    assert.ok(answer.status === 'gone');
    assert.equal(answer.problem.code, 'mempool/expired');
  });

  test('names the nonce that is missing, to who submits, to who asks, and in why', async () => {
    const { cluster, backend } = await withHistory();
    const waiting = transfers(cluster, 3, 7);
    const missing = { sender: alice, nonce: 6, expiryHeight: 1_000 };
    const results = await cluster.time.settle(backend.submit(waiting.map(({ bytes }) => bytes)));
    for (const [index, result] of results.entries()) {
      assert.deepEqual(result, { status: 'accepted', hash: waiting[index]?.hash, missing });
    }
    cluster.time.run(10_000);
    const status = await backend.transaction(defined(waiting[2], 'the last').hash);
    assert.ok(status.status === 'pending');
    assert.deepEqual(status.missing, missing);
    assert.match(
      backend.why(),
      /3 transactions wait for nonces .* nonce 6 of qr1\w+ keeps 3 waiting; the first of them are gone when block 1000 is final, and .* every 2 s$/,
    );
    cluster.submit('validator-0', ...transfers(cluster, 1, 6));
    assert.ok(cluster.time.runUntil(() => cluster.nonces('alice').every((at) => at === 10), 10_000));
    cluster.time.run(limits.whyGapsMs);
    assert.doesNotMatch(backend.why(), /missing/);
  });

  test('tells listeners of each final block, in order, until they leave; one that fails harms nobody', async () => {
    const { cluster, backend } = await withHistory();
    const heights: number[] = [];
    backend.onFinal(() => {
      throw new Error('a bad listener');
    });
    const leave = backend.onFinal(({ header }) => heights.push(header.height));
    const before = backend.status().finalHeight;
    cluster.submit('validator-0', ...transfers(cluster, 1, 6));
    assert.ok(cluster.time.runUntil(() => cluster.nonces('alice').every((at) => at === 7), 10_000));
    leave();
    cluster.submit('validator-0', ...transfers(cluster, 1, 7));
    assert.ok(cluster.time.runUntil(() => cluster.nonces('alice').every((at) => at === 8), 10_000));
    assert.deepEqual(heights, [before + 1]);
    assert.deepEqual(
      cluster.all.flatMap(({ fatal }) => fatal),
      [],
    );
  });

  test('refuses a linearizable read with PBFT, and names the other kind', async () => {
    const { cluster, backend } = await withHistory();
    await assert.rejects(cluster.time.settle(backend.account(alice, 'linearizable')), (problem) => {
      assert.ok(problem instanceof Problem && problem.code === 'consensus/unsupported');
      assert.match(problem.remedy, /consistency=stale/);
      return true;
    });
  });

  test('answers a linearizable read with Raft as one', async () => {
    const cluster = await Cluster.start(3, raftGenesis(3));
    assert.ok(cluster.time.runUntil(() => cluster.heights().every((height) => height > 0), 10_000));
    const read = await cluster.time.settle(backendOf(cluster, 'validator-2').account(alice, 'linearizable'));
    assert.equal(read.consistency, 'linearizable');
  });

  test('is ready in contact with a quorum, and says what is missing otherwise', async () => {
    const { cluster, backend } = await withHistory();
    assert.equal(backend.readiness(), undefined);
    for (const name of ['validator-0', 'validator-2', 'validator-3']) cluster.kill(name);
    cluster.time.run(20_000);
    assert.equal(backend.readiness()?.code, 'node/no-quorum');
    assert.equal(backend.health(), undefined);
  });

  test('says that it is alone, and named no peers, for as long as it needs others', async () => {
    const { cluster } = await withHistory();
    const why = (peers: readonly string[], peersNamed: number, name = 'validator-1'): string =>
      backendOf(cluster, name, { peers, peersNamed }).why();
    const alone = /no other node is connected, and "peers" in config.json names none/;
    assert.doesNotMatch(why([], 0), alone);
    for (const name of ['validator-0', 'validator-2', 'validator-3']) cluster.kill(name);
    cluster.time.run(20_000);
    assert.match(why([], 0), alone);
    assert.doesNotMatch(why([], 1), alone);
    assert.doesNotMatch(why(['validator-0'], 0), alone);
  });

  test('is not ready while all that is proposed is too early by its clock, and is when that was set right', async () => {
    const { cluster, backend } = await withHistory();
    const { clock } = cluster.node('validator-1');
    const pay = (nonce: number): void => {
      cluster.submit('validator-0', ...transfers(cluster, 1, nonce));
      assert.ok(cluster.time.runUntil(() => cluster.nonces('alice').every((at) => at === nonce + 1), 10_000));
    };
    clock.wallOffsetMs -= 3_600_000;
    pay(6);
    assert.equal(backend.readiness()?.code, 'node/not-voting');
    assert.match(backend.why(), /clock of this node/);
    clock.wallOffsetMs += 3_600_000;
    assert.equal(backend.readiness(), undefined);
    pay(7);
    assert.equal(backend.readiness(), undefined);
  });

  test('is ready after it refused the proposals of one whose clock is ahead, when others are in time', async () => {
    const { cluster } = await withHistory();
    // The next primary is another one.
    const backend = backendOf(cluster, 'validator-2');
    cluster.node('validator-0').clock.wallOffsetMs += 3_600_000;
    cluster.submit('validator-3', ...transfers(cluster, 1, 6));
    assert.ok(cluster.time.runUntil(() => backend.readiness()?.code === 'node/not-voting', 10_000));
    assert.ok(cluster.time.runUntil(() => cluster.nonces('alice').every((at) => at === 7), 60_000));
    cluster.submit('validator-3', ...transfers(cluster, 1, 7));
    assert.ok(cluster.time.runUntil(() => cluster.nonces('alice').every((at) => at === 8), 60_000));
    assert.equal(backend.readiness(), undefined);
  });

  test('shows the validators, who leads, and who is connected', async () => {
    const { cluster, backend } = await withHistory();
    cluster.kill('validator-3');
    cluster.time.run(2_000);
    assert.deepEqual(
      backend.validators().map(({ name, primary, self, connected }) => [name, primary, self, connected]),
      [
        ['validator-0', true, false, true],
        ['validator-1', false, true, true],
        ['validator-2', false, false, true],
        ['validator-3', false, false, false],
      ],
    );
  });

  test('gives up what it owes when the node ends, and refuses everything after', async () => {
    const { cluster, backend } = await withHistory();
    const [transaction] = transfers(cluster, 1, 6);
    const owed = backend.submit([defined(transaction, 'a transaction').bytes]);
    const failure = new Problem('storage/write-failed', 'the disk is full', { remedy: 'Make room.' });
    backend.end(failure);
    await assert.rejects(owed, failure);
    await assert.rejects(backend.submit([]), failure);
    assert.equal(backend.health(), failure);
    assert.equal(backend.readiness(), failure);
    assert.equal(backend.why(), failure.message);
  });

  test('tells those who wait for finality when the node cannot go on; one that stops in order needs not', async () => {
    for (const [code, expected] of [
      ['storage/write-failed', ['the disk is full']],
      ['node/stopping', []],
    ] as const) {
      const { backend } = await withHistory();
      const told: string[] = [];
      backend.onSteppedDown((reason) => told.push(reason));
      const left = backend.onSteppedDown(() => assert.fail('it waits no more'));
      left();
      backend.end(new Problem(code, 'the disk is full', { remedy: 'Make room.' }));
      assert.deepEqual(told, expected);
    }
  });

  test('measures by the naming rules of Prometheus', async () => {
    const { backend } = await withHistory();
    const families = backend.metrics();
    assert.equal(new Set(families.map(({ name }) => name)).size, families.length);
    for (const { name, type, samples } of families) {
      assert.match(name, /^quorate_[a-z_]+$/);
      assert.equal(type === 'counter', name.endsWith('_total'));
      for (const { value } of samples) assert.ok(Number.isFinite(value), name);
    }
  });
});
