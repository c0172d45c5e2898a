import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { Ledger } from '../../src/client/ledger.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { nativeSigner } from '../../src/crypto/native.ts';
import { accountReading } from '../../src/ledger/state-reading.ts';
import { stateReadingJson } from '../../src/api/present.ts';
import { FakeLedger, fastTime } from './fake-ledger.ts';

const alice = developmentKeyPair('alice');
const bob = developmentKeyPair('bob').publicKey;
const signer = nativeSigner(alice.secretKey);
const deadlineMs = 2 ** 40;

async function start(t: TestContext, count = 4, engine: 'pbft' | 'raft' = 'pbft') {
  const fake = await FakeLedger.start(t, count, engine);
  const { genesis, endpoints } = fake;
  const surroundings = fastTime(t);
  const ledger = unwrap(await Ledger.connect({ endpoints, chainId: genesis.chainId, surroundings }));
  const pay = async () => unwrap(await ledger.account(alice, { signer }).transfer(bob, 1n, { deadlineMs }));
  const nonceOf = async (deadline = {}) => {
    const read = await ledger.readAccount(alice.publicKey, deadline);
    return read instanceof Problem ? read.code : [read.height, read.value.nonce];
  };
  return { fake, ledger, pay, nonceOf };
}

/** Whether a path is asked for what proves the state. */
const isProof = (path: string) => path.includes('/proofs/');

describe('a read of the state', () => {
  test('is of the genesis file while no block is final, and of the newest block from then on', async (t) => {
    const { ledger, pay, nonceOf } = await start(t);
    const first = unwrap(await ledger.readAccount(encodeAddress(alice.publicKey)));
    assert.deepEqual([first.height, first.value.balance, first.value.nonce], [0, 1_000n, 0]);
    assert.deepEqual(unwrap(await ledger.readRecord('a')), { height: 0, value: undefined });
    for (let height = 1; height < 4; height++) {
      await pay();
      assert.deepEqual(await nonceOf(), [height, height], 'a payment that is final is in it');
    }
    const none = { height: 3, value: undefined };
    assert.deepEqual(unwrap(await ledger.readRecord('a')), none);
    assert.deepEqual(unwrap(await ledger.readNamespace('shop')), none);
    const id = { sender: alice.publicKey, nonce: 1, operation: 0 };
    assert.deepEqual(unwrap(await ledger.readReservation(id)), none);
    const wrong = await ledger.readAccount('qr1nobody');
    assert.ok(wrong instanceof Problem && wrong.code === 'keys/address', 'what is no address is told');
  });

  test('is never what a node makes up: another one is asked', async (t) => {
    const { fake, pay, nonceOf } = await start(t);
    const [liar = assert.fail('no node')] = fake.nodes;
    await pay();
    const ofBob = JSON.stringify(bobIn(fake));
    const lies: ((truth: Record<string, unknown>) => object)[] = [
      (truth) => ({ ...truth, entry: 'ff' }),
      (truth) => ({ ...truth, entry: null }),
      (truth) => ({ ...truth, proof: '' }),
      (truth) => ({ ...truth, proof: 'zz' }),
      () => JSON.parse(ofBob) as object,
    ];
    for (const lie of lies) {
      let told = 0;
      liar.lie = (path, truth) => {
        if (!isProof(path)) return undefined;
        told += 1;
        return lie(truth as Record<string, unknown>);
      };
      for (let times = 0; times < 4; times++) assert.deepEqual(await nonceOf({ deadlineMs }), [1, 1]);
      assert.ok(told > 0 || lies.indexOf(lie) > 0, 'the liar was asked');
    }
  });

  test('is not older than what an honest node shows, nor than what was proven before', async (t) => {
    const { fake, pay, nonceOf } = await start(t);
    const [late = assert.fail('no node')] = fake.nodes;
    await pay();
    await pay();
    late.behind = 1;
    for (let times = 0; times < 8; times++) assert.deepEqual(await nonceOf({ deadlineMs }), [2, 2]);
    assert.ok(late.requests.some(isProof), 'the one that is behind was asked');
    for (const node of fake.nodes) {
      node.behind = 1;
      const none = { code: 'api/no-such-block', detail: 'none', remedy: '', details: {} };
      node.refuses = (path) => (path.includes('/finality') ? none : undefined);
    }
    assert.equal(await nonceOf({ deadlineMs: 50 }), 'proof/stale', 'all show an old state: none is believed');
  });

  test('asks another where a node is too old to prove anything, and says so where all are', async (t) => {
    const { fake, pay, ledger } = await start(t);
    await pay();
    const older = { code: 'api/not-found', detail: 'no such path', remedy: '', details: {} };
    const [first = assert.fail('no node'), ...others] = fake.nodes;
    for (const node of fake.nodes) node.refuses = (path) => (isProof(path) ? older : undefined);
    const none = await ledger.readAccount(alice.publicKey, { deadlineMs });
    assert.ok(none instanceof Problem && none.code === 'api/not-found');
    assert.match(none.remedy, /older than this one/);
    for (const node of others) node.refuses = () => undefined;
    assert.ok(first.requests.some(isProof));
    assert.equal(unwrap(await ledger.readAccount(alice.publicKey, { deadlineMs })).value.nonce, 1);
  });

  test('is a linearizable one in Raft, where no proof shows that a block is final', async (t) => {
    const { fake, ledger, pay, nonceOf } = await start(t, 3, 'raft');
    await pay();
    assert.deepEqual(await nonceOf({ deadlineMs }), [1, 1]);
    assert.deepEqual(unwrap(await ledger.readRecord('a', { deadlineMs })), { height: 1, value: undefined });
    const asked = fake.nodes.flatMap(({ requests }) => requests);
    assert.ok(
      asked.some((path) => /accounts\/.*consistency=linearizable/.test(path)),
      asked.join('\n'),
    );
    const [first = assert.fail('no node')] = fake.nodes;
    first.behind = 1;
    for (let times = 0; times < 4; times++) assert.deepEqual(await nonceOf({ deadlineMs }), [1, 1]);
  });
});

/** A true proof, of another account. */
function bobIn(fake: FakeLedger): object {
  const { finality = assert.fail('no block'), state } = fake.readingAt(1);
  return stateReadingJson(fake.origin as never, { ...finality, ...accountReading.read(state, bob) });
}
