import { hashPairs, hashSize, pairBytes } from '../crypto/pair-hash.ts';

/**
 * Pairs that are hashed in one call: enough for the call to cost nothing, few enough to
 * stay near the processor.
 */
export const pairBatch = 1_024;
const input = new Uint8Array(pairBatch * pairBytes);
/** Where hashes come out; what was there is overwritten with each batch. */
export const pairOutputBytes = new Uint8Array(pairBatch * hashSize);

/** The same memory as words: pairs to be hashed, and their hashes. */
export const pairInput = new Int32Array(input.buffer);
export const pairOutput = new Int32Array(pairOutputBytes.buffer);

/** Hashes the first pairs of `pairInput` into `pairOutput`. */
export function hashBatch(count: number): void {
  hashPairs(input.subarray(0, count * pairBytes), pairOutputBytes.subarray(0, count * hashSize));
}
