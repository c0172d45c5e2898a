import { sliceHex } from './bytes.ts';

/** A power of two. */
const places = 4_096;
/** Of hashes and keys, which is what is read again and again. */
const textBytes = 32;

/**
 * The hex of bytes that were read lately: who signs, and which chain it is, stands in every transaction. One
 * text for all takes less room than one for each, and is found faster in a map, which then compares no
 * characters. Each place takes the last that its lowest bits name, so that is all it ever holds.
 */
const bytesAt = new Uint8Array(places * textBytes);
const textAt: (string | undefined)[] = Array.from({ length: places }, () => undefined);

export function knownHex(bytes: Uint8Array, start: number): string {
  const place = (((bytes[start] as number) << 8) | (bytes[start + 1] as number)) % places;
  const from = place * textBytes;
  const known = textAt[place];
  if (known !== undefined && isAt(from, bytes, start)) return known;
  const text = sliceHex(bytes, start, start + textBytes);
  for (let i = 0; i < textBytes; i++) bytesAt[from + i] = bytes[start + i] as number;
  textAt[place] = text;
  return text;
}

function isAt(from: number, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < textBytes; i++) if (bytesAt[from + i] !== bytes[start + i]) return false;
  return true;
}
