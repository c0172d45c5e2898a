import {
  createPrivateKey,
  createPublicKey,
  sign as signWithNode,
  verify as verifyWithNode,
} from 'node:crypto';
import { createRequire } from 'node:module';
import { invariant } from '../base/invariant.ts';
import { type PointArithmetic, verifyCofactored } from './cofactored.ts';
import { seedBytes } from './keys.ts';
import type { PublicKey, Signature } from './signature.ts';
import { verifyZip215 } from './zip215.ts';

/** The part of sodium-native that is used here; the package has no types of its own. */
interface Sodium extends PointArithmetic {
  crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void;
  crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void;
  crypto_sign_verify_detached(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
}

/** One native implementation of Ed25519, over bytes. */
export interface NativeEd25519 {
  readonly name: 'sodium-native' | 'node:crypto';
  /** Prepares a key once; the function it returns signs by RFC 8032, section 5.1.6. */
  signer(seed: Uint8Array): (message: Uint8Array) => Uint8Array;
  /** `publicKey` has 32 bytes and `signature` 64; anything else about them may be wrong. Never throws. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** The consensus rule itself, slower: for what `verify` refuses. Never throws. */
  verifyByRule(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}

function withSodium(sodium: Sodium): NativeEd25519 {
  return {
    name: 'sodium-native',
    signer(seed) {
      const publicKey = new Uint8Array(32);
      const expanded = new Uint8Array(64);
      sodium.crypto_sign_seed_keypair(publicKey, expanded, seed);
      return (message) => {
        const signature = new Uint8Array(64);
        sodium.crypto_sign_detached(signature, message, expanded);
        return signature;
      };
    },
    verify: (publicKey, message, signature) =>
      sodium.crypto_sign_verify_detached(signature, message, publicKey),
    verifyByRule: (publicKey, message, signature) => verifyCofactored(sodium, publicKey, message, signature),
  };
}

/** What stands before the 32 raw bytes in the DER form of a key (RFC 8410, sections 4 and 7). */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Needs no package, and is about half as fast as sodium; by the rule, far slower. */
export const nodeEd25519: NativeEd25519 = {
  name: 'node:crypto',
  signer(seed) {
    const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
    return (message) => new Uint8Array(signWithNode(null, message, key));
  },
  verify(publicKey, message, signature) {
    try {
      const key = createPublicKey({
        key: Buffer.concat([spkiPrefix, publicKey]),
        format: 'der',
        type: 'spki',
      });
      return verifyWithNode(null, message, key, signature);
    } catch {
      // OpenSSL throws for some keys that are no points; for us they are keys that signed nothing.
      return false;
    }
  },
  verifyByRule: verifyZip215,
};

/** sodium-native, or undefined on a machine for which it has no prebuilt binary. */
export const sodiumEd25519: NativeEd25519 | undefined = loadSodium();

function loadSodium(): NativeEd25519 | undefined {
  try {
    return withSodium(createRequire(import.meta.url)('sodium-native') as Sodium);
  } catch {
    return undefined;
  }
}

/**
 * The fastest that this machine has. Both accept a subset of the consensus rule (`selfTest` in `verify.ts`).
 */
export const native: NativeEd25519 = sodiumEd25519 ?? nodeEd25519;

/** A function that signs with one key, prepared once: for a validator, which signs all day. */
export function nativeSigner(secretKey: Uint8Array): (message: Uint8Array) => Signature {
  invariant(secretKey.length === seedBytes, `a secret key has ${seedBytes} bytes`);
  const sign = native.signer(secretKey);
  return (message) => Buffer.from(sign(message)).toString('hex') as Signature;
}

/** The same signature as `sign` of `keys.ts`, natively. */
export function nativeSign(secretKey: Uint8Array, message: Uint8Array): Signature {
  return nativeSigner(secretKey)(message);
}

/** Whether the native verifier accepts. False for anything malformed; never throws. */
export function nativeVerify(publicKey: PublicKey, message: Uint8Array, signature: Signature): boolean {
  const key = Buffer.from(publicKey, 'hex');
  const bytes = Buffer.from(signature, 'hex');
  return key.length === 32 && bytes.length === 64 && native.verify(key, message, bytes);
}
