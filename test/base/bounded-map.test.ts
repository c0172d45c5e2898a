import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedMap } from '../../src/base/bounded-map.ts';

const keysOf = (map: BoundedMap<number, string>): number[] => [...map.entries()].map(([key]) => key);

test('a full map forgets the oldest, and never holds more than its bound', () => {
  const map = new BoundedMap<number, string>(3);
  for (const key of [1, 2, 3, 4]) map.set(key, `value ${key}`);
  assert.deepEqual(keysOf(map), [2, 3, 4]);
  assert.equal(map.get(1), undefined);
  assert.equal(map.get(4), 'value 4');
});

test('what is set again is the newest', () => {
  const map = new BoundedMap<number, string>(3);
  for (const key of [1, 2, 3, 1, 4]) map.set(key, `value ${key}`);
  assert.deepEqual(keysOf(map), [3, 1, 4]);
});

test('what was deleted takes no place', () => {
  const map = new BoundedMap<number, string>(3);
  for (const key of [1, 2, 3]) map.set(key, `value ${key}`);
  map.delete(1);
  map.set(4, 'value 4');
  assert.deepEqual(keysOf(map), [2, 3, 4]);
});

test('a large one forgets a sixteenth at once, the oldest, and keeps all others', () => {
  const max = 64;
  const map = new BoundedMap<number, string>(max);
  for (let key = 0; key < max; key++) map.set(key, '');
  assert.equal(map.size, max);
  map.set(max, '');
  assert.deepEqual(
    keysOf(map),
    Array.from({ length: max - 4 }, (_, index) => index + 5),
  );
  for (let key = max + 1; key < 10 * max; key++) {
    map.set(key, '');
    assert.ok(map.size <= max && map.size >= max - 4);
    assert.ok(map.has(key) && map.has(key - max + 8));
  }
});
