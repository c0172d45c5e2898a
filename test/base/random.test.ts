import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nextBelow, nextFloat, nextUint32, seedRandom } from '../../src/base/random.ts';

/** sfc32 as its author wrote it, in whole numbers without JavaScript's 32-bit tricks. */
function* reference(seed: bigint): Generator<number> {
  const mask = 0xffffffffn;
  let [a, b, c, counter] = [0n, seed & mask, (seed >> 32n) & mask, 1n];
  const next = (): bigint => {
    const sum = (a + b + counter) & mask;
    counter = (counter + 1n) & mask;
    a = b ^ (b >> 9n);
    b = (c + (c << 3n)) & mask;
    c = ((((c << 21n) | (c >> 11n)) & mask) + sum) & mask;
    return sum;
  };
  for (let i = 0; i < 12; i++) next();
  for (;;) yield Number(next());
}

const take = (seed: number, count: number): number[] => {
  const state = seedRandom(seed);
  return Array.from({ length: count }, () => nextUint32(state));
};

describe('random', () => {
  test('gives the numbers of the published algorithm', () => {
    for (const seed of [0, 1, 42, 0xffffffff, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      const expected = reference(BigInt(seed));
      assert.deepEqual(
        take(seed, 1_000),
        Array.from({ length: 1_000 }, () => expected.next().value as number),
      );
    }
  });

  test('gives these numbers, on every machine and in every version', () => {
    assert.deepEqual(take(1, 4), [2_012_149_540, 1_872_316_204, 1_707_632_675, 1_779_833_415]);
    assert.deepEqual(take(20261123, 4), [413_963_756, 2_746_172_384, 3_101_036_842, 3_159_232_726]);
  });

  test('near seeds have nothing in common', () => {
    const first = new Set(Array.from({ length: 1_000 }, (_, seed) => take(seed, 1)[0]));
    assert.equal(first.size, 1_000);
  });

  test('a copy of the state goes on alike', () => {
    const state = seedRandom(7);
    nextUint32(state);
    const copy = structuredClone(state);
    assert.deepEqual([nextUint32(state), nextUint32(state)], [nextUint32(copy), nextUint32(copy)]);
    assert.deepEqual(state, copy);
  });

  test('every bit is set half of the time', () => {
    const state = seedRandom(3);
    const count = 40_000;
    const set = Array.from({ length: 32 }, () => 0);
    for (let i = 0; i < count; i++) {
      const value = nextUint32(state);
      for (let bit = 0; bit < 32; bit++) set[bit] = (set[bit] ?? 0) + ((value >>> bit) & 1);
    }
    // Five standard deviations: sqrt(n) / 2 each.
    for (const ones of set) assert.ok(Math.abs(ones - count / 2) < (5 * Math.sqrt(count)) / 2, set.join(' '));
  });

  test('whole numbers below a bound are all equally frequent', () => {
    for (const bound of [2, 3, 7, 10, 100]) {
      const state = seedRandom(bound);
      const perValue = 1_000;
      const counts = Array.from({ length: bound }, () => 0);
      for (let i = 0; i < perValue * bound; i++) {
        const value = nextBelow(state, bound);
        assert.ok(Number.isInteger(value) && value >= 0 && value < bound);
        counts[value] = (counts[value] ?? 0) + 1;
      }
      // Chi-square with bound - 1 degrees of freedom: mean bound - 1, variance 2 (bound - 1).
      const chiSquare = counts.reduce((sum, seen) => sum + (seen - perValue) ** 2 / perValue, 0);
      assert.ok(chiSquare < bound - 1 + 5 * Math.sqrt(2 * (bound - 1)), `bound ${bound}: ${chiSquare}`);
    }
  });

  test('floats are at least 0 and below 1, also at the ends', () => {
    const state = seedRandom(9);
    for (let i = 0; i < 10_000; i++) {
      const value = nextFloat(state);
      assert.ok(value >= 0 && value < 1);
    }
    assert.equal(nextFloat({ a: 0, b: 0, c: 0, counter: 0 }), 0);
    assert.ok(nextFloat({ a: -1, b: 0, c: 0, counter: 0 }) < 1);
    assert.equal(nextBelow({ a: -1, b: 0, c: 0, counter: 0 }, 2 ** 32), 2 ** 32 - 1);
  });
});
