import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { toHex, utf8 } from '../../src/base/bytes.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { lineDiff } from '../../src/base/line-diff.ts';
import { facts, table } from '../../src/cli/terminal.ts';
import { fakeApi, origin, status } from '../client/fake-api.ts';
import { alice, bob, transactionOf } from './chain.ts';
import { jsonOf, problemOf, quorate } from './quorate.ts';

const [alices, bobs] = [alice, bob].map(({ publicKey }) => encodeAddress(publicKey)) as [string, string];
const page = { ...origin, height: 40, completeFrom: 1, next: null as string | null };
const hex = (text: string): string => toHex(utf8(text));
const version = (number: number, changes: object) => ({
  version: number,
  made: { height: 10 + number, transaction: 0, operation: 0 },
  timestamp: 1_767_225_600_000,
  transactionHash: '77'.repeat(32),
  by: alices,
  change: 'put',
  value: null,
  to: null,
  ...changes,
});
const transaction = {
  ...transactionOf('77'.repeat(32)),
  operations: [{ type: 'put', key: 'a', value: hex('b') }],
};
const listed = (status_: 'applied' | 'failed') => ({
  height: 12,
  index: 3,
  timestamp: 1_767_225_600_000,
  transaction,
  receipt: {
    transactionHash: transaction.hash,
    status: status_,
    code: status_ === 'failed' ? 'transaction/not-owner' : '',
    failure: null,
    fee: '1',
    accounts: [],
    records: [],
    changes: [],
  },
});

/** A node that answers these by path, and keeps what it was asked. */
async function node(t: TestContext, answers: Readonly<Record<string, object>>) {
  const asked: string[] = [];
  const { url } = await fakeApi(t, ({ url: path }) => {
    asked.push(path);
    return { body: answers[path.split('?')[0] ?? ''] ?? status };
  });
  return { url, asked };
}

const rows = (out: string): string[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => line.replaceAll(/ {2,}/g, ' | '));

describe('what the indexes list, for people', () => {
  test('the history of a record, with values that look like nothing else', async (t) => {
    const versions = [
      version(5, { change: 'delete' }),
      version(4, { change: 'give', to: bobs }),
      version(3, { value: 'ff00' }),
      version(2, { value: hex('\u202etxt') }),
      version(1, { value: hex('17') }),
    ];
    const { url, asked } = await node(t, { '/v1/records/history': { ...page, key: 'price', versions } });
    const { out, code } = await quorate(['history', 'price', '--oldest', '--limit', '5', '--node', url]);
    assert.equal(code, 0);
    const short = (address: string): string => `${address.slice(0, 9)}…${address.slice(-4)}`;
    const at = `2026-01-01 00:00:00 UTC | ${short(alices)}`;
    assert.deepEqual(rows(out), [
      'version | height | time | by | what',
      `5 | 15 | ${at} | delete`,
      `4 | 14 | ${at} | give to ${short(bobs)}`,
      `3 | 13 | ${at} | put 0xff00`,
      `2 | 12 | ${at} | put 0x${hex('\u202etxt')}`,
      `1 | 11 | ${at} | put 17`,
      'read at height 40, complete from height 1 on',
    ]);
    assert.deepEqual(asked, ['/v1/records/history?key=price&order=oldest&limit=5']);
  });

  test('what is no cursor is told before anything is asked', async (t) => {
    const { url, asked } = await node(t, {});
    const ran = await quorate(['history', 'x', '--cursor', 'page 2', '--node', url]);
    assert.equal(ran.code, 2);
    assert.match(ran.err, /--cursor.*the 40 hex digits that the page before ended with/);
    assert.deepEqual(asked, []);
  });

  test('none at all is exit code 5; a next page is named by its cursor', async (t) => {
    const cursor = 'ab'.repeat(20);
    const empty = { ...page, completeFrom: 9, key: 'x', versions: [] };
    const { url, asked } = await node(t, { '/v1/records/history': empty });
    const none = await quorate(['history', 'x', '--node', url]);
    assert.equal(none.code, 5);
    assert.match(none.out, /^x has no version\.\nread at height 40, complete from height 9 on$/m);
    const after = 'cd'.repeat(20);
    const more = { ...page, next: after, key: 'x', versions: [version(1, { value: '' })] };
    const next = await node(t, { '/v1/records/history': more });
    const { out } = await quorate(['history', 'x', '--cursor', cursor, '--node', next.url]);
    assert.match(out, new RegExp(`; more with --cursor ${after}$`, 'm'));
    assert.deepEqual(next.asked, [`/v1/records/history?key=x&order=newest&limit=20&cursor=${cursor}`]);
    assert.equal(asked.length, 1);
    const wrong = await quorate(['history', 'x', '--limit', '101', '--node', url]);
    assert.equal(wrong.code, 2);
  });

  test('what a record was at two heights, line by line', async (t) => {
    const made = { height: 3, transaction: 0, operation: 0 };
    const side = (height: number, number: number, value: string | null) => ({
      height,
      version: number,
      made: number === 0 ? null : made,
      value,
    });
    const say = async (from: object, to: object): Promise<string[]> => {
      const { url } = await node(t, { '/v1/records/diff': { ...origin, key: 'k', from, to } });
      return rows((await quorate(['diff', 'k', '5', '9', '--node', url])).out);
    };
    assert.deepEqual(await say(side(5, 1, hex('a\nb\nc')), side(9, 2, hex('a\nx\nc'))), [
      'k at height 5: version 1, made at height 3',
      'k at height 9: version 2, made at height 3',
      ' | a',
      '- b',
      '+ x',
      ' | c',
    ]);
    assert.deepEqual((await say(side(5, 0, null), side(9, 1, 'ff'))).slice(0, 3), [
      'k at height 5: never written',
      'k at height 9: version 1, made at height 3',
      '+ 0xff',
    ]);
    assert.deepEqual((await say(side(5, 1, hex('\u001b[2J')), side(9, 2, null))).slice(1), [
      'k at height 9: deleted, version 2, made at height 3',
      `- 0x${hex('\u001b[2J')}`,
    ]);
    assert.deepEqual((await say(side(5, 1, 'ff'), side(9, 1, 'ff'))).at(-1), 'nothing changed');
    assert.deepEqual((await say(side(5, 1, 'ff'), side(9, 2, 'ff'))).at(-1), 'the value is the same');
  });

  test('the transactions of an account, and those with a reference', async (t) => {
    const path = `/v1/accounts/${alices}/transactions`;
    const transactions = [
      { ...listed('applied'), role: 'sender' },
      { ...listed('failed'), role: 'sender' },
    ];
    const { url, asked } = await node(t, {
      [path]: { ...page, address: alices, transactions },
      '/v1/transactions': { ...page, reference: hex('order 7'), transactions: [listed('applied')] },
    });
    const history = await quorate(['account', 'history', alices, '--node', url]);
    const line = `12 | ${transaction.hash} | ${alices.slice(0, 9)}…${alices.slice(-4)}`;
    assert.deepEqual(rows(history.out).slice(1), [
      `${line} | applied | put a = b`,
      `${line} | failed: transaction/not-owner | put a = b`,
      'read at height 40, complete from height 1 on',
    ]);
    const found = await quorate(['tx', 'find', 'order 7', '--node', url, '--json']);
    assert.equal((jsonOf(found)['transactions'] as unknown[]).length, 1);
    assert.deepEqual(asked, [
      `${path}?order=newest&limit=20`,
      `/v1/transactions?reference=${hex('order 7')}&order=newest&limit=20`,
    ]);
    const long = await quorate(['tx', 'find', 'x'.repeat(33), '--node', url, '--json']);
    assert.equal(problemOf(long).code, 'cli/usage');
  });

  test('the keys of an account: its own alone, or those that were set', async (t) => {
    const read = {
      ...origin,
      consistency: 'stale',
      height: 40,
      blockHash: status.finalHash,
      stateRoot: status.stateRoot,
      address: alices,
      publicKey: alice.publicKey,
      balance: '5',
      held: '0',
      nonce: 0,
      pendingNonce: 0,
    };
    const path = `/v1/accounts/${alices}`;
    const own = await node(t, { [path]: { ...read, keys: null } });
    const alone = await quorate(['account', 'keys', alices, '--node', own.url, '--json']);
    assert.deepEqual(jsonOf(alone), { ...origin, address: alices, height: 40, threshold: 1, keys: [alices] });
    const two = await node(t, { [path]: { ...read, keys: { keys: [alices, bobs], threshold: 2 } } });
    const { out } = await quorate(['account', 'keys', alices, '--node', two.url]);
    assert.deepEqual(rows(out), [
      `address | ${alices}`,
      'signs | 2 of 2',
      `key | ${alices}`,
      `key | ${bobs}`,
      'read at | height 40, stale',
    ]);
  });
});

test('a list is shown however long it is', () => {
  const rows = Array.from({ length: 300_000 }, (_, index) => [`${index}`, 'a']);
  assert.equal(table(['n', 'm'], rows).split('\n').at(-1), '299999  a');
  assert.equal(
    facts(rows as [string, string][])
      .split('\n')
      .at(-1),
    '299999  a',
  );
});

test('a diff takes away and adds as few lines as it can, and gives both texts back', () => {
  const texts = ['', 'a', 'ab', 'abc', 'axc', 'cba', 'aabbaa', 'xaxbxcx'].map((text) => text.split(''));
  for (const before of texts) {
    for (const after of texts) {
      const lines = lineDiff(before, after);
      const without = (sign: string): string[] =>
        lines.filter((one) => one.sign !== sign).map(({ line }) => line);
      assert.deepEqual(without('+'), before);
      assert.deepEqual(without('-'), after);
    }
  }
  assert.equal(
    lineDiff('aabbaa'.split(''), 'axbba'.split(''))
      .map(({ sign, line }) => sign + line)
      .join(),
    ' a,-a,+x, b, b, a,-a',
  );
  // More lines than records have: a table of all pairs would take a thousand gigabytes.
  const [old, next] = ['x', 'y'].map((line) => Array.from({ length: 1_000_000 }, () => line));
  const lines = lineDiff(old ?? [], next ?? []);
  assert.equal(lines.length, 2_000_000);
  assert.deepEqual(
    [lines[0], lines.at(-1)],
    [
      { sign: '-', line: 'x' },
      { sign: '+', line: 'y' },
    ],
  );
});
