import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { fromHex, toHex, utf8 } from '../../src/base/bytes.ts';
import { cornerCases, plainCase } from '../../src/crypto/corner-cases.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { sign } from '../../src/crypto/keys.ts';
import { type NativeEd25519, nativeVerify, nodeEd25519, sodiumEd25519 } from '../../src/crypto/native.ts';
import type { PublicKey, Signature, SignatureClaim } from '../../src/crypto/signature.ts';
import { selfTest, verifySignature } from '../../src/crypto/verify.ts';
import { verifyClaimZip215, verifyZip215 } from '../../src/crypto/zip215.ts';

/** Verdicts of the paper's table for Zebra, which defined ZIP-215: an accepted case, or one that is not. */
const zip215Row = 'VVVVVVXXXVVV';

const implementations: [string, NativeEd25519][] = [['node:crypto', nodeEd25519]];
if (sodiumEd25519 !== undefined) implementations.push(['sodium-native', sodiumEd25519]);

/** The order of the group: S is valid only below it. */
const order = 2n ** 252n + 27742317777372353535851937790883648493n;

function claimOf(from: { publicKey: string; message: string; signature: string }): SignatureClaim {
  return {
    publicKey: from.publicKey as PublicKey,
    message: fromHex(from.message),
    signature: from.signature as Signature,
  };
}

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

describe('the consensus rule on the twelve published corner cases', () => {
  test('the table here is the table of the paper', () => {
    assert.equal(cornerCases.map(({ valid }) => (valid ? 'V' : 'X')).join(''), zip215Row);
  });

  for (const corner of cornerCases) {
    const claim = claimOf(corner);
    test(`case ${corner.number}, ${corner.about}: ${corner.valid ? 'valid' : 'invalid'} on every path`, () => {
      assert.equal(verifyClaimZip215(claim), corner.valid);
      assert.equal(verifySignature(claim, false), corner.valid);
    });
    test(`case ${corner.number}: strict is what the native verifier says, and no more than the rule`, () => {
      assert.equal(
        verifySignature(claim, true),
        nativeVerify(claim.publicKey, claim.message, claim.signature),
      );
      for (const [name, implementation] of implementations) {
        const accepted = implementation.verify(
          fromHex(corner.publicKey),
          claim.message,
          fromHex(corner.signature),
        );
        assert.ok(!accepted || corner.valid, `${name} accepts what the rule rejects`);
      }
    });
  }

  test('libsodium accepts case 3 alone, as the paper says', { skip: sodiumEd25519 === undefined }, () => {
    const accepted = cornerCases.filter((corner) =>
      sodiumEd25519?.verify(fromHex(corner.publicKey), fromHex(corner.message), fromHex(corner.signature)),
    );
    assert.deepEqual(
      accepted.map(({ number }) => number),
      [3],
    );
  });

  test('some valid cases are not strictly valid: two speeds are needed, and two they are', () => {
    const apart = cornerCases.filter((corner) => corner.valid && !verifySignature(claimOf(corner), true));
    assert.ok(apart.length > 0);
  });
});

describe('signatures of the other kind: ordinary ones', () => {
  const { publicKey, secretKey } = developmentKeyPair('alice');

  test('RFC 8032 section 7.1 test 3 is signed and verified to the byte', () => {
    assert.equal(sign(fromHex(plainCase.secretKey), fromHex(plainCase.message)), plainCase.signature);
    assert.equal(verifySignature(claimOf(plainCase), true), true);
  });

  test('every path agrees on signatures, and on signatures with one bit flipped', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.nat({ max: 511 }),
        fc.boolean(),
        (message, bit, flip) => {
          const signature = fromHex(sign(secretKey, message));
          if (flip) signature[bit >> 3] = (signature[bit >> 3] as number) ^ (1 << (bit & 7));
          const claim = { publicKey, message, signature: toHex(signature) as Signature };
          assert.equal(verifySignature(claim, false), !flip);
          assert.equal(verifySignature(claim, true), !flip);
          for (const [name, implementation] of implementations) {
            assert.equal(implementation.verify(fromHex(publicKey), message, signature), !flip, name);
          }
        },
      ),
      { seed: 20261123, numRuns: 60 },
    );
  });

  test('S + L is the same equation and no signature (RFC 8032, section 5.1.7)', () => {
    const message = utf8('malleable?');
    const signature = fromHex(sign(secretKey, message));
    const s = fromLittleEndian(signature.subarray(32));
    for (const raised of [s + order, s + 2n * order, s + 7n * order]) {
      const forged = Uint8Array.of(...signature.subarray(0, 32), ...littleEndian(raised));
      const claim = { publicKey, message, signature: toHex(forged) as Signature };
      assert.equal(verifySignature(claim, false), false);
      assert.equal(verifySignature(claim, true), false);
    }
  });

  test('a signature is of one key and one message', () => {
    const message = utf8('pay bob');
    const signature = sign(secretKey, message);
    assert.equal(verifySignature({ publicKey, message, signature }, false), true);
    assert.equal(verifySignature({ publicKey, message: utf8('pay eve'), signature }, false), false);
    const other = developmentKeyPair('bob').publicKey;
    assert.equal(verifySignature({ publicKey: other, message, signature }, false), false);
  });
});

describe('what cannot be a signature is false, and never an exception', () => {
  const { publicKey, secretKey } = developmentKeyPair('alice');
  const message = utf8('message');
  const signature = sign(secretKey, message);
  // y = 2 is on no point of the curve.
  const noPoint = toHex(littleEndian(2n)) as PublicKey;
  const keys: [string, string][] = [
    ['no point', noPoint],
    ['all ones', 'ff'.repeat(32)],
    ['too short', publicKey.slice(2)],
    ['too long', `${publicKey}00`],
    ['empty', ''],
    ['not hex', 'z'.repeat(64)],
    ['half hex', `${publicKey.slice(0, 62)}zz`],
  ];
  const signatures: [string, string][] = [
    ['zeros', '00'.repeat(64)],
    ['all ones', 'ff'.repeat(64)],
    ['S of all ones', signature.slice(0, 64) + 'ff'.repeat(32)],
    ['S equal to the group order', signature.slice(0, 64) + toHex(littleEndian(order))],
    ['R no point', noPoint + signature.slice(64)],
    ['too short', signature.slice(2)],
    ['too long', `${signature}00`],
    ['empty', ''],
    ['not hex', 'z'.repeat(128)],
    ['half hex', `${signature.slice(0, 126)}zz`],
  ];

  for (const strict of [true, false]) {
    test(`bad keys (${strict ? 'strict' : 'by the rule'})`, () => {
      for (const [what, key] of keys) {
        const claim = { publicKey: key as PublicKey, message, signature };
        assert.equal(verifySignature(claim, strict), false, what);
      }
    });
    test(`bad signatures (${strict ? 'strict' : 'by the rule'})`, () => {
      for (const [what, text] of signatures) {
        const claim = { publicKey, message, signature: text as Signature };
        assert.equal(verifySignature(claim, strict), false, what);
      }
    });
  }

  test('the browser’s path says the same', () => {
    for (const [what, key] of keys) {
      assert.equal(verifyClaimZip215({ publicKey: key as PublicKey, message, signature }), false, what);
    }
    for (const [what, text] of signatures) {
      assert.equal(verifyClaimZip215({ publicKey, message, signature: text as Signature }), false, what);
    }
    assert.equal(verifyZip215(new Uint8Array(31), message, new Uint8Array(64)), false);
  });
});

describe('the self-test at node start', () => {
  for (const [name, implementation] of implementations) {
    test(`${name} passes on this machine`, () => assert.equal(selfTest(implementation), undefined));
  }

  const lenient = { ...nodeEd25519, verify: (): boolean => true };
  const deaf = { ...nodeEd25519, verify: (): boolean => false };
  const random = { ...nodeEd25519, signer: () => (): Uint8Array => new Uint8Array(64) };

  test('a library that accepts more than the rule is found', () => {
    const problem = selfTest(lenient);
    assert.equal(problem?.code, 'crypto/self-test');
    assert.match(problem.message, /corner case 6 .* accepted natively/);
  });

  test('one that accepts nothing is found', () => assert.match(selfTest(deaf)?.message ?? '', /rejected/));

  test('one that signs otherwise is found', () => {
    assert.match(selfTest(random)?.message ?? '', /native signing differs/);
  });
});
