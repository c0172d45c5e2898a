import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FaultInjector } from '../../../src/simulator/run/fault-injector.ts';
import type { Targets } from '../../../src/simulator/run/targets.ts';
import { Links } from '../../../src/simulator/world/links.ts';
import { drawPlan } from '../../../src/simulator/plan/draw-plan.ts';
import type { Blow, Fault } from '../../../src/simulator/plan/plan.ts';
import { ProcessLife } from '../../../src/simulator/world/process-life.ts';
import { Scheduler } from '../../../src/simulator/world/scheduler.ts';

/** Three nodes under one strike from 0 to 1,000 ms, and what was done to them. */
class Fixture {
  readonly scheduler = new Scheduler();
  readonly done: string[] = [];
  readonly links = new Links({
    size: 3,
    seed: 1,
    conditions: { delayMs: [1, 1], loss: 0, duplication: 0, reordering: 0 },
    count: () => undefined,
  });

  constructor(how: Blow, relay = false) {
    const fault: Fault = {
      kind: 'strike',
      kinds: ['vote'],
      share: 1,
      how: [how],
      relay,
      at: 0,
      forMs: 1_000,
    };
    const note = (what: string) => (node: number) => this.done.push(`${what} ${node}`);
    const targets: Targets = {
      count: 3,
      keys: [],
      crash: note('crash'),
      start: note('start'),
      stallDisk: note('stall'),
      slowDisk: note('slow'),
      failDisk: note('fail'),
      wipeDisk: note('wipe'),
      pause: note('pause'),
      resume: note('resume'),
      shiftClock: note('shift'),
      speedClock: note('speed'),
      hasItsLog: () => true,
      request: () => undefined,
      changeValidators: () => undefined,
      corrupt: note('corrupt'),
      ask: note('ask'),
      reconcile: () => undefined,
    };
    const plan = { ...drawPlan(1, 'raft'), faults: [fault] };
    const { scheduler, links } = this;
    new FaultInjector({ plan, scheduler, links, targets, count: () => undefined }).start();
    this.run(0);
  }

  run(ms: number): void {
    const until = this.scheduler.now + ms;
    while (this.scheduler.step(until));
  }

  send(from: number, kind: string): void {
    this.links.arrivals({ from, to: (from + 1) % 3, size: 10, kind, now: this.scheduler.now });
  }
}

describe('a strike', () => {
  test('hits the sender of such a message within 30 ms, and nobody else', () => {
    const world = new Fixture('crash');
    world.send(1, 'append');
    world.run(100);
    assert.deepEqual(world.done, []);
    world.send(2, 'vote');
    world.send(2, 'vote');
    world.run(30);
    assert.equal(world.done[0], 'crash 2');
    world.run(970);
    assert.deepEqual(world.done, ['crash 2', 'start 2']);
  });

  test('deafens: nothing reaches it any more, and what it says arrives', () => {
    const world = new Fixture('deaf', true);
    world.send(0, 'vote');
    world.run(30);
    assert.ok(world.links.isCut(1, 0) && world.links.isCut(2, 0));
    assert.ok(!world.links.isCut(0, 1) && !world.links.isCut(0, 2));
    world.run(970);
    assert.ok(!world.links.isCut(1, 0));
  });

  test('cuts off, and mends at the end of the fault at the latest', () => {
    const world = new Fixture('cut-off', true);
    world.send(0, 'vote');
    world.run(30);
    assert.ok(world.links.isCut(0, 1) && world.links.isCut(2, 0));
    assert.ok(!world.links.isCut(1, 2));
    world.run(970);
    assert.ok(!world.links.isCut(0, 1) && !world.links.isCut(2, 0));
    world.send(1, 'vote');
    world.run(100);
    assert.ok(!world.links.isCut(1, 2), 'it is over');
  });

  test('in a relay one comes back when the next is hit', () => {
    const world = new Fixture('freeze', true);
    world.send(0, 'vote');
    world.run(30);
    world.send(1, 'vote');
    world.run(30);
    assert.deepEqual(world.done, ['pause 0', 'resume 0', 'pause 1']);
    assert.ok(!world.links.isCut(0, 2) && world.links.isCut(1, 2));
  });
});

test('a process that wakes up sees what came in order, or its timers last', () => {
  for (const timersLast of [false, true]) {
    const life = new ProcessLife((error) => {
      throw error;
    });
    const seen: string[] = [];
    life.pause();
    life.enter(() => seen.push('timer'), true);
    life.enter(() => seen.push('message'));
    life.resume(timersLast);
    assert.deepEqual(seen, timersLast ? ['message', 'timer'] : ['timer', 'message']);
  }
});
