import { Point } from '@noble/ed25519';
import type { Problem } from '../base/problem.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { Genesis } from './genesis.ts';
import { genesisProblem } from './genesis-file.ts';

/**
 * Checks that each validator's key can be somebody's: a point in its one encoding (RFC 8032, section 5.1.3),
 * and not of small order, for which anybody can make signatures. A slip in 64 characters of hex gives a key
 * that nobody holds, and a validator that never votes. Apart from `parseGenesis`, which knows no signature
 * scheme; a node asks it before it starts.
 */
export function checkValidatorKeys(genesis: Genesis): Problem | undefined {
  for (const [index, { name, publicKey }] of genesis.validators.entries()) {
    if (isUsableKey(publicKey)) continue;
    return genesisProblem(
      `validators[${index}].publicKey`,
      `is no key that "${name}" can sign with`,
      `Copy the address of ${name} again ("quorate keys show NAME"): nobody can hold this one.`,
    );
  }
  return undefined;
}

/** Somebody can hold it: a point in its one encoding, and not of small order. */
export function isUsableKey(publicKey: PublicKey): boolean {
  try {
    return !Point.fromHex(publicKey).isSmallOrder();
  } catch {
    // Not a point on the curve.
    return false;
  }
}
