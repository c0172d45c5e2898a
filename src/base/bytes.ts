import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { Problem } from './problem.ts';

export const toHex = bytesToHex;
/** Bytes of a hex text that our own code made; for outside input use `parseHex`. */
export const fromHex = hexToBytes;
export const concat = concatBytes;
export const utf8 = utf8ToBytes;

/** Bytes of lower-case hex of an exact length, or a problem that names the field. */
export function parseHex(text: string, length: number, field: string): Uint8Array | Problem {
  if (text.length === length * 2 && /^[0-9a-f]*$/.test(text)) return hexToBytes(text);
  return new Problem('codec/hex', `${field} must be ${length} bytes in lower-case hex`, {
    remedy: `Write ${field} as exactly ${length * 2} characters of 0-9 and a-f, without 0x.`,
    details: { field, length },
  });
}

/** Lexicographic order of byte strings: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return compareBytes(a, b) === 0;
}
