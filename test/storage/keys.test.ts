import assert from 'node:assert/strict';
import test from 'node:test';
import { compareBytes } from '../../src/base/bytes.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { heightIn, keys } from '../../src/storage/keys.ts';
import { hashOf, keyOf } from '../ledger/samples.ts';

test('keys with a height are in the order of heights, of all 48 bits', () => {
  const heights = [0, 1, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 3, 2 ** 48 - 1].map(toHeight);
  for (const name of [
    keys.header,
    (height: (typeof heights)[number]) => keys.accountIndex(keyOf('alice'), height),
  ]) {
    const made = heights.map(name);
    assert.deepEqual(made.map(heightIn), heights);
    assert.deepEqual(made.toSorted(compareBytes), made);
  }
});

test('a number that does not fit, or a name that is no hex, stops the program', () => {
  for (const number of [-1, 0.5, 2 ** 48, NaN]) {
    assert.throws(() => keys.evidence(number), /broken invariant/);
  }
  assert.throws(() => keys.transaction(`${hashOf('x').slice(2)}zz` as never), /broken invariant/);
});

test('keys share no memory: one stays as it was while others are made', () => {
  const first = keys.block(hashOf('first'));
  const copy = Uint8Array.from(first);
  for (let i = 0; i < 1_000; i++) keys.block(hashOf(`${i}`));
  assert.deepEqual(Uint8Array.from(first), copy);
});
