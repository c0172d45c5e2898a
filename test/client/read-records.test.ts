import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { fromHex, toHex, utf8 } from '../../src/base/bytes.ts';
import { decode, encode } from '../../src/base/codec.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { verifyKeptProof } from '../../src/client/kept-proof.ts';
import { Ledger } from '../../src/client/ledger.ts';
import { verifyRecords } from '../../src/client/verify-records.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { nativeSigner } from '../../src/crypto/native.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { type Listing, listingCodec } from '../../src/ledger/listing-proof.ts';
import { encodeNamespaceRules } from '../../src/ledger/namespace.ts';
import { encodeRecord, namespaceStateKey, recordStateKey } from '../../src/ledger/state-entry.ts';
import { FakeLedger, fastTime } from './fake-ledger.ts';

const alice = developmentKeyPair('alice');
const deadlineMs = 2 ** 40;
const made = {
  version: 1,
  changed: { height: toHeight(1), transaction: 0, operation: 0 },
  previous: undefined,
};

const opened = (name: string) => ({
  key: namespaceStateKey(name),
  value: encodeNamespaceRules({ owner: alice.publicKey, mode: 'open', writers: [] }),
});
const put = (key: string, value = utf8(key)) => ({
  key: recordStateKey(key),
  value: encodeRecord({ ...made, type: 'record', owner: alice.publicKey, value }),
});
const deleted = (key: string) => ({
  key: recordStateKey(key),
  value: encodeRecord({ ...made, type: 'tombstone' }),
});

async function start(t: TestContext, engine: 'pbft' | 'raft' = 'pbft') {
  const fake = await FakeLedger.start(t, 4, engine);
  const { genesis, endpoints } = fake;
  const surroundings = fastTime(t);
  const ledger = unwrap(await Ledger.connect({ endpoints, chainId: genesis.chainId, surroundings }));
  const account = ledger.account(alice, { signer: nativeSigner(alice.secretKey) });
  /** A block with these changes. */
  const block = async (...changes: FakeLedger['alsoChanges']) => {
    fake.alsoChanges = changes;
    unwrap(await account.transfer(developmentKeyPair('bob').publicKey, 1n, { deadlineMs }));
  };
  const keysOf = async (name: string) => {
    const read = await ledger.readRecords(name, { deadlineMs });
    return read instanceof Problem ? read.code : read.value.map(({ key }) => key);
  };
  return { fake, ledger, block, keysOf };
}

const isPage = (path: string) => path.includes('/records');
const names = (count: number) => Array.from({ length: count }, (_, at) => `shop/${at}`);

type Lie = (listing: Listing) => Listing;

const withoutOne: Lie = ({ entries, complete }) => ({ entries: entries.toSpliced(50, 1), complete });
const lies: readonly Lie[] = [
  withoutOne,
  ({ entries }) => ({ entries, complete: true }),
  () => ({ entries: [], complete: true }),
  () => ({ entries: [], complete: false }),
  ({ entries, complete }) => ({ entries: entries.slice(1), complete }),
  ({ entries }) => ({ entries: entries.slice(0, -1), complete: false }),
  ({ entries, complete }) => ({ entries: entries.toReversed(), complete }),
  ({ entries, complete }) => ({
    entries: entries.map(({ key }) => ({ key, value: put(key, utf8('another')).value })),
    complete,
  }),
];

/** Makes a listing another one. */
function relisted(answer: unknown, change: Lie): object {
  const { entry } = answer as { entry: string };
  const listing = unwrap(decode(listingCodec, fromHex(entry), 'the listing'));
  return { ...(answer as object), entry: toHex(encode(listingCodec, change(listing))) };
}

describe('all records of a namespace', () => {
  for (const engine of ['pbft', 'raft'] as const) {
    test(`are read page by page, in the order of the bytes of their keys (${engine})`, async (t) => {
      const { fake, ledger, block, keysOf } = await start(t, engine);
      assert.deepEqual(unwrap(await ledger.readRecords('shop')), { height: 0, value: [] });
      const keys = [...names(230), 'shop/\u{1f600}', 'shop/\uffee', 'shop/a/b'];
      await block(opened('shop'), ...keys.map((key) => put(key)), deleted('shop/gone'), put('shop2'));
      const bytes = keys.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
      const read = unwrap(await ledger.readRecords('shop', { deadlineMs }));
      assert.equal(read.height, 1);
      assert.deepEqual(
        read.value.map(({ key, value }) => [key, value]),
        bytes.map((key) => [key, utf8(key)]),
      );
      const asked = fake.nodes.flatMap(({ requests }) => requests.filter(isPage));
      assert.equal(asked.length, 3);
      assert.deepEqual(await keysOf('shed'), [], 'it was never opened');
    });
  }

  test('come in pages that end with the entry that makes them large', async (t) => {
    const { fake, block, keysOf } = await start(t);
    const large = new Uint8Array(4_096).fill(7);
    await block(opened('shop'), ...names(40).map((key) => put(key, large)));
    assert.equal((await keysOf('shop')).length, 40);
    const asked = fake.nodes.flatMap(({ requests }) => requests.filter(isPage));
    assert.equal(asked.length, 3, '16 of them have 64 KiB');
  });

  test('are never what a node makes of them: another one is asked', async (t) => {
    const { fake, block, keysOf } = await start(t);
    const [liar = assert.fail('no node')] = fake.nodes;
    await block(opened('shop'), ...names(120).map((key) => put(key)));
    const truth = await keysOf('shop');
    assert.equal(truth.length, 120);
    let told = 0;
    liar.lie = (path, answer) => {
      if (!isPage(path)) return undefined;
      told += 1;
      return relisted(answer, withoutOne);
    };
    assert.deepEqual(await keysOf('shop'), truth);
    assert.ok(told > 0, 'the liar was asked');
  });

  test('are of one moment: when they change between two pages they are read anew', async (t) => {
    const { fake, block, keysOf } = await start(t);
    await block(opened('shop'), ...names(230).map((key) => put(key)));
    let changes = 1;
    let next = 230;
    for (const node of fake.nodes) {
      node.lie = (path) => {
        if (!path.includes('after=') || changes === 0) return undefined;
        changes -= 1;
        fake.alsoChanges = [put(`shop/${next++}`)];
        fake.commit();
        return undefined;
      };
    }
    assert.equal((await keysOf('shop')).length, 231, 'with what was written meanwhile');
    changes = 1_000;
    assert.equal(await keysOf('shop'), 'proof/changing');
  });
});

test('a page of records is checked by itself, against the genesis file', async (t) => {
  const { fake, block } = await start(t);
  const { genesis } = fake;
  await block(opened('shop'), ...names(120).map((key) => put(key)), deleted('shop/gone'));
  const page = async (path: string): Promise<unknown> =>
    (await fetch(`${fake.endpoints[0]}/v1/proofs/namespaces/${path}`)).json();
  const first = await page('shop/records');
  const { value, header, steps } = unwrap(verifyRecords(first, { genesis, namespace: 'shop' }));
  assert.equal(header.height, 1);
  assert.match(steps[0]?.says ?? '', /this of the records of "shop", none left out/);
  const after = value.next ?? assert.fail('it has more than a page');
  const second = await page(`shop/records?after=${encodeURIComponent(after)}`);
  const rest = unwrap(verifyRecords(second, { genesis, namespace: 'shop', after }));
  assert.equal(rest.value.next, undefined);
  assert.equal(rest.value.root, value.root);
  assert.equal(value.records.length + rest.value.records.length, 120);
  for (const known of [
    { genesis, namespace: 'shop', after },
    { genesis, namespace: 'shed' },
  ]) {
    const wrong = verifyRecords(first, known);
    assert.ok(wrong instanceof Problem && wrong.code === 'proof/state', 'it is of another question');
  }
  for (const [at, lie] of lies.entries()) {
    const wrong = verifyRecords(relisted(first, lie), { genesis, namespace: 'shop' });
    assert.ok(wrong instanceof Problem && wrong.code === 'proof/state', `lie ${at}`);
  }
  const none = verifyRecords({ ...(first as object), entry: null }, { genesis, namespace: 'shop' });
  assert.ok(none instanceof Problem && none.code === 'proof/state');
});

test('a kept proof of all records of a namespace has all pages of one list, in their order', async (t) => {
  const { fake, block } = await start(t);
  const { genesis } = fake;
  await block(opened('shop'), ...names(230).map((key) => put(key)));
  const pages = async (): Promise<readonly unknown[]> => {
    const answers: unknown[] = [];
    let after: string | undefined;
    do {
      const query = after === undefined ? '' : `?after=${encodeURIComponent(after)}`;
      const path = `${fake.endpoints[0]}/v1/proofs/namespaces/shop/records${query}`;
      const answer: unknown = await (await fetch(path)).json();
      answers.push(answer);
      after = unwrap(verifyRecords(answer, { genesis, namespace: 'shop', after })).value.next;
    } while (after !== undefined);
    return answers;
  };
  const shownBy = async (answers: readonly unknown[]) => {
    const kept = { proves: 'records', name: 'shop', answers, transactions: [], epochs: [] };
    const verified = await verifyKeptProof(kept, { genesis });
    if (verified instanceof Problem) return verified.code;
    return verified.proves === 'records' ? verified.value.map(({ key }) => key) : assert.fail('of records');
  };
  const before = await pages();
  const keys = names(230).toSorted();
  assert.deepEqual([before.length, await shownBy(before)], [3, keys]);
  await block(put('shop/0', utf8('another')));
  const after = await pages();
  assert.deepEqual(await shownBy(after), keys);
  for (const wrong of [
    before.slice(0, 2),
    before.slice(1),
    before.toReversed(),
    [...before.slice(0, 2), ...after.slice(2)],
    [...before.slice(0, 1), ...after],
  ]) {
    assert.match(String(await shownBy(wrong)), /^proof\/(state|malformed)$/);
  }
});
