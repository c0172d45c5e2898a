import { hashPairs, hashSize, pairBytes } from '../crypto/pair-hash.ts';

/**
 * Pairs that are hashed in one call: enough for the call to cost nothing, few enough to
 * stay near the processor.
 */
export const pairBatch = 1_024;
/** A hash in words of 32 bits. */
export const hashWords = 8;
const input = new Uint8Array(pairBatch * pairBytes);
const output = new Uint8Array(pairBatch * hashSize);

/** The same memory as words: pairs to be hashed, and their hashes. */
export const pairInput = new Int32Array(input.buffer);
export const pairOutput = new Int32Array(output.buffer);

/** Copies the hash at a place of some hashes to a place of others. */
export function copyHash(source: Int32Array, from: number, target: Int32Array, to: number): void {
  const start = from * hashWords;
  const at = to * hashWords;
  // Not a loop, each step of which costs as much as the copying; nor by 64 bits, which only V8's last
  // compiler does without making an object of each.
  target[at] = source[start] as number;
  target[at + 1] = source[start + 1] as number;
  target[at + 2] = source[start + 2] as number;
  target[at + 3] = source[start + 3] as number;
  target[at + 4] = source[start + 4] as number;
  target[at + 5] = source[start + 5] as number;
  target[at + 6] = source[start + 6] as number;
  target[at + 7] = source[start + 7] as number;
}

/** Hashes the first pairs into `pairOutput`: those of `pairInput`, unless others are given. */
export function hashBatch(count: number, pairs: Uint8Array = input): void {
  hashPairs(pairs.subarray(0, count * pairBytes), output.subarray(0, count * hashSize));
}
