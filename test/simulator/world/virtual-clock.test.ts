import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessLife } from '../../../src/simulator/world/process-life.ts';
import { areLinked } from '../../../src/simulator/plan/plan.ts';
import { Scheduler } from '../../../src/simulator/world/scheduler.ts';
import { epochMs, VirtualClock } from '../../../src/simulator/world/virtual-clock.ts';

function setUp(rate = 1) {
  const scheduler = new Scheduler();
  scheduler.step(1_000);
  const life = new ProcessLife((error) => assert.fail(String(error)));
  return { scheduler, clock: new VirtualClock({ scheduler, life, offsetMs: 0, rate }) };
}

test('a clock may be off and may jump: the monotonic one takes no part in that', () => {
  const { scheduler, clock } = setUp();
  assert.equal(clock.wallMs(), epochMs + 1_000);
  clock.offsetMs = -400;
  scheduler.step(1_100);
  assert.equal(clock.wallMs(), epochMs + 700);
  assert.equal(clock.monotonicMs(), 100);
});

test('a clock that runs fast or slow takes its timers along, and never goes back when its rate changes', () => {
  const { scheduler, clock } = setUp(2);
  const fired: number[] = [];
  clock.after(100, () => fired.push(scheduler.now));
  while (scheduler.step(1_100));
  assert.deepEqual(fired, [1_050]);
  assert.equal(clock.monotonicMs(), 200);
  clock.rate = 0.5;
  assert.equal(clock.monotonicMs(), 200);
  clock.after(100, () => fired.push(scheduler.now));
  while (scheduler.step(1_300));
  assert.deepEqual(fired, [1_050, 1_300]);
  assert.equal(clock.monotonicMs(), 300);
  assert.equal(clock.wallMs(), epochMs + 1_300);
});

test('in a star all meet the centre, on a line each meets its neighbours', () => {
  const links = (shape: Parameters<typeof areLinked>[0]) =>
    ['01', '02', '03', '12', '13', '23'].filter(([a, b]) => areLinked(shape, Number(a), Number(b)));
  assert.deepEqual(links({ kind: 'star', centre: 1 }), ['01', '12', '13']);
  assert.deepEqual(links({ kind: 'line', order: [2, 0, 3, 1] }), ['02', '03', '13']);
});
