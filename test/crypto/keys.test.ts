import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bech32m } from '@scure/base';
import * as fc from 'fast-check';
import { fromHex, toHex } from '../../src/base/bytes.ts';
import { InvariantError } from '../../src/base/invariant.ts';
import { limits } from '../../src/base/limits.ts';
import { Problem } from '../../src/base/problem.ts';
import { encodeAddress, parseAddress } from '../../src/crypto/address.ts';
import {
  developmentKeyNames,
  developmentKeyPair,
  isDevelopmentKey,
} from '../../src/crypto/development-keys.ts';
import { keyFault } from '../../src/crypto/key-fault.ts';
import { generateKeyPair, keyPairFromSeed, sign } from '../../src/crypto/keys.ts';
import { nativeSign, nativeSigner, nodeEd25519, sodiumEd25519 } from '../../src/crypto/native.ts';
import type { PublicKey } from '../../src/crypto/signature.ts';

const seeded = { seed: 20261123, numRuns: 50 };

describe('keys', () => {
  test('a seed gives the public key of RFC 8032, section 7.1, test 1', () => {
    const seed = fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
    assert.equal(
      keyPairFromSeed(seed).publicKey,
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    );
  });

  test('fresh keys differ', () => {
    const keys = new Set(Array.from({ length: 20 }, () => generateKeyPair().publicKey));
    assert.equal(keys.size, 20);
  });

  test('a key pair does not change with the memory that its seed came from', () => {
    const seed = new Uint8Array(32).fill(7);
    const pair = keyPairFromSeed(seed);
    seed.fill(0);
    assert.deepEqual(pair.secretKey, new Uint8Array(32).fill(7));
  });

  test('a seed of another length is our own mistake', () => {
    assert.throws(() => keyPairFromSeed(new Uint8Array(31)), InvariantError);
    assert.throws(() => nativeSigner(new Uint8Array(64)), InvariantError);
  });

  test('portable and native code sign the same bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ maxLength: 200 }),
        (seed, message) => {
          const expected = sign(seed, message);
          assert.equal(nativeSign(seed, message), expected);
          assert.equal(toHex(nodeEd25519.signer(seed)(message)), expected);
          if (sodiumEd25519 !== undefined) {
            assert.equal(toHex(sodiumEd25519.signer(seed)(message)), expected);
          }
        },
      ),
      seeded,
    );
  });
});

/** The key in an address, whoever's it is. */
const encodedKey = (address: string): string =>
  toHex(bech32m.fromWords(bech32m.decode(address as `${string}1${string}`).words));

describe('addresses', () => {
  const alice = developmentKeyPair('alice').publicKey;

  test('an address starts with qr1 and leads back to its key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const publicKey = toHex(bytes) as PublicKey;
        fc.pre(keyFault(publicKey) === undefined);
        const address = encodeAddress(publicKey);
        assert.match(address, /^qr1[02-9ac-hj-np-z]{58}$/);
        assert.equal(parseAddress(address), publicKey);
        assert.equal(parseAddress(address.toUpperCase()), publicKey);
        assert.equal(parseAddress(publicKey), publicKey);
        assert.equal(parseAddress(` ${publicKey.toUpperCase()}\n`), publicKey);
      }),
      seeded,
    );
  });

  test('this is the address of the development key alice, for ever', () => {
    assert.equal(encodeAddress(alice), 'qr1pr6t35gwhywvcgl4pyd0wwrc65egsgecxx0983m02yvnfwflrjfsmgv833');
  });

  test('who is shown again, and after more accounts than are remembered, has the same address', () => {
    const keys = Array.from({ length: limits.addressesRemembered + 10 }, (_, index) =>
      index.toString(16).padStart(64, '0'),
    ) as PublicKey[];
    const first = keys.map(encodeAddress);
    assert.equal(new Set(first).size, keys.length);
    assert.deepEqual(keys.map(encodeAddress), first);
    assert.deepEqual(first.slice(-10).map(encodedKey), keys.slice(-10));
  });

  test('any one wrong character, and any two swapped, are noticed', () => {
    const address = encodeAddress(alice);
    for (let at = 3; at < address.length; at++) {
      for (const letter of 'qpzry9x8') {
        if (letter === address[at]) continue;
        refused(address.slice(0, at) + letter + address.slice(at + 1), /checksum/);
      }
      const [one, two] = [address[at - 1], address[at]];
      if (at > 3 && one !== two)
        refused(address.slice(0, at - 1) + two + one + address.slice(at + 1), /checksum/);
    }
  });

  test('what is no address is a problem that shows it and says what to do', () => {
    refused('', /does not begin with "qr1"/);
    refused('alice', /does not begin with "qr1"/);
    refused(alice.slice(1), /63 hex digits, and not 64/);
    refused(encodeAddress(alice).slice(0, -1), /checksum/);
    refused(`${encodeAddress(alice).slice(0, 20)}Q${encodeAddress(alice).slice(21)}`, /checksum/);
    refused('x'.repeat(100_000), /does not begin with "qr1"/);
    refused(`qr1${'x'.repeat(100_000)}`, /checksum/);
    // BIP 350's own test vector of bech32m, and of the older bech32 from BIP 173.
    refused('A1LQFN3A', /starts with "a1"/);
    refused('a12uel5l', /does not begin with "qr1"/);
    refused('bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0', /starts with "bc1"/);
  });
});

function refused(text: string, why: RegExp): void {
  const problem = parseAddress(text);
  assert.ok(problem instanceof Problem, `${text} was accepted`);
  assert.equal(problem.code, 'keys/address');
  assert.match(problem.message, why);
  assert.ok(problem.message.length < 300);
  assert.match(problem.remedy, /qr1/);
}

describe('development keys', () => {
  test('everybody derives the same ones', () => {
    assert.equal(
      developmentKeyPair('alice').publicKey,
      '08f4b8d10eb91ccc23f5091af73878d532882338319e53c76f511934b93f1c93',
    );
    assert.equal(new Set(developmentKeyNames.map((name) => developmentKeyPair(name).publicKey)).size, 19);
  });

  test('they are recognised, and others are not', () => {
    for (const name of developmentKeyNames) {
      assert.equal(isDevelopmentKey(developmentKeyPair(name).publicKey), name);
    }
    assert.equal(isDevelopmentKey(generateKeyPair().publicKey), undefined);
  });

  test('there is none of another name', () => {
    assert.throws(() => developmentKeyPair('validator-16'), InvariantError);
    assert.throws(() => developmentKeyPair('mallory'), InvariantError);
  });
});
