import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedCopy } from '../../src/base/shared-copy.ts';

/** As many transactions have, and some that have a buffer of their own. */
const sizes = [0, 1, 150, 195, 300, 447, 448, 449, 5_000];

test('a copy stays as it was when its source, or another copy, is written over', () => {
  const made = Array.from({ length: 200 }, (_, index) => {
    const source = new Uint8Array(sizes[index % sizes.length] ?? 0).fill(index);
    const copy = sharedCopy(source);
    source.fill(255);
    return copy;
  });
  for (const [index, copy] of made.entries()) {
    assert.deepEqual(copy, new Uint8Array(sizes[index % sizes.length] ?? 0).fill(index));
    copy.fill(254);
  }
});

test('a small copy keeps fewer than 900 bytes in memory, a large one only itself', () => {
  for (let round = 0; round < 20; round++) {
    for (const size of sizes) {
      const { buffer } = sharedCopy(new Uint8Array(size));
      assert.ok(buffer.byteLength < 900 || buffer.byteLength === size, `${size} of ${buffer.byteLength}`);
    }
  }
});

test('some small copies share a buffer', () => {
  const buffers = new Set(Array.from({ length: 400 }, () => sharedCopy(new Uint8Array(195)).buffer));
  assert.ok(buffers.size <= 101, `${buffers.size} buffers`);
});
