import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { finalityJson } from '../../src/api/present.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import type { FinalOutcome } from '../../src/client/final-proofs.ts';
import { Ledger } from '../../src/client/ledger.ts';
import { defaultExpiryAhead } from '../../src/client/ledger-sending.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { nativeSigner } from '../../src/crypto/native.ts';
import { hashHeader, headerJson } from '../../src/ledger/block.ts';
import { genesisHeader } from '../../src/ledger/genesis.ts';
import { FakeLedger, fastTime, until } from './fake-ledger.ts';
import { certificateOf, genesisOf, nextHeader } from './proof-samples.ts';

const alice = developmentKeyPair('alice');
const bob = developmentKeyPair('bob').publicKey;
const signer = nativeSigner(alice.secretKey);
/** So long that it never comes. */
const deadlineMs = 2 ** 40;

type Json = Record<string, unknown>;

/** Four nodes that may be named, so that one of the chain's four may lie: the first. */
async function liarFirst(t: TestContext, count = 4) {
  const fake = await FakeLedger.start(t, count);
  const [liar = assert.fail('no node')] = fake.nodes;
  const { genesis, endpoints } = fake;
  const surroundings = fastTime(t);
  const ledger = unwrap(await Ledger.connect({ endpoints, chainId: genesis.chainId, surroundings }));
  return { fake, liar, ledger, account: ledger.account(alice, { signer }) };
}

const said = (outcome: FinalOutcome | Problem) =>
  outcome instanceof Problem ? outcome.code : `${outcome.receipt.status} at ${outcome.height}`;

const noncesOf = ({ final }: FakeLedger) => final.map(({ nonce }) => nonce);

/** A block that no validator signed: all of it looks right but the signatures, which are for another chain. */
function forged(fake: FakeLedger) {
  const header = nextHeader(fake.blocks.at(-1)?.header ?? genesisHeader(fake.genesis), {});
  const certificate = certificateOf(genesisOf('pbft', 'another'), header);
  const hash = hashHeader(header);
  return { hash, header, proof: { hash, ...finalityJson({ header, descendants: [], certificate }) } };
}

function receiptOf(transactionHash: Hash): Json {
  const nothing = { accounts: [], records: [], changes: [] };
  return { transactionHash, status: 'applied', code: '', failure: null, fee: '1', ...nothing };
}

test('what one node calls final, and no validator signed, is not', async (t) => {
  const { fake, liar, account } = await liarFirst(t);
  const block = forged(fake);
  let taken: Hash | undefined;
  liar.forgets = true;
  liar.lie = (path, truth) => {
    const { results } = truth as { readonly results?: readonly { readonly hash: Hash }[] };
    if (results !== undefined) {
      taken = results[0]?.hash;
      const header = headerJson(block.header);
      liar.tell({ hash: block.hash, header, transactionCount: 1 });
      return { ...truth, results: results.map(({ hash }) => ({ status: 'known', hash })) };
    }
    const origin = { ...fake.origin, ...block.proof };
    if (path.includes(`${block.hash}/finality`)) return origin;
    const receipt = receiptOf(taken as Hash);
    if (path.includes(block.hash)) return { ...origin, transactionHashes: [taken], receipts: [receipt] };
    if (!path.includes('/v1/transactions/')) return undefined;
    const inclusion = { ...block.proof, height: 1, blockHash: block.hash, receipt };
    return { ...fake.origin, hash: taken, status: 'final', inclusion };
  };
  fake.commits = false;
  const sent = account.transfer(bob, 1n, { deadlineMs });
  await until(() => fake.nodes.slice(1).some(({ pool }) => pool.size === 1));
  fake.commit();
  const outcome = await sent;
  assert.equal(said(outcome), 'applied at 1');
  assert.equal((outcome as FinalOutcome).blockHash, fake.blocks[0]?.hash, 'and not the forged one');
});

test('what one node says came of a transaction is what stands under the root of its block', async (t) => {
  const { fake, liar, account } = await liarFirst(t);
  const instead = (truth: object): Json =>
    JSON.parse(
      JSON.stringify(truth).replaceAll('"fee":"1","accounts":[]', '"fee":"9","accounts":[]'),
    ) as Json;
  liar.lie = (path, truth) => (/\/v1\/(?:blocks|transactions\/)/.test(path) ? instead(truth) : undefined);
  const outcome = await account.transfer(bob, 1n, { deadlineMs });
  assert.equal(said(outcome), 'applied at 1');
  assert.equal((outcome as FinalOutcome).receipt.fee, '1');
  assert.equal(fake.final.length, 1);
});

for (const [what, code] of [
  ['its nonce is used', 'mempool/superseded'],
  ['it expired', 'mempool/expired'],
] as const) {
  test(`what one node took and calls gone is not, although it says that ${what}`, async (t) => {
    const { fake, liar, account } = await liarFirst(t);
    const problem = { code, detail: 'a lie', remedy: 'sign it again', details: {} };
    liar.lie = (path, truth) => {
      if (!path.includes('/v1/transactions/')) return undefined;
      return { ...fake.origin, hash: (truth as { hash?: Hash }).hash, status: 'gone', problem };
    };
    fake.commits = false;
    let settled: FinalOutcome | Problem | undefined;
    const sent = account.transfer(bob, 1n, { deadlineMs }).then((outcome) => (settled = outcome));
    const looks = () => liar.requests.filter((one) => one === 'GET /v1/transactions/HASH').length;
    await until(() => looks() >= 2 || settled !== undefined);
    assert.equal(settled, undefined);
    fake.commit();
    assert.equal(said(await sent), 'applied at 1');
  });
}

test('what one node refuses and passes on all the same is not refused: nobody pays twice', async (t) => {
  const { fake, liar, account } = await liarFirst(t);
  const problem = { code: 'transaction/insufficient-balance', detail: 'a lie', remedy: '', details: {} };
  liar.lie = (_path, truth) => {
    const { results } = truth as { readonly results?: readonly { readonly hash: Hash }[] };
    return (
      results && { ...truth, results: results.map(({ hash }) => ({ status: 'refused', hash, problem })) }
    );
  };
  assert.equal(said(await account.transfer(bob, 1n, { deadlineMs })), 'applied at 1');
  assert.equal(said(await account.transfer(bob, 1n, { deadlineMs })), 'applied at 2');
  assert.deepEqual(noncesOf(fake), [0, 1]);
});

test('what an honest node refuses, too, is refused, and another that is silent changes nothing', async (t) => {
  for (const count of [4, 3, 2]) {
    const { fake, account } = await liarFirst(t, count);
    fake.judge = () => ({ code: 'transaction/insufficient-balance', detail: 'so', remedy: '', details: {} });
    fake.nodes[1]?.kill();
    assert.equal(said(await account.transfer(bob, 1n, { deadlineMs })), 'transaction/insufficient-balance');
    const asked = fake.nodes.map(({ requests }) => requests.filter((one) => one.startsWith('POST')).length);
    assert.deepEqual(asked, [1, 0, 1, 0].slice(0, count), 'no more than it takes');
  }
});

test('what one node took and kept to itself is given to another one', async (t) => {
  const { fake, liar, account } = await liarFirst(t);
  liar.forgets = true;
  assert.equal(said(await account.transfer(bob, 1n, { deadlineMs })), 'applied at 1');
  assert.equal(fake.final.length, 1);
});

for (const height of [2 ** 47, 0]) {
  test(`one node that says that the chain stands at ${height} sets no expiry`, async (t) => {
    const { fake, liar, account } = await liarFirst(t);
    assert.equal(said(await account.transfer(bob, 1n, { deadlineMs })), 'applied at 1');
    liar.lie = (path, truth) => {
      const { header, ...proof } = truth as { readonly header?: object };
      if (path === '/v1/status') return { ...truth, finalHeight: height };
      return path.includes('latest') ? { ...proof, header: { ...header, height } } : undefined;
    };
    assert.equal(said(await account.transfer(bob, 1n, { deadlineMs })), 'applied at 2');
    assert.deepEqual(
      fake.final.map(({ expiryHeight }) => expiryHeight),
      [defaultExpiryAhead, defaultExpiryAhead + 1],
    );
  });
}

test('blocks are given when they are proven, also where one node alone tells of them', async (t) => {
  const { fake, liar, ledger, account } = await liarFirst(t);
  const block = forged(fake);
  liar.lie = (path) =>
    path.includes(`${block.hash}/finality`) ? { ...fake.origin, ...block.proof } : undefined;
  const blocks = ledger.finalBlocks();
  const first = blocks.next();
  await until(() => liar.readers.size > 0);
  liar.tell({ hash: block.hash, header: headerJson(block.header), transactionCount: 0 });
  await until(() => fake.nodes.slice(1).some(({ readers }) => readers.size > 0));
  assert.equal(said(await account.transfer(bob, 1n, { deadlineMs })), 'applied at 1');
  const { value } = await first;
  assert.equal(value?.hash, fake.blocks[0]?.hash);
  await blocks.return();
});

test('what a node says of another chain is no answer', async (t) => {
  const { fake, liar, ledger, account } = await liarFirst(t, 2);
  liar.lie = (_path, truth) => ({ ...truth, chainId: 'cd'.repeat(32), pendingNonce: 500 });
  const read = unwrap(await ledger.ask((client) => client.account(alice.publicKey)));
  assert.deepEqual([read.chainId, read.pendingNonce], [fake.genesis.chainId, 0]);
  assert.equal(said(await account.transfer(bob, 1n, { deadlineMs })), 'applied at 1');
  assert.deepEqual(noncesOf(fake), [0]);
});

test('a node that is the only one proves what is final, or is not believed', async (t) => {
  const { fake, liar, account } = await liarFirst(t, 1);
  const block = forged(fake);
  liar.lie = (path) =>
    path.includes('/finality') ? { ...fake.origin, ...block.proof, hash: fake.blocks[0]?.hash } : undefined;
  const outcome = await account.transfer(bob, 1n, { deadlineMs });
  assert.equal(said(outcome), 'proof/certificate');
  assert.equal((outcome as Problem).details['sent'], false, 'nothing was signed');
});
