import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHex, utf8 } from '../../src/base/bytes.ts';
import { InvariantError } from '../../src/base/invariant.ts';
import { cornerCases } from '../../src/crypto/corner-cases.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { portableSign, sign } from '../../src/crypto/keys.ts';
import { useNativeEd25519 } from '../../src/crypto/native-ed25519.ts';
import type { PublicKey, Signature, SignatureClaim } from '../../src/crypto/signature.ts';
import { verifyClaimZip215 } from '../../src/crypto/zip215.ts';

const { publicKey, secretKey } = developmentKeyPair('alice');
const message = utf8('a message');

test('what is native signs the same bytes and gives the same verdicts', () => {
  const before = sign(secretKey, message);
  useNativeEd25519();
  assert.throws(() => sign(new Uint8Array(31), message), InvariantError, 'it is native now');
  assert.equal(sign(secretKey, message), before);
  assert.equal(portableSign(secretKey, message), before);
  const good: SignatureClaim = { publicKey, message, signature: before };
  assert.ok(verifyClaimZip215(good));
  assert.ok(!verifyClaimZip215({ ...good, message: utf8('another') }));
  for (const odd of ['', 'z'.repeat(64), `${publicKey}00`])
    assert.ok(!verifyClaimZip215({ ...good, publicKey: odd as PublicKey }));
  for (const corner of cornerCases) {
    const claim = {
      publicKey: corner.publicKey as PublicKey,
      message: fromHex(corner.message),
      signature: corner.signature as Signature,
    };
    assert.equal(verifyClaimZip215(claim), corner.valid, corner.about);
  }
});
