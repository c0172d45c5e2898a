import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { utf8 } from '../../../src/base/bytes.ts';
import type { Problem } from '../../../src/base/problem.ts';
import { Chance } from '../../../src/simulator/world/chance.ts';
import { ProcessLife } from '../../../src/simulator/world/process-life.ts';
import { Scheduler } from '../../../src/simulator/world/scheduler.ts';
import { VirtualDisk } from '../../../src/simulator/world/virtual-disk.ts';
import type { Store } from '../../../src/storage/port.ts';

const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : new TextDecoder().decode(bytes);

function setUp(seed = 1): {
  scheduler: Scheduler;
  disk: VirtualDisk;
  start: () => { life: ProcessLife; store: Store };
} {
  const scheduler = new Scheduler();
  const disk = new VirtualDisk({ scheduler, chance: new Chance(seed, 'disk'), latencyMs: [2, 2] });
  const start = (): { life: ProcessLife; store: Store } => {
    const life = new ProcessLife((error) => {
      throw error;
    });
    return { life, store: disk.open(life) };
  };
  return { scheduler, disk, start };
}

const acknowledge = (): never => assert.fail('acknowledged after the crash');
const put = (key: string, value: string) => ({ type: 'put', key: utf8(key), value: utf8(value) }) as const;

function run(scheduler: Scheduler, duration: number): void {
  const until = scheduler.now + duration;
  while (scheduler.step(until));
}

describe('virtual disk', () => {
  test('a batch is invisible until it is durable, and then survives a crash', () => {
    const { scheduler, disk, start } = setUp();
    const { life, store } = start();
    let acknowledged = false;
    store.write([put('a', '1')], (problem) => {
      assert.equal(problem, undefined);
      acknowledged = true;
    });
    assert.equal(store.get(utf8('a')), undefined);
    run(scheduler, 2);
    assert.equal(acknowledged, true);
    assert.equal(text(store.get(utf8('a'))), '1');
    life.kill();
    assert.equal(disk.crash(), 0);
    assert.equal(text(start().store.get(utf8('a'))), '1');
  });

  test('says what is about to go: from the moment when that is handed over, until it is gone', () => {
    const { scheduler, disk, start } = setUp();
    const { store } = start();
    store.write([put('a', '1'), put('b', '2')], () => undefined);
    run(scheduler, 2);
    assert.equal(disk.isGoing(utf8('a')), false);
    store.write([{ type: 'del', key: utf8('a') }], () => undefined);
    assert.deepEqual([disk.isGoing(utf8('a')), disk.isGoing(utf8('b'))], [true, false]);
    assert.equal(text(disk.peek(utf8('a'))), '1');
    run(scheduler, 2);
    assert.deepEqual([disk.isGoing(utf8('a')), disk.peek(utf8('a'))], [false, undefined]);
  });

  test('a crash keeps a prefix of the batches under way, each whole, and tells nobody', () => {
    const kept = new Set<number>();
    for (let seed = 0; seed < 64; seed++) {
      const { scheduler, disk, start } = setUp(seed);
      const { life, store } = start();
      for (const key of ['a', 'b', 'c']) store.write([put(key, '1'), put(`${key}2`, '2')], acknowledge);
      life.kill();
      const lost = disk.crash();
      run(scheduler, 100);
      const next = start().store;
      const found = ['a', 'b', 'c'].map((key) => [next.get(utf8(key)), next.get(utf8(`${key}2`))]);
      for (const [index, [first, second]] of found.entries()) {
        assert.equal(first !== undefined, index < 3 - lost);
        assert.equal(second !== undefined, first !== undefined, 'no batch is there in part');
      }
      kept.add(3 - lost);
    }
    assert.deepEqual(
      [...kept].sort((a, b) => a - b),
      [0, 1, 2, 3],
    );
  });

  test('a stalled disk acknowledges nothing until the stall ends, and then everything in order', () => {
    const { scheduler, disk, start } = setUp();
    const { store } = start();
    const done: string[] = [];
    disk.stall(50);
    store.write([put('a', '1')], () => done.push(`a at ${scheduler.now}`));
    store.write([put('b', '1')], () => done.push(`b at ${scheduler.now}`));
    run(scheduler, 49);
    assert.deepEqual(done, []);
    run(scheduler, 100);
    assert.deepEqual(done, ['a at 50', 'b at 52']);
  });

  test('after a failed sync the store takes nothing more; a new process finds what was durable before', () => {
    const { scheduler, disk, start } = setUp();
    const { life, store } = start();
    const problems: (string | undefined)[] = [];
    const note = (problem: Problem | undefined): void => void problems.push(problem?.code);
    store.write([put('a', '1')], note);
    run(scheduler, 2);
    disk.fail();
    store.write([put('b', '1')], note);
    store.write([put('c', '1')], note);
    run(scheduler, 10);
    assert.deepEqual(problems, [undefined, 'storage/write-failed', 'storage/write-failed']);
    life.kill();
    disk.crash();
    const next = start().store;
    assert.equal(text(next.get(utf8('a'))), '1');
    assert.equal(next.get(utf8('b')), undefined);
  });

  test('what came behind a failed sync is never there without it', () => {
    for (let seed = 0; seed < 32; seed++) {
      const { scheduler, disk, start } = setUp(seed);
      const { life, store } = start();
      disk.fail();
      store.write([put('a', '1')], () => life.kill());
      store.write([put('b', '1')], () => undefined);
      run(scheduler, 2);
      disk.crash();
      assert.equal(start().store.get(utf8('b')), undefined);
    }
  });

  test('a paused process is told when it wakes up, and a crash meanwhile keeps the order', () => {
    for (let seed = 0; seed < 32; seed++) {
      const { scheduler, disk, start } = setUp(seed);
      const { life, store } = start();
      life.pause();
      store.write([put('a', '1')], () => assert.fail('told while paused'));
      run(scheduler, 3);
      assert.equal(store.get(utf8('a')), undefined);
      store.write([put('b', '1')], () => assert.fail('told while paused'));
      life.kill();
      disk.crash();
      const next = start().store;
      assert.equal(text(next.get(utf8('a'))), '1', 'what reached the disk first is there');
    }
  });

  test('scans in key order, within the range and the limit', async () => {
    const { scheduler, start } = setUp();
    const { store } = start();
    store.write(
      ['c', 'a', 'd', 'b'].map((key) => put(key, key)),
      () => undefined,
    );
    run(scheduler, 2);
    const range = { from: utf8('a'), to: utf8('d') };
    assert.deepEqual(
      (await store.scan(range)).map(([key]) => text(key)),
      ['a', 'b', 'c'],
    );
    assert.deepEqual(
      (await store.scan({ ...range, limit: 2 })).map(([key]) => text(key)),
      ['a', 'b'],
    );
  });
});
