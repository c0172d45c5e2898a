import { sha256 } from '@noble/hashes/sha2.js';
import { utf8 } from '../base/bytes.ts';
import { invariant } from '../base/invariant.ts';
import { type KeyPair, keyPairFromSeed } from './keys.ts';
import type { PublicKey } from './signature.ts';

/** Accounts and validators for test networks. Everybody knows their secret keys. */
export const developmentKeyNames: readonly string[] = [
  'alice',
  'bob',
  'carol',
  ...Array.from({ length: 16 }, (_, index) => `validator-${index}`),
];

const made = new Map<string, KeyPair>();
let nameOf: Map<PublicKey, string> | undefined;

/** The well-known key pair of a name in `developmentKeyNames`: its seed is the SHA-256 of a public text. */
export function developmentKeyPair(name: string): KeyPair {
  invariant(developmentKeyNames.includes(name), `"${name}" is the name of a development key`);
  let pair = made.get(name);
  if (pair === undefined) {
    pair = keyPairFromSeed(sha256(utf8(`quorate/v1/development-key/${name}`)));
    made.set(name, pair);
  }
  return pair;
}

/**
 * The development key's name, or undefined for a key that is not one. A chain of real value
 * must refuse the named ones.
 */
export function isDevelopmentKey(publicKey: PublicKey): string | undefined {
  nameOf ??= new Map(developmentKeyNames.map((name) => [developmentKeyPair(name).publicKey, name]));
  return nameOf.get(publicKey);
}
