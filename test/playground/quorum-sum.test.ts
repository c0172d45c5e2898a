import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { judgeQuorums } from '../../src/playground/lessons/quorum-sum.ts';

const subsets = (n: number, size: number): number[] =>
  Array.from({ length: 2 ** n }, (_, set) => set).filter((set) => bits(set) === size);
const bits = (set: number): number => set.toString(2).replaceAll('0', '').length;

test('what is said of quorums is so, by looking at all of them', () => {
  const sums = fc.integer({ min: 1, max: 6 }).chain((n) =>
    fc.record({
      n: fc.constant(n),
      w: fc.integer({ min: 1, max: n }),
      r: fc.integer({ min: 1, max: n }),
      f: fc.nat(n),
    }),
  );
  fc.assert(
    fc.property(sums, ({ n, w, r, f }) => {
      const [writes, reads] = [subsets(n, w), subsets(n, r)];
      const least = Math.min(...writes.flatMap((a) => reads.map((b) => bits(a & b))));
      const leastOfWrites = Math.min(...writes.flatMap((a) => writes.map((b) => bits(a & b))));
      const someFail = subsets(n, f).map((down) =>
        [writes, reads].every((sets) => sets.some((set) => (set & down) === 0)),
      );
      assert.deepEqual(
        judgeQuorums({ n, w, r, f }).map(({ holds }) => holds),
        [least > 0, leastOfWrites > 0, someFail.every(Boolean), least > f],
      );
    }),
  );
});

test('n = 3 f + 1 with quorums of 2 f + 1 has all four, and n = 3 f has not', () => {
  for (let f = 0; f < 10; f++) {
    const n = 3 * f + 1;
    const q = 2 * f + 1;
    assert.ok(
      judgeQuorums({ n, w: q, r: q, f }).every(({ holds }) => holds),
      `${n}`,
    );
    for (let size = 1; size <= 3 * f; size++) {
      assert.ok(
        !judgeQuorums({ n: 3 * f, w: size, r: size, f }).every(({ holds }) => holds),
        `${size} of ${3 * f}`,
      );
    }
  }
});
