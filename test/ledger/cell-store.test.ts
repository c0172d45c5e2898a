import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CellStore } from '../../src/ledger/cell-store.ts';
import { nextBelow, seedRandom } from '../../src/base/random.ts';

/** What was written is read again, whole and in part, whatever lies where. */
function check(store: CellStore, written: ReadonlyMap<number, Uint8Array>): void {
  for (const [first, bytes] of written) {
    for (const length of [1, 48, 49, bytes.length - 1, bytes.length]) {
      if (length < 1 || length > bytes.length) continue;
      const target = new Uint8Array(length + 2).fill(0xee);
      store.read(first, length, target, 1);
      assert.deepEqual(target.subarray(1, -1), bytes.subarray(0, length));
      assert.deepEqual([target[0], target.at(-1)], [0xee, 0xee], 'nothing beside it is touched');
      for (const skipped of [1, 47, 48, 100]) {
        if (skipped >= length) continue;
        const rest = new Uint8Array(length - skipped);
        store.read(first, rest.length, rest, 0, skipped);
        assert.deepEqual(rest, bytes.subarray(skipped, length));
      }
    }
  }
}

describe('the store of byte strings in cells', () => {
  test('gives back what was written, side by side and scattered', () => {
    const random = seedRandom(7);
    const below = (bound: number): number => nextBelow(random, bound);
    const released: number[] = [];
    const store = new CellStore((carried) => released.push(carried));
    const written = new Map<number, Uint8Array>();
    let carried = 0;
    for (let step = 0; step < 4_000; step++) {
      const firsts = [...written.keys()];
      if (firsts.length > 0 && below(5) < 2) {
        const first = firsts[below(firsts.length)] as number;
        written.delete(first);
        store.drop(first);
      } else {
        const size = [1, 47, 48, 49, 96, 97, 600, 4_096][below(8)] as number;
        const bytes = Uint8Array.from({ length: size }, () => below(256));
        const first = store.write(bytes, (carried += 1));
        assert.ok(!written.has(first));
        written.set(first, bytes);
      }
      if (step % 500 === 0) check(store, written);
    }
    check(store, written);
    assert.equal(released.length + written.size, carried);
    assert.ok(store.memoryBytes > 8_192 * 48, 'over more than one chunk');
  });

  test('a string goes when its last holder drops it, and its cells are used again', () => {
    const store = new CellStore(() => undefined);
    const first = store.write(new Uint8Array(500).fill(1));
    store.hold(first);
    store.drop(first);
    check(store, new Map([[first, new Uint8Array(500).fill(1)]]));
    store.drop(first);
    assert.equal(store.write(new Uint8Array(500).fill(2)), first);
  });
});
