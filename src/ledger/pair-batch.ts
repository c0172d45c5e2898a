import { hashPairs, hashSize, pairBytes } from '../crypto/pair-hash.ts';

/**
 * Pairs that are hashed in one call: enough for the call to cost nothing, few enough to
 * stay near the processor.
 */
export const pairBatch = 1_024;
/** A hash in words of 64 bits: it is copied by those, which is twice as fast as by 32 bits. */
export const hashLongs = 4;
const input = new Uint8Array(pairBatch * pairBytes);
const output = new Uint8Array(pairBatch * hashSize);

/** The same memory as words: pairs to be hashed, and their hashes. */
export const pairInput = new BigInt64Array(input.buffer);
export const pairOutput = new BigInt64Array(output.buffer);

/** Copies the hash at a place of some hashes to a place of others. */
export function copyHash(source: BigInt64Array, from: number, target: BigInt64Array, to: number): void {
  const [start, at] = [from * hashLongs, to * hashLongs];
  // Not a loop: each step of one costs as much as the copying.
  target[at] = source[start] as bigint;
  target[at + 1] = source[start + 1] as bigint;
  target[at + 2] = source[start + 2] as bigint;
  target[at + 3] = source[start + 3] as bigint;
}

/** Hashes the first pairs into `pairOutput`: those of `pairInput`, unless others are given. */
export function hashBatch(count: number, pairs: Uint8Array = input): void {
  hashPairs(pairs.subarray(0, count * pairBytes), output.subarray(0, count * hashSize));
}
