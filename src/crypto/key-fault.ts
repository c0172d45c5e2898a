import { isCurvePoint } from './curve-point.ts';
import { isForgeableKey } from './forgeable-key.ts';
import type { PublicKey } from './signature.ts';

/**
 * Why a key can be nobody's account, and no validator's; undefined when it can be somebody's. For a forgeable
 * one anybody can sign (`isForgeableKey`); for one that is no point of the curve nobody can, and what is sent
 * there is lost. Both are often a slip in a text of hex.
 */
export function keyFault(publicKey: PublicKey): 'forgeable' | 'off-curve' | undefined {
  if (isForgeableKey(publicKey)) return 'forgeable';
  return isCurvePoint(publicKey) ? undefined : 'off-curve';
}
