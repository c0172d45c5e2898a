import { writeHex } from '../base/bytes.ts';
import { elementOf, fieldPrime, isBelowPrime, multiply, newElement, readElement } from './field.ts';
import { jacobi } from './jacobi.ts';
import type { PublicKey } from './signature.ts';

/** The curve's constant d (RFC 8032, section 5.1). */
const d = elementOf(37095705934669439343138083508754565189542113879843219016388785533085940283555n);
const minusOne = elementOf(fieldPrime - 1n);

const bytes = new Uint8Array(32);
const words = new Uint32Array(bytes.buffer);

/** A power of two. Each set has room for eight keys: 4 MiB in all, and no object. */
const sets = 16_384;
const setWords = 8 * words.length;
/**
 * Keys that were found to be points, each in the set that its lowest bits name, the newest first: most keys
 * are seen again and again. Only spares work. What was never written reads as y = 0, which is one.
 */
const known = new Uint32Array(sets * setWords);

const y = newElement();
const u = newElement();
const v = newElement();

/**
 * Whether a public key is the encoding of a point of the curve (RFC 8032, section 5.1.3): y is below the
 * prime, there is an x with -x² + y² = 1 + d x² y², and an x of 0 has no sign. Half of all texts of 32 bytes
 * are none, and then nobody has a secret key for it. Points of any order are taken, as ZIP-215 takes them. It
 * finds no x, but only whether there is one, with the same arithmetic on every machine: no library decides,
 * because libraries differ in what they take for a point.
 */
export function isCurvePoint(publicKey: PublicKey): boolean {
  if (!writeHex(bytes, 0, publicKey)) throw new Error('this is not hex');
  const set = ((words[0] as number) % sets) * setWords;
  for (let at = set; at < set + setWords; at += words.length) if (isAt(at)) return true;
  if (!isPoint()) return false;
  // The oldest goes.
  known.copyWithin(set + words.length, set, set + setWords - words.length);
  known.set(words, set);
  return true;
}

function isAt(at: number): boolean {
  for (let i = 0; i < words.length; i++) if (known[at + i] !== words[i]) return false;
  return true;
}

/** Of the bytes of a key. */
function isPoint(): boolean {
  const last = bytes[31] as number;
  bytes[31] = last & 0x7f;
  readElement(bytes, y);
  bytes[31] = last;
  if (!isBelowPrime(y)) return false;
  // x² = u / v, and u / v is a square when u v is: they differ by v². v is never 0.
  multiply(y, y, y);
  multiply(d, y, v);
  (v[0] as number) += 1;
  for (let i = 0; i < u.length; i++) u[i] = (y[i] as number) + (minusOne[i] as number);
  multiply(u, v, u);
  const symbol = jacobi(u);
  return symbol === 1 || (symbol === 0 && last < 0x80);
}
