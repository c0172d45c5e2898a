import assert from 'node:assert/strict';
import { test } from 'node:test';
import { feeRate } from '../../src/mempool/fee-rate.ts';
import { fullBlock } from '../../src/mempool/passed-over.ts';
import { sender, tx } from './fixture.ts';

void test('what a block is worth at least counts the cheap ones that a sender had to have before', () => {
  const [cheap, dear] = [tx({ nonce: 0, fee: 1 }), tx({ nonce: 1, fee: 50 })];
  const other = tx({ from: 2, fee: 20 });
  const firstIsOld = (place: number): boolean => place === 0;
  assert.equal(fullBlock([cheap, dear, other], firstIsOld, new Set()).least, feeRate(cheap));
  assert.equal(fullBlock([cheap, other], firstIsOld, new Set()).least, feeRate(other));
  assert.equal(fullBlock([cheap, cheap], firstIsOld, new Set()).least, feeRate(cheap), 'all pay the same');
  assert.equal(fullBlock([cheap], firstIsOld, new Set()).least, undefined);
  const { countOf } = fullBlock([cheap, dear, other], firstIsOld, new Set());
  assert.deepEqual(
    [1, 2, 3].map((from) => countOf(sender(from))),
    [2, 1, 0],
  );
});
