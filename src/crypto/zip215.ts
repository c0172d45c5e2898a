import { hashes, verify } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import { fromHex } from '../base/bytes.ts';
import type { SignatureClaim } from './signature.ts';

hashes.sha512 = sha512;

/**
 * The consensus rule for signatures: ZIP-215 (https://zips.z.cash/zip-0215), as @noble/ed25519 has it by
 * default. S below the group order, points in any encoding, and the equation with the cofactor. It decides
 * what is valid on every node, forever. Slow (milliseconds); browsers use it alone, nodes through
 * `verify.ts`. False for anything malformed; never throws.
 */
export function verifyZip215(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  return verify(signature, message, publicKey, { zip215: true });
}

type ClaimCheck = (claim: SignatureClaim) => boolean;

let claimCheck: ClaimCheck = (claim) => {
  try {
    return verifyZip215(fromHex(claim.publicKey), claim.message, fromHex(claim.signature));
  } catch {
    // Not hex: a key or signature that nobody can have made.
    return false;
  }
};

/** Replaces the check of claims with a faster one of the same rule (`native-ed25519.ts`). */
export function useClaimCheck(faster: ClaimCheck): void {
  claimCheck = faster;
}

/** The same for a claim in its in-memory form. */
export function verifyClaimZip215(claim: SignatureClaim): boolean {
  return claimCheck(claim);
}
