import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvariantError } from '../../src/base/invariant.ts';
import { checksummedWrite, reusedWrite } from '../../src/storage/checksummed.ts';
import { copyOf } from '../../src/storage/port.ts';

const writeKey = (target: Uint8Array, key: Uint8Array): number => {
  for (let at = 0; at < key.length; at++) target[at] = key[at] as number;
  return key.length;
};

test('a change in reused memory is the same as one in its own, whatever its size', () => {
  for (const keySize of [1, 33, 200, 1_024])
    for (const valueSize of [0, 15, 700, 820, 1_019, 1_020, 5_000]) {
      const [key, value] = [new Uint8Array(keySize).fill(7), new Uint8Array(valueSize).fill(9)];
      assert.deepEqual(copyOf([reusedWrite(writeKey, key, value)]), copyOf([checksummedWrite(key, value)]));
    }
});

test('a key that there is no room for is never cut short', () => {
  assert.throws(() => reusedWrite(writeKey, new Uint8Array(1_025), new Uint8Array(1)), InvariantError);
});
