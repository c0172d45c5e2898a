import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { array, assert as check, nat, property } from 'fast-check';
import { Scheduler } from '../../../src/simulator/world/scheduler.ts';

describe('virtual time', () => {
  test('calls come in the order of their moments, and in the order of scheduling at one moment', () => {
    check(
      property(array(nat(20), { maxLength: 200 }), (moments) => {
        const scheduler = new Scheduler();
        const made: { at: number; order: number }[] = [];
        for (const [order, at] of moments.entries()) {
          scheduler.at(at, () => {
            assert.equal(scheduler.now, at);
            made.push({ at, order });
          });
        }
        while (scheduler.step(100));
        const expected = moments
          .map((at, order) => ({ at, order }))
          .sort((a, b) => a.at - b.at || a.order - b.order);
        assert.deepEqual(made, expected);
      }),
      { seed: 1 },
    );
  });

  test('what a call schedules for now happens after everything that was already due now', () => {
    const scheduler = new Scheduler();
    const made: string[] = [];
    scheduler.at(5, () => {
      made.push('first');
      scheduler.defer(() => made.push('deferred'));
      scheduler.at(1, () => made.push('late'));
    });
    scheduler.at(5, () => made.push('second'));
    while (scheduler.step(10));
    assert.deepEqual(made, ['first', 'second', 'deferred', 'late']);
  });

  test('tells when the next call is due, of those that were not cancelled', () => {
    const scheduler = new Scheduler();
    assert.equal(scheduler.nextAt, Infinity);
    const cancel = scheduler.after(3, () => undefined);
    scheduler.after(7, () => undefined);
    assert.equal(scheduler.nextAt, 3);
    cancel();
    assert.equal(scheduler.nextAt, 7);
    assert.deepEqual([scheduler.now, scheduler.events], [0, 0]);
    scheduler.step(10);
    assert.equal(scheduler.nextAt, Infinity);
  });

  test('a cancelled call is never made, and cancelling after the call does nothing', () => {
    const scheduler = new Scheduler();
    const made: string[] = [];
    const cancel = scheduler.after(1, () => made.push('cancelled'));
    const late = scheduler.after(1, () => made.push('kept'));
    cancel();
    while (scheduler.step(10));
    late();
    assert.deepEqual(made, ['kept']);
    assert.equal(scheduler.events, 1);
  });

  test('time stops where it is told to, and goes on from there', () => {
    const scheduler = new Scheduler();
    let called = false;
    scheduler.after(100, () => {
      called = true;
    });
    assert.equal(scheduler.step(60), false);
    assert.equal(scheduler.now, 60);
    assert.equal(called, false);
    assert.equal(scheduler.step(200), true);
    assert.equal(scheduler.now, 100);
    assert.equal(called, true);
  });
});
