import { hash as digest } from 'node:crypto';
import type { Hash } from '../../crypto/hash.ts';

/* The bytes of numbers, hex and hashes once more, sharing no code with the codec. */

type Domain =
  | 'block'
  | 'receipt'
  | 'merkle-root'
  | 'state-leaf'
  | 'state-key'
  | 'state-value'
  | 'validators'
  | 'raft/configuration';

export const zero = Buffer.alloc(32);

export function tagged(domain: Domain, ...parts: readonly Uint8Array[]): Buffer {
  return digest('sha256', Buffer.concat([Buffer.from(`quorate/v1/${domain}\0`), ...parts]), 'buffer');
}

/** The one hash without a domain: over exactly 64 bytes, as many as no leaf has. */
export function pair(left: Buffer, right: Buffer): Buffer {
  return digest('sha256', Buffer.concat([left, right], 64), 'buffer');
}

export const hex = (text: string): Buffer => Buffer.from(text, 'hex');
export const named = (bytes: Buffer): Hash => bytes.toString('hex') as Hash;

/** A number of 1 to 8 bytes, the highest byte first. */
export function number(value: number | bigint, bytes: number): Buffer {
  return hex(value.toString(16).padStart(2 * bytes, '0'));
}

/** One byte, and what is behind a 1. */
export const maybe = <T>(value: T | null, bytes: (value: T) => readonly Uint8Array[]): Uint8Array[] =>
  value === null ? [number(0, 1)] : [number(1, 1), ...bytes(value)];
