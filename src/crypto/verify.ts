import { fromHex } from '../base/bytes.ts';
import { Problem } from '../base/problem.ts';
import { cornerCases, plainCase } from './corner-cases.ts';
import { portableSign } from './keys.ts';
import { native, type NativeEd25519 } from './native.ts';
import type { SignatureClaim } from './signature.ts';
import { verifyZip215 } from './zip215.ts';

/**
 * One rule, two speeds. What the native verifier accepts, the consensus rule (ZIP-215, `zip215.ts`) accepts
 * too, so its yes is final. Its no is final only for a `strict` caller (a client's door); otherwise the rule
 * itself decides, because a block must not be valid on one node and invalid on another, and nobody is to be
 * blamed for what another library accepts. False for anything malformed; never throws.
 */
export function verifySignature(claim: SignatureClaim, strict: boolean): boolean {
  return verifyBytes(
    Buffer.from(claim.publicKey, 'hex'),
    claim.message,
    Buffer.from(claim.signature, 'hex'),
    strict,
  );
}

export function verifyBytes(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
  strict: boolean,
): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  if (native.verify(publicKey, message, signature)) return true;
  return !strict && native.verifyByRule(publicKey, message, signature);
}

/**
 * Checks on this machine that the two speeds are one rule: every published corner case has the verdict that
 * the table gives it, however the rule is computed, the native verifier accepts nothing else, and both sign
 * alike. To be run when a node starts.
 */
export function selfTest(implementation: NativeEd25519 = native): Problem | undefined {
  const failed = (what: string): Problem =>
    new Problem('crypto/self-test', `signature check: ${what} (${implementation.name})`, {
      remedy: 'Reinstall with "npm ci"; do not run a node whose signature check differs from the others.',
      details: { implementation: implementation.name, case: what },
    });
  const message = fromHex(plainCase.message);
  const plainSignature = fromHex(plainCase.signature);
  const secretKey = fromHex(plainCase.secretKey);
  if (!implementation.verify(fromHex(plainCase.publicKey), message, plainSignature)) {
    return failed('a valid signature is rejected');
  }
  if (portableSign(secretKey, message) !== plainCase.signature)
    return failed('signing differs from RFC 8032');
  if (Buffer.from(implementation.signer(secretKey)(message)).toString('hex') !== plainCase.signature) {
    return failed('native signing differs from RFC 8032');
  }
  for (const corner of cornerCases) {
    const publicKey = fromHex(corner.publicKey);
    const signature = fromHex(corner.signature);
    const valid = verifyZip215(publicKey, fromHex(corner.message), signature);
    if (valid !== corner.valid) {
      return failed(`corner case ${corner.number} (${corner.about}) is ${valid ? 'accepted' : 'rejected'}`);
    }
    if (implementation.verifyByRule(publicKey, fromHex(corner.message), signature) !== corner.valid) {
      return failed(`corner case ${corner.number} (${corner.about}) has another verdict natively`);
    }
    if (!corner.valid && implementation.verify(publicKey, fromHex(corner.message), signature)) {
      return failed(`corner case ${corner.number} (${corner.about}) is accepted natively`);
    }
  }
  return undefined;
}
