import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { canLease, leaseMs, shortestLeaseTimeout } from '../../src/ledger/lease.ts';

test('a lease ends before the promise that it rests on, for clocks that differ by less than a third', () => {
  const old = limits.engineClockMs;
  assert.equal(old, 2 * limits.tickMs);
  for (let electionTimeoutMs = 10; electionTimeoutMs < 3_000; electionTimeoutMs += 7) {
    const lookedAtLast = leaseMs({ electionTimeoutMs }) + old;
    const keptAtLeast = (electionTimeoutMs - old) / (4 / 3);
    assert.ok(lookedAtLast <= keptAtLeast + 1e-9 || lookedAtLast <= old);
  }
});

test('the shortest timeout for a lease is one, and the one before it is not', () => {
  for (const heartbeatMs of [1, 20, 50, 100, 333]) {
    const electionTimeoutMs = shortestLeaseTimeout({ heartbeatMs });
    assert.ok(canLease({ heartbeatMs, electionTimeoutMs }));
    assert.ok(!canLease({ heartbeatMs, electionTimeoutMs: electionTimeoutMs - 1 }));
  }
});
