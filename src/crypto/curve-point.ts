import { BoundedMap } from '../base/bounded-map.ts';
import { fromHex } from '../base/bytes.ts';
import { fieldPrime, jacobi } from './jacobi.ts';
import type { PublicKey } from './signature.ts';

/** The curve's constant d (RFC 8032, section 5.1). */
const d = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

const mostKnown = 32_768;
/** Keys that were found to be points: most are seen again and again. Only spares work. */
const known = new BoundedMap<PublicKey, true>(mostKnown);

/**
 * Whether a public key is the encoding of a point of the curve (RFC 8032, section 5.1.3): y is below the
 * prime, there is an x with -x² + y² = 1 + d x² y², and an x of 0 has no sign. Half of all texts of 32 bytes
 * are none, and then nobody has a secret key for it. Points of any order are taken, as ZIP-215 takes them. It
 * finds no x, but only whether there is one, with the same arithmetic on every machine: no library decides,
 * because libraries differ in what they take for a point.
 */
export function isCurvePoint(publicKey: PublicKey): boolean {
  if (known.has(publicKey)) return true;
  const bytes = fromHex(publicKey);
  const view = new DataView(bytes.buffer);
  const sign = (bytes[31] as number) >> 7;
  bytes[31] = (bytes[31] as number) & 0x7f;
  let y = 0n;
  for (let at = 24; at >= 0; at -= 8) y = (y << 64n) | view.getBigUint64(at, true);
  if (y >= fieldPrime) return false;
  // x² = u / v, and u / v is a square when u v is: they differ by v². v is never 0.
  const square = (y * y) % fieldPrime;
  const u = square - 1n + fieldPrime;
  const v = (d * square + 1n) % fieldPrime;
  const symbol = jacobi((u * v) % fieldPrime);
  if (symbol === -1 || (symbol === 0 && sign === 1)) return false;
  known.set(publicKey, true);
  return true;
}
