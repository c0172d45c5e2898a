import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { Buffer } from 'buffer';

// What the simulator needs of node:crypto, in a browser. Signatures are those of the simulator's fast scheme.

const digests: Readonly<Record<string, (data: Uint8Array) => Uint8Array>> = { sha256, sha512 };

export function hash(algorithm: string, data: Uint8Array | string, encoding = 'hex'): string | Buffer {
  const digest = digests[algorithm];
  if (digest === undefined) throw new Error(`there is no ${algorithm} here`);
  const bytes = Buffer.from(digest(typeof data === 'string' ? Buffer.from(data) : data));
  return encoding === 'buffer' ? bytes : bytes.toString(encoding as 'hex');
}

const missing = (): never => {
  throw new Error('this takes Node');
};
export const createPrivateKey: () => never = missing;
export const createPublicKey: () => never = missing;
export const sign: () => never = missing;
export const verify: () => never = missing;
