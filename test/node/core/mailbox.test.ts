import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { Mailbox } from '../../../src/node/core/mailbox.ts';

/** A mailbox without work, and the clocks that it goes by. */
function mailbox() {
  const clock = { mono: 1_000, wall: 5_000_000 };
  const box = new Mailbox<object>({
    clock: { wallMs: () => clock.wall, monotonicMs: () => clock.mono, after: () => () => undefined },
    work: () => ({ executable: 0, oldestSince: null, passedOverSince: null }),
  });
  const pass = (monoMs: number, wallMs: number): void => {
    clock.mono += monoMs;
    clock.wall += wallMs;
  };
  return { box, pass };
}

const message = { type: 'persisted', seq: 1, signed: [] } as const;

test('what comes after a suspended machine woke up finds an engine that knows it', () => {
  const { box, pass } = mailbox();
  pass(1, 3_600_000);
  box.enqueue(message);
  assert.deepEqual(box.next(), { type: 'tick', now: 1_001, slept: true });
  assert.deepEqual(box.next(), message);
  assert.equal(box.next(), undefined, 'it is said once');
  pass(limits.tickMs, limits.tickMs);
  box.tick(1_001 + limits.tickMs);
  assert.deepEqual(box.next(), { type: 'tick', now: 1_001 + limits.tickMs });
});

test('the timer may be the first to come', () => {
  const { box, pass } = mailbox();
  pass(limits.tickMs, 2 * limits.tickMs + 1);
  box.tick(1_000 + limits.tickMs);
  assert.deepEqual(box.next(), { type: 'tick', now: 1_000 + limits.tickMs, slept: true });
});

test('clocks that drift, and one that is set back, are no sleep', () => {
  const { box, pass } = mailbox();
  pass(10, 10 + limits.tickMs);
  assert.equal(box.next(), undefined);
  pass(10, -3_600_000);
  assert.equal(box.next(), undefined);
  pass(limits.engineClockMs, limits.engineClockMs);
  box.enqueue(message);
  assert.deepEqual(box.next(), {
    type: 'tick',
    now: 1_020 + limits.engineClockMs,
    lateMs: 20 + limits.engineClockMs - limits.tickMs,
  });
  assert.deepEqual(box.next(), message);
});

test('what comes after the process stood still finds an engine that knows for how long', () => {
  for (const first of ['timer', 'message']) {
    const { box, pass } = mailbox();
    pass(limits.tickMs + 1_500, limits.tickMs + 1_500);
    const now = 1_000 + limits.tickMs + 1_500;
    if (first === 'timer') box.tick(now);
    box.enqueue(message);
    assert.deepEqual(box.next(), { type: 'tick', now, lateMs: 1_500 });
    assert.deepEqual(box.next(), message);
    pass(limits.tickMs, limits.tickMs);
    box.tick(now + limits.tickMs);
    assert.deepEqual(box.next(), { type: 'tick', now: now + limits.tickMs }, 'it is said once');
  }
});

test('an input that finds its engine’s clock as old as it may be is not late', () => {
  const { box, pass } = mailbox();
  pass(limits.engineClockMs, limits.engineClockMs);
  box.enqueue(message);
  assert.deepEqual(box.next(), { type: 'tick', now: 1_000 + limits.engineClockMs });
});
