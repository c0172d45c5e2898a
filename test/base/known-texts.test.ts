import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from '../../src/base/bytes.ts';
import { decode, encode, hexOf, knownHex } from '../../src/base/codec.ts';
import { nextBelow, seedRandom } from '../../src/base/random.ts';

const codec = knownHex(hexOf<string>(32));

test('the hex of 32 bytes is theirs, whatever was read before in the same place', () => {
  const random = seedRandom(7);
  for (let round = 0; round < 200; round++) {
    const bytes = Uint8Array.from({ length: 32 }, () => nextBelow(random, 256));
    for (let at = 0; at < 32; at++) {
      // The same place, or another one, and one byte that differs.
      const other = Uint8Array.from(bytes);
      other[at] = (other[at] as number) ^ (1 << (round % 8));
      for (const one of [bytes, other, bytes]) assert.equal(decode(codec, one, 'hash'), toHex(one));
    }
  }
});

test('what is read again is the same text, also after its bytes were overwritten', () => {
  const bytes = new Uint8Array(32).fill(9);
  const text = decode(codec, bytes, 'hash');
  bytes.fill(8);
  assert.equal(decode(codec, new Uint8Array(32).fill(9), 'hash'), text);
  assert.equal(decode(codec, bytes, 'hash'), '08'.repeat(32));
  assert.equal(toHex(encode(codec, '08'.repeat(32))), '08'.repeat(32));
});
