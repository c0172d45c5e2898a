import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Point } from '@noble/ed25519';
import { fromHex, utf8 } from '../../src/base/bytes.ts';
import { Problem } from '../../src/base/problem.ts';
import { encodeAddress, parseAddress } from '../../src/crypto/address.ts';
import { cornerCases } from '../../src/crypto/corner-cases.ts';
import { isForgeableKey } from '../../src/crypto/forgeable-key.ts';
import { keyPairFromSeed } from '../../src/crypto/keys.ts';
import type { PublicKey } from '../../src/crypto/signature.ts';
import { verifyZip215 } from '../../src/crypto/zip215.ts';

const key = (text: string): PublicKey => text as PublicKey;

/** Every encoding of a point of small order that ZIP-215 takes. */
const ys = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
];
const withSign = (y: string): string =>
  y.slice(0, 62) + (Number.parseInt(y.slice(62), 16) | 0x80).toString(16);
const smallOrder = ys.flatMap((y) => [y, withSign(y)]);

test('for each encoding of a point of small order one constant signature is good for every message', () => {
  for (const encoded of smallOrder) {
    const signature = fromHex(`${encoded}${'00'.repeat(32)}`);
    for (const message of ['one', 'another']) {
      assert.equal(verifyZip215(fromHex(encoded), utf8(message), signature), true, encoded);
    }
    assert.equal(isForgeableKey(key(encoded)), true, encoded);
  }
});

test('an encoding that is not the one of its point stands for nobody', () => {
  for (let low = 0xed; low <= 0xff; low++) {
    for (const top of ['7f', 'ff'])
      assert.equal(isForgeableKey(key(`${low.toString(16)}${'ff'.repeat(30)}${top}`)), true);
  }
  // The largest that is below the prime is one, and those that only look alike are.
  assert.equal(isForgeableKey(key(`eb${'ff'.repeat(30)}7f`)), false);
  assert.equal(isForgeableKey(key(`ff${'ff'.repeat(30)}7e`)), false);
  assert.equal(isForgeableKey(key(`ff${'ff'.repeat(29)}fe7f`)), false);
});

test('keys that somebody holds are none of them, and a multiple of each says so too', () => {
  for (let seed = 0; seed < 200; seed++) {
    const { publicKey } = keyPairFromSeed(new Uint8Array(32).fill(seed));
    assert.equal(isForgeableKey(publicKey), false);
    assert.equal(Point.fromHex(publicKey).isSmallOrder(), false);
  }
  for (const { publicKey, about } of cornerCases) {
    assert.equal(isForgeableKey(key(publicKey)), /small-order A/.test(about), about);
  }
});

test('no address names one, in either form', () => {
  for (const encoded of smallOrder) {
    for (const text of [encoded, encoded.toUpperCase(), encodeAddress(key(encoded))]) {
      const result = parseAddress(text);
      assert.ok(result instanceof Problem, text);
      assert.equal(result.code, 'keys/forgeable');
    }
  }
});
