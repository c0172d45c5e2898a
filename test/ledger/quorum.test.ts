import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { byzantineQuorum, majority, maxFaulty } from '../../src/ledger/quorum.ts';

const sizes = Array.from({ length: limits.maxValidators }, (_, i) => i + 1);

test('f is the largest number with n >= 3f + 1 (PBFT, section 1)', () => {
  for (const n of sizes) {
    const f = maxFaulty(n);
    assert.ok(n >= 3 * f + 1, `${n} validators bear ${f} liars`);
    assert.ok(n < 3 * (f + 1) + 1, `${n} validators do not bear ${f + 1}`);
  }
});

test('two quorums share f + 1 validators, so at least one that does not lie, for n = 1 to 100', () => {
  for (const n of sizes) assert.ok(2 * byzantineQuorum(n) - n >= maxFaulty(n) + 1, `n = ${n}`);
});

test('the quorum is the smallest that keeps this promise: fewer messages would break it', () => {
  for (const n of sizes) assert.ok(2 * (byzantineQuorum(n) - 1) - n < maxFaulty(n) + 1, `n = ${n}`);
});

test('those who do not lie are a quorum by themselves, so liars cannot stop progress by silence', () => {
  for (const n of sizes) assert.ok(n - maxFaulty(n) >= byzantineQuorum(n), `n = ${n}`);
});

test('at n = 3f + 1 it is the 2f + 1 of the paper', () => {
  for (let f = 0; 3 * f + 1 <= limits.maxValidators; f++) assert.equal(byzantineQuorum(3 * f + 1), 2 * f + 1);
});

test('every quorum has an honest majority of its members, and f + 1 have an honest one', () => {
  for (const n of sizes) assert.ok(byzantineQuorum(n) - maxFaulty(n) > maxFaulty(n), `n = ${n}`);
});

test('two majorities share a member, and are no larger than they must be (Raft, section 5.2)', () => {
  for (const n of sizes) {
    assert.ok(2 * majority(n) - n >= 1);
    assert.ok(2 * (majority(n) - 1) - n < 1);
  }
});

test('the small committees that people run', () => {
  const table = [1, 2, 3, 4, 5, 6, 7, 10, 100].map((n) => [n, maxFaulty(n), byzantineQuorum(n), majority(n)]);
  assert.deepEqual(table, [
    [1, 0, 1, 1],
    [2, 0, 2, 2],
    [3, 0, 2, 2],
    [4, 1, 3, 3],
    [5, 1, 4, 3],
    [6, 1, 4, 4],
    [7, 2, 5, 4],
    [10, 3, 7, 6],
    [100, 33, 67, 51],
  ]);
});
