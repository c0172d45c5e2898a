import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FairRoom } from '../../src/base/fair-room.ts';

const most = 100;
const names = ['a', 'b', 'c', 'd'] as const;
const step = fc.record({ who: fc.constantFrom(...names), by: fc.integer({ min: -60, max: 60 }) });

void test('is never filled beyond its bound, and who holds an equal part of it or less keeps that', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model = new Map<string, number>();
      const room = new FairRoom<string>(most, (holder) => {
        const held = model.get(holder) ?? 0;
        assert.ok(
          [...model.values()].every((other) => other <= held),
          'the largest gives way',
        );
        assert.ok(held > most / names.length);
        const less = Math.min(held, 7);
        model.set(holder, held - less);
        room.change(holder, -less);
      });
      for (const { who, by } of steps) {
        const held = model.get(who) ?? 0;
        const change = Math.max(by, -held);
        model.set(who, held + change);
        room.change(who, change);
        assert.ok(room.total <= most);
        assert.equal(
          room.total,
          [...model.values()].reduce((sum, part) => sum + part, 0),
        );
        for (const name of names) assert.equal(room.heldBy(name), model.get(name) ?? 0);
      }
    }),
    { seed: 20261128 },
  );
});

void test('who does not give way, or gives back what it does not hold, is a fault of ours', () => {
  const room = new FairRoom<string>(1, () => {});
  assert.throws(() => room.change('a', 2), /who gives way holds less/);
  assert.throws(() => new FairRoom<string>(1, () => {}).change('a', -1), /more than it holds/);
});
