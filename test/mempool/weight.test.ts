import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import type { Condition } from '../../src/ledger/condition.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import { assembleTransaction, type Transaction } from '../../src/ledger/transaction.ts';
import { weightOf } from '../../src/mempool/weight.ts';
import { sender, tx, World } from './fixture.ts';

const put = (at: number): Operation => ({ type: 'put', key: `k${at}`, value: new Uint8Array(1) });
const puts = Array.from({ length: limits.maxOperations }, (_, at) => put(at));

function madeOf(
  parts: { operations?: readonly Operation[]; conditions?: readonly Condition[]; signers?: number },
  nonce = 0,
): Transaction {
  const { signatures, hash: _h, bytes: _b, ...body } = tx({ nonce });
  const signers = Array.from({ length: parts.signers ?? 1 }, (_, at) => sender(at + 1));
  const { operations = body.operations, conditions = [] } = parts;
  const all = signers.map(() => signatures[0] ?? assert.fail());
  return assembleTransaction({ ...body, operations, conditions, signers }, all);
}

test('a transfer and a put count their bytes', () => {
  for (const one of [tx({}), tx({ valueBytes: 4_000 })]) assert.equal(weightOf(one), one.bytes.length);
});

test('more operations, conditions and keys count what they take besides', () => {
  const more = (transaction: Transaction): number => weightOf(transaction) - transaction.bytes.length;
  const { partBytes, keyBytes } = limits;
  assert.equal(more(madeOf({ operations: puts })), (puts.length - 1) * partBytes);
  const condition: Condition = { type: 'record-absent', key: 'k' };
  assert.equal(more(madeOf({ conditions: [condition, condition] })), 2 * partBytes);
  assert.equal(more(madeOf({ signers: 3 })), 2 * keyBytes);
  const keys = [1, 2, 3, 4].map(sender);
  const change: Operation = { type: 'set-keys', keys, threshold: 1, force: true };
  assert.equal(more(madeOf({ operations: [change] })), 3 * keyBytes);
  assert.equal(more(madeOf({ operations: [change, put(0)] })), 3 * keyBytes + partBytes);
});

test('a sender has room for as many as weigh so much, whatever their bytes, and so has the pool', () => {
  const large = (nonce: number): Transaction => madeOf({ operations: puts }, nonce);
  const weight = weightOf(large(0));
  assert.ok(weight > 25 * large(0).bytes.length);
  const world = new World();
  let count = 0;
  while (world.add(large(count)) === 'added') count += 1;
  assert.equal(count, Math.floor(limits.mempoolBytesPerSender / weight));
  assert.equal(world.add(large(count)), 'mempool/sender-full');
  assert.equal(world.pool.bytes, count * weight);
});
