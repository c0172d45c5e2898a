import { getPublicKey, hashes, sign as signBytes } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import { randomBytes } from '@noble/hashes/utils.js';
import { toHex } from '../base/bytes.ts';
import { invariant } from '../base/invariant.ts';
import type { PublicKey, Signature } from './signature.ts';

hashes.sha512 = sha512;

/** Size of a secret key: the 32-byte seed of RFC 8032, section 5.1.5. */
export const seedBytes = 32;

/** An Ed25519 key pair. Whoever has the secret key is the account or the validator. */
export interface KeyPair {
  readonly publicKey: PublicKey;
  /** The 32-byte seed of RFC 8032, section 5.1.5; not the 64-byte form of other libraries. */
  readonly secretKey: Uint8Array;
}

/** The key pair of a 32-byte seed. The seed is copied. */
export function keyPairFromSeed(seed: Uint8Array): KeyPair {
  invariant(seed.length === seedBytes, `a seed has ${seedBytes} bytes`);
  const secretKey = Uint8Array.from(seed);
  return { publicKey: toHex(getPublicKey(secretKey)) as PublicKey, secretKey };
}

/** A fresh key pair from the system's secure randomness. */
export function generateKeyPair(): KeyPair {
  return keyPairFromSeed(randomBytes(seedBytes));
}

/** Makes the Ed25519 signature of a message (RFC 8032, section 5.1.6). */
type Sign = (secretKey: Uint8Array, message: Uint8Array) => Signature;

/** In JavaScript, as browsers do it. */
export const portableSign: Sign = (secretKey, message) => toHex(signBytes(message, secretKey)) as Signature;

let implementation = portableSign;

/** Replaces the one in use with a faster one. A process does it once (`native-ed25519.ts`). */
export function useSign(faster: Sign): void {
  implementation = faster;
}

/**
 * The Ed25519 signature of a message (RFC 8032, section 5.1.6): the same bytes for the same key and
 * message, always. `message` starts with its domain's prefix.
 */
export function sign(secretKey: Uint8Array, message: Uint8Array): Signature {
  return implementation(secretKey, message);
}
