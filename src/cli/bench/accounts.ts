import { generateKeyPairSync } from 'node:crypto';
import { toHex } from '../../base/bytes.ts';
import { seedBytes } from '../../crypto/keys.ts';
import type { KeyPair } from '../../crypto/keys.ts';
import type { PublicKey } from '../../crypto/signature.ts';

/** Accounts of one run: those that send, and those that are only there and get coins. */
export interface Accounts {
  readonly senders: readonly KeyPair[];
  readonly others: readonly PublicKey[];
}

/**
 * Keys that were never used: two runs on one chain never meet, and every sender begins with nonce 0. All of
 * them are keys that somebody could hold. Of those that only receive the secret half is forgotten.
 */
export function newAccounts(senders: number, all: number): Accounts {
  return {
    senders: Array.from({ length: senders }, newKeyPair),
    others: Array.from({ length: Math.max(0, all - senders) }, () => newKeyPair().publicKey),
  };
}

/** By OpenSSL, which makes a key four times as fast as the portable code. */
function newKeyPair(): KeyPair {
  const pair = generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  });
  // The raw key is the end of both encodings (RFC 8410, sections 4 and 7).
  return {
    publicKey: toHex(pair.publicKey.subarray(-seedBytes)) as PublicKey,
    secretKey: Uint8Array.from(pair.privateKey.subarray(-seedBytes)),
  };
}
