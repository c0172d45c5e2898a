import { bytesToHex } from '@noble/hashes/utils.js';
import { Problem } from './problem.ts';

/** Browsers have none. Where there is one, it is the fastest at making hex. */
const NodeBuffer = (globalThis as { readonly Buffer?: typeof Buffer }).Buffer;

/**
 * All of the memory of which text was made last: much is read from one frame or block, and a Buffer costs
 * more than the text. It keeps one of those alive.
 */
let memory: ArrayBufferLike | undefined;
let memoryBuffer: Buffer | undefined;

function bufferOf(bytes: Uint8Array, Constructor: typeof Buffer): Buffer {
  if (memoryBuffer === undefined || memory !== bytes.buffer) {
    memory = bytes.buffer;
    memoryBuffer = Constructor.from(bytes.buffer);
  }
  return memoryBuffer;
}

/** The bytes from `start` up to, and without, `end` in lower-case hex. */
export function sliceHex(bytes: Uint8Array, start: number, end: number): string {
  if (NodeBuffer === undefined) return bytesToHex(bytes.subarray(start, end));
  const { byteOffset } = bytes;
  return bufferOf(bytes, NodeBuffer).toString('hex', byteOffset + start, byteOffset + end);
}

export function toHex(bytes: Uint8Array): string {
  return sliceHex(bytes, 0, bytes.length);
}

/** More than any digit is worth. */
const noDigit = 16;
const digits = new Uint8Array(128).fill(noDigit);
for (let value = 0; value < noDigit; value++) {
  const digit = value.toString(16);
  digits[digit.charCodeAt(0)] = value;
  digits[digit.toUpperCase().charCodeAt(0)] = value;
}

/**
 * Writes the bytes of a hex text where there is room for them; false when it is not hex throughout. Not by
 * Node's Buffer, which takes U+0130 for a zero, and is slower.
 */
export function writeHex(bytes: Uint8Array, at: number, text: string): boolean {
  if (text.length % 2 !== 0) return false;
  let seen = 0;
  for (let from = 0, to = at; from < text.length; from += 2, to++) {
    const high = digits[text.charCodeAt(from)] ?? noDigit;
    const low = digits[text.charCodeAt(from + 1)] ?? noDigit;
    seen |= high | low;
    bytes[to] = (high << 4) | low;
  }
  return seen < noDigit;
}

/** Bytes of a hex text that our own code made; for outside input use `parseHex`. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length >>> 1);
  if (!writeHex(bytes, 0, text)) throw new Error('this is not hex');
  return bytes;
}

/** All bytes one behind the other, in memory of their own. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (let index = 0; index < parts.length; index++) size += (parts[index] as Uint8Array).length;
  const joined = new Uint8Array(size);
  let at = 0;
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as Uint8Array;
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** The ASCII text from `start` up to, and without, `end`; undefined when it is none. */
export function sliceAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (NodeBuffer === undefined) return undefined;
  for (let at = start; at < end; at++) if ((bytes[at] as number) >= 0x80) return undefined;
  const { byteOffset } = bytes;
  return bufferOf(bytes, NodeBuffer).toString('latin1', byteOffset + start, byteOffset + end);
}

/**
 * Text of bytes, without a byte order mark; undefined when they are not UTF-8: what a lenient reader would
 * put in their place was never written, and two texts could become one.
 */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Bytes of lower-case hex of an exact length, or a problem that names the field. */
export function parseHex(text: string, length: number, field: string): Uint8Array | Problem {
  if (text.length === length * 2 && /^[0-9a-f]*$/.test(text)) return fromHex(text);
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
