import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { validatorSet } from '../../src/ledger/validators.ts';
import { keyOf } from './samples.ts';

const keys = (count: number) => Array.from({ length: count }, (_, i) => keyOf(`validator ${i}`));

test('the hash of a set names its members and their order', () => {
  const four = validatorSet(keys(4));
  assert.equal(validatorSet(keys(4)).hash, four.hash);
  assert.notEqual(validatorSet(keys(4).toReversed()).hash, four.hash);
  assert.notEqual(validatorSet(keys(3)).hash, four.hash);
  assert.notEqual(validatorSet([...keys(3), keyOf('other')]).hash, four.hash);
});

test('no two sets of 1 to 100 validators share a hash, and more validators are refused', () => {
  const hashes = new Set(
    Array.from({ length: limits.maxValidators }, (_, i) => validatorSet(keys(i + 1)).hash),
  );
  assert.equal(hashes.size, limits.maxValidators);
  assert.throws(() => validatorSet(keys(limits.maxValidators + 1)), /above the limit/);
});
