import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { TokenBucket } from '../../src/base/token-bucket.ts';

const rate = { perSecond: 10, burst: 5 };

void test('a burst at once, and then what the time gives back', () => {
  const bucket = new TokenBucket(rate, 1_000);
  assert.equal(bucket.take(6, 1_000), false, 'more than the burst is never there');
  assert.ok(bucket.take(5, 1_000));
  assert.equal(bucket.take(1, 1_099), false);
  assert.ok(bucket.take(1, 1_100), 'a tenth of a second gives one');
  assert.equal(bucket.spent(1_100), 5);
  assert.equal(bucket.spent(9_000), 0, 'and never more than the burst');
});

void test('what is owed is waited for, in order', () => {
  const bucket = new TokenBucket(rate, 0);
  const waits = Array.from({ length: 7 }, () => {
    bucket.owe(1, 0);
    return bucket.waitFor(0, 0);
  });
  assert.deepEqual(waits, [0, 0, 0, 0, 0, 100, 200]);
  assert.equal(bucket.take(1, 200), false, 'the time until then is spoken for');
  assert.equal(bucket.waitFor(1, 200), 100);
  assert.ok(bucket.take(1, 300));
});

void test('in any stretch of time no more is taken than the burst and its share', () => {
  const steps = fc.array(
    fc.record({ wait: fc.integer({ min: 0, max: 500 }), amount: fc.integer({ min: 1, max: 5 }) }),
  );
  fc.assert(
    fc.property(steps, (all) => {
      const bucket = new TokenBucket(rate, 0);
      let now = 0;
      let taken = 0;
      for (const { wait, amount } of all) {
        now += wait;
        if (bucket.take(amount, now)) taken += amount;
        assert.ok(taken <= rate.burst + (now * rate.perSecond) / 1_000 + 1e-6);
      }
    }),
    { seed: 20261128 },
  );
});

void test('a clock that stands or goes back gives nothing', () => {
  const bucket = new TokenBucket(rate, 1_000);
  assert.ok(bucket.take(5, 1_000));
  assert.equal(bucket.take(1, 900), false);
  assert.equal(bucket.take(1, 900), false);
});

void test('what is owed has to come back first', () => {
  const bucket = new TokenBucket(rate, 0);
  bucket.owe(15, 0);
  assert.equal(bucket.waitFor(0, 0), 1_000);
  assert.equal(bucket.waitFor(5, 0), 1_500);
  assert.equal(bucket.waitFor(1_000, 0), 1_500, 'more than the burst is never there: as much as that');
  assert.equal(bucket.waitFor(0, 1_000), 0);
  assert.equal(bucket.has(1, 1_000), false);
});
