import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  accountTransactionsSchema,
  recordDiffSchema,
  recordHistorySchema,
  transactionsSchema,
} from '../../src/api/schemas.ts';
import { utf8 } from '../../src/base/bytes.ts';
import { defined } from '../../src/base/invariant.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { alice, transfer, validator } from './fake-backend.ts';
import { get, problemFrom, start, type World } from './world.ts';

const cursor = 'ab'.repeat(20);
const page = { height: toHeight(9), completeFrom: toHeight(3), next: cursor };
const made = { height: toHeight(5), transaction: 2, operation: 1 };

function listed(world: World, role?: 'sender' | 'touched') {
  const { transactions, receipts, header } = world.backend.makeBlock([transfer(0)]);
  return {
    height: header.height,
    index: 0,
    timestamp: header.timestamp,
    ...(role && { role }),
    transaction: defined(transactions[0], 'it'),
    receipt: defined(receipts[0], 'its receipt'),
  };
}

describe('lists', () => {
  test('transactions of an account', async (t) => {
    const world = await start(t);
    const item = listed(world, 'sender');
    world.backend.lists.answers = { transactions: { ...page, items: [item, { ...item, role: 'touched' }] } };
    const address = encodeAddress(alice);
    const answer = await get(world, `/v1/accounts/${address}/transactions`, accountTransactionsSchema);
    assert.deepEqual([answer.height, answer.completeFrom, answer.next], [9, 3, cursor]);
    assert.equal(answer.address, address);
    assert.deepEqual(
      answer.transactions.map(({ role, transaction, receipt }) => [role, transaction.hash, receipt.status]),
      [
        ['sender', item.transaction.hash, 'applied'],
        ['touched', item.transaction.hash, 'applied'],
      ],
    );
    await get(
      world,
      `/v1/accounts/${alice}/transactions?order=oldest&limit=7&cursor=${cursor}`,
      accountTransactionsSchema,
    );
    assert.deepEqual(world.backend.lists.asked, [
      [
        { by: 'account', account: alice },
        { order: 'newest', limit: 20, cursor: undefined },
      ],
      [
        { by: 'account', account: alice },
        { order: 'oldest', limit: 7, cursor },
      ],
    ]);
  });

  test('transactions with a reference; none is an empty list', async (t) => {
    const world = await start(t);
    world.backend.lists.answers = { transactions: { ...page, next: null, items: [listed(world)] } };
    const one = await get(world, '/v1/transactions?reference=0aff', transactionsSchema);
    assert.deepEqual([one.reference, one.next, one.transactions.length], ['0aff', null, 1]);
    world.backend.lists.answers = { transactions: { ...page, next: null, items: [] } };
    const none = await get(world, '/v1/transactions?reference=0aff', transactionsSchema);
    assert.deepEqual(none.transactions, []);
  });

  test('the history of a record, with what each version did', async (t) => {
    const world = await start(t);
    const rest = { made, timestamp: 17, transactionHash: transfer(0).hash, by: alice };
    world.backend.lists.answers = {
      history: {
        ...page,
        items: [
          { ...rest, version: 3, change: 'delete', value: null, to: null },
          { ...rest, version: 2, change: 'give', value: null, to: validator },
          { ...rest, version: 1, change: 'put', value: Uint8Array.of(), to: null },
        ],
      },
    };
    const key = 'ä/b?&=';
    const answer = await get(
      world,
      `/v1/records/history?key=${encodeURIComponent(key)}`,
      recordHistorySchema,
    );
    assert.equal(answer.key, key);
    assert.deepEqual(
      answer.versions.map(({ version, change, value, to }) => [version, change, value, to]),
      [
        [3, 'delete', null, null],
        [2, 'give', null, encodeAddress(validator)],
        [1, 'put', '', null],
      ],
    );
  });

  test('what a record was at two heights', async (t) => {
    const world = await start(t);
    world.backend.lists.answers = { at: { height: toHeight(5), version: 4, made, value: utf8('x') } };
    const answer = await get(world, '/v1/records/diff?key=a&from=3&to=5', recordDiffSchema);
    assert.deepEqual(answer.to, { height: 5, version: 4, made, value: '78' });
    assert.deepEqual(world.backend.lists.asked, [
      ['a', 3],
      ['a', 5],
    ]);
    world.backend.lists.answers = {
      at: { height: toHeight(5), version: 0, made: undefined, value: undefined },
    };
    const absent = await get(world, '/v1/records/diff?key=a&from=3&to=5', recordDiffSchema);
    assert.deepEqual(absent.from, { height: 5, version: 0, made: null, value: null });
  });

  test('what does not fit is refused, and named', async (t) => {
    const world = await start(t);
    const account = `/v1/accounts/${alice}/transactions`;
    for (const [path, what] of [
      [`${account}?order=up`, /order/],
      [`${account}?limit=0`, /limit/],
      [`${account}?limit=101`, /limit/],
      [`${account}?limit=1e1`, /limit/],
      [`${account}?cursor=`, /cursor/],
      [`${account}?cursor=${cursor}00`, /cursor/],
      [`${account}?cursor=${cursor.toUpperCase()}`, /cursor/],
      [`${account}?after=${cursor}`, /after/],
      [`${account}?limit=1&limit=2`, /limit/],
      ['/v1/transactions', /reference/],
      ['/v1/transactions?reference=', /reference/],
      ['/v1/transactions?reference=0', /reference/],
      ['/v1/transactions?reference=0A', /reference/],
      [`/v1/transactions?reference=${'00'.repeat(33)}`, /reference/],
      ['/v1/records/history', /key/],
      ['/v1/records/history?key=', /key/],
      [`/v1/records/history?key=${'k'.repeat(129)}`, /key/],
      ['/v1/records/diff?key=a&from=1', /to/],
      ['/v1/records/diff?key=a&from=-1&to=2', /from/],
      ['/v1/records/diff?key=a&from=1&to=281474976710656', /to/],
    ] as const) {
      const problem = await problemFrom(await fetch(world.api.address + path), 400, 'api/invalid-request');
      assert.match(problem.detail, what, path);
    }
    await problemFrom(await fetch(`${world.api.address}/v1/accounts/bob/transactions`), 400, 'keys/address');
    assert.deepEqual(world.backend.lists.asked, []);
  });

  test('a record called "history" is still to be had, by its key in the query', async (t) => {
    const world = await start(t);
    world.backend.records.set('history', utf8('x'));
    const response = await fetch(`${world.api.address}/v1/records?key=history`);
    assert.equal(response.status, 200);
  });
});
