import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { sha256 as portable } from '@noble/hashes/sha2.js';
import * as fc from 'fast-check';
import { fromHex, toHex, utf8 } from '../../src/base/bytes.ts';
import { decode, encode } from '../../src/base/codec.ts';
import { Problem } from '../../src/base/problem.ts';
import {
  domainPrefix,
  hash,
  hashBytes,
  hashCodec,
  hashToBytes,
  hashInto,
  type Sha256,
  sha256,
  sha256Into,
  useSha256,
  zeroHash,
} from '../../src/crypto/hash.ts';
import { useNativeHash } from '../../src/crypto/native-hash.ts';

const portableSha256: Sha256 = {
  bytes: portable,
  hex: (data) => toHex(portable(data)),
  into: (data, target, at) => target.set(portable(data), at),
};
const seeded = { seed: 20261123 };

/** What a hash must be, by an implementation that is not used for it. */
function expected(domain: string, ...parts: Uint8Array[]): string {
  const digest = createHash('sha256').update(`${domain}\0`);
  for (const part of parts) digest.update(part);
  return digest.digest('hex');
}

for (const [name, install] of [
  ['portable', () => useSha256(portableSha256)],
  ['native', useNativeHash],
] as const) {
  describe(`hash (${name})`, () => {
    test('is SHA-256 of the domain, a zero byte and the parts, for any sizes', () => {
      install();
      fc.assert(
        fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (parts) => {
          assert.equal(hash('quorate/v1/block', ...parts), expected('quorate/v1/block', ...parts));
          assert.equal(
            toHex(hashBytes('quorate/v1/chain', ...parts)),
            expected('quorate/v1/chain', ...parts),
          );
        }),
        seeded,
      );
    });

    test('writes the same bytes where it is told, also over a part of what it hashes', () => {
      install();
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 40, maxLength: 200 }), fc.nat(8), (data, at) => {
          const target = new Uint8Array(60).fill(9);
          hashInto('quorate/v1/block', target, at, data);
          assert.equal(toHex(target.subarray(at, at + 32)), expected('quorate/v1/block', data));
          assert.ok(target.every((byte, i) => (i >= at && i < at + 32) || byte === 9));
          const digest = toHex(sha256(data));
          sha256Into(data, data, at);
          assert.equal(toHex(data.subarray(at, at + 32)), digest);
        }),
        seeded,
      );
    });

    test('is right around the size at which memory is taken anew', () => {
      install();
      const prefix = domainPrefix('quorate/v1/block').length;
      for (const size of [0, 1, 8_191 - prefix, 8_192 - prefix, 8_193 - prefix, 100_000]) {
        const data = new Uint8Array(size).fill(7);
        assert.equal(hash('quorate/v1/block', data), expected('quorate/v1/block', data), String(size));
      }
    });

    test('gives plain bytes that stay when something else is hashed', () => {
      install();
      const first = hashBytes('quorate/v1/block', utf8('first'));
      const kept = Uint8Array.from(first);
      hashBytes('quorate/v1/block', utf8('second'));
      assert.deepEqual(first, kept);
      assert.equal(Object.getPrototypeOf(first), Uint8Array.prototype);
    });

    test('without a domain, knows the vectors of FIPS 180-4', () => {
      install();
      assert.equal(
        toHex(sha256(utf8('abc'))),
        'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      );
      assert.equal(
        toHex(sha256(utf8(''))),
        'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      );
    });
  });
}

after(() => useSha256(portableSha256));

describe('hash: one purpose, one meaning', () => {
  test('the same bytes under another domain have another hash', () => {
    const data = utf8('data');
    assert.notEqual(hash('quorate/v1/state-key', data), hash('quorate/v1/state-value', data));
  });

  test('no domain is a beginning of another with its zero byte', () => {
    assert.deepEqual(domainPrefix('quorate/v1/transaction'), utf8('quorate/v1/transaction\0'));
    assert.notEqual(
      hash('quorate/v1/transaction', utf8('-signature\0x')),
      hash('quorate/v1/transaction-signature', utf8('x')),
    );
  });

  test('a hash is 32 bytes on the wire and hex in memory', () => {
    const value = hash('quorate/v1/block');
    assert.match(value, /^[0-9a-f]{64}$/);
    assert.deepEqual(encode(hashCodec, value), fromHex(value));
    assert.equal(decode(hashCodec, hashToBytes(value), 'hash'), value);
    assert.ok(decode(hashCodec, new Uint8Array(31), 'hash') instanceof Problem);
    assert.deepEqual(hashToBytes(zeroHash), new Uint8Array(32));
  });
});
