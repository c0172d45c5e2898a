import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { Problem } from '../../../src/base/problem.ts';
import { assembleTransaction, type Transaction } from '../../../src/ledger/transaction.ts';
import { decodeInTurns } from '../../../src/node/peers/decode-in-turns.ts';
import { signedTransaction, testGenesis } from '../cluster.ts';

const genesis = testGenesis(4);
const transfer = (nonce: number): Transaction => signedTransaction(genesis, 'alice', { nonce });
const { signatures, hash: _h, bytes: _b, ...body } = transfer(0);
const value = new Uint8Array(limits.maxRecordValueBytes);
const operations = Array.from({ length: 7 }, () => ({ type: 'put' as const, key: 'k', value }));
/** Two of them have room in a turn. */
const large = (nonce: number): Transaction => assembleTransaction({ ...body, nonce, operations }, signatures);

/** The answers to this list, and in which turn each came; the first turn is 1. */
function decoded(list: readonly Uint8Array[]) {
  const waiting: (() => void)[] = [];
  const answers: { turn: number; result: readonly Transaction[] | Problem }[] = [];
  let turn = 1;
  const clock = { after: (_ms: number, call: () => void) => (waiting.push(call), () => {}) };
  decodeInTurns(clock, list, (result) => void answers.push({ turn, result }));
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    turn += 1;
    next();
  }
  return answers;
}

test('what a frame of gossip could hold is decoded at once', () => {
  const list = [transfer(0), large(1), transfer(2), large(3)];
  const [answer, ...more] = decoded(list.map(({ bytes }) => bytes));
  assert.ok(answer !== undefined && !(answer.result instanceof Problem) && more.length === 0);
  assert.equal(answer.turn, 1);
  assert.deepEqual(
    answer.result.map(({ hash }) => hash),
    list.map(({ hash }) => hash),
  );
  assert.deepEqual(decoded([]), [{ turn: 1, result: [] }]);
});

test('of more, each turn has so many bytes, and the answer has all in their order', () => {
  const list = Array.from({ length: 7 }, (_, nonce) => large(nonce));
  const [answer, ...more] = decoded(list.map(({ bytes }) => bytes));
  assert.ok(answer !== undefined && !(answer.result instanceof Problem) && more.length === 0);
  assert.equal(answer.turn, 4);
  assert.deepEqual(
    answer.result.map(({ hash }) => hash),
    list.map(({ hash }) => hash),
  );
});

test('the first that is no transaction ends it: what stands behind it is not looked at', () => {
  const list = Array.from({ length: 7 }, (_, nonce) => large(nonce).bytes);
  list[2] = list[2]?.slice(1) ?? assert.fail();
  const [answer, ...more] = decoded(list);
  assert.ok(answer?.result instanceof Problem && more.length === 0);
  assert.equal(answer.turn, 2);
});
