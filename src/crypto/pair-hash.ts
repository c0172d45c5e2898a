import { sha256Into } from './hash.ts';

/** What a pair has: two hashes, left and right. */
export const pairBytes = 64;
export const hashSize = 32;

/** SHA-256 of many messages of exactly 64 bytes: the branches of a tree, a whole level at a time. */
export interface PairHash {
  /** For people: status, log, benchmark. */
  readonly name: string;
  /** `output[i]` is the hash of `input[i]`; they are 64 and 32 bytes apart, and do not overlap. */
  readonly hashPairs: (input: Uint8Array, output: Uint8Array) => void;
}

/** One after the other, by the SHA-256 that `useSha256` chose. */
export const plainPairHash: PairHash = {
  name: 'one by one',
  hashPairs(input, output) {
    for (let from = 0, to = 0; from < input.length; from += pairBytes, to += hashSize) {
      sha256Into(input.subarray(from, from + pairBytes), output, to);
    }
  },
};

let implementation: PairHash = plainPairHash;

/** Replaces the one in use with a faster one. A process does it once, when it starts (`native-hash.ts`). */
export function usePairHash(faster: PairHash): void {
  implementation = faster;
}

export function pairHashName(): string {
  return implementation.name;
}

/** The hashes of whole pairs, in one call. */
export function hashPairs(input: Uint8Array, output: Uint8Array): void {
  implementation.hashPairs(input, output);
}
