import { hashPairs, hashSize, pairBytes } from '../crypto/pair-hash.ts';

/**
 * Pairs that are hashed in one call: enough for the call to cost nothing, few enough to
 * stay near the processor.
 */
export const pairBatch = 1_024;
const input = new Uint8Array(pairBatch * pairBytes);
const output = new Uint8Array(pairBatch * hashSize);

/** The same memory as words: pairs to be hashed, and their hashes. */
export const pairInput = new Int32Array(input.buffer);
export const pairOutput = new Int32Array(output.buffer);

/** Hashes the first pairs into `pairOutput`: those of `pairInput`, unless others are given. */
export function hashBatch(count: number, pairs: Uint8Array = input): void {
  hashPairs(pairs.subarray(0, count * pairBytes), output.subarray(0, count * hashSize));
}
