import { hash } from 'node:crypto';
import { createRequire } from 'node:module';
import { type Sha256, useSha256 } from './hash.ts';
import { type PairHash, usePairHash } from './pair-hash.ts';

function into(data: Uint8Array, target: Uint8Array, at: number): void {
  const digest = hash('sha256', data, 'binary');
  for (let i = 0; i < 32; i++) target[at + i] = digest.charCodeAt(i);
}

/**
 * SHA-256 of OpenSSL: two to five times as fast as the portable one. The digest comes out of OpenSSL as text,
 * which is faster than as bytes even when bytes are wanted.
 */
const nativeSha256: Sha256 = {
  hex: (data) => hash('sha256', data, 'hex'),
  bytes(data) {
    const bytes = new Uint8Array(32);
    into(data, bytes, 0);
    return bytes;
  },
  into,
};

/** The part of @chainsafe/hashtree that is used here. */
interface HashTree {
  readonly hashInto: (input: Uint8Array, output: Uint8Array) => void;
}

/**
 * As many pairs as it takes to see its ways for one, for as many as the processor does at once,
 * and for what is left over.
 */
const testedPairs = 40;

/**
 * Pairs hashed many at a time in the processor's vector units, or undefined on a machine for which
 * it has no prebuilt binary.
 */
export const nativePairHash: PairHash | undefined = loadHashTree();

function loadHashTree(): PairHash | undefined {
  try {
    const { hashInto } = createRequire(import.meta.url)('@chainsafe/hashtree') as HashTree;
    const found = { name: 'hashtree', hashPairs: hashInto };
    return pairProblem(found) === undefined ? found : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What is wrong with a hasher of pairs: one that is not exactly SHA-256 on this processor
 * would fork this node off.
 */
export function pairProblem({ name, hashPairs }: PairHash): string | undefined {
  const input = Uint8Array.from({ length: 64 * testedPairs }, (_, i) => (i * 151 + (i >>> 6)) & 0xff);
  try {
    for (let pairs = 1; pairs <= testedPairs; pairs++) {
      const output = new Uint8Array(32 * pairs);
      hashPairs(input.subarray(0, 64 * pairs), output);
      for (let pair = 0; pair < pairs; pair++) {
        const digest = nativeSha256.bytes(input.subarray(64 * pair, 64 * (pair + 1)));
        if (digest.some((byte, i) => byte !== output[32 * pair + i])) {
          return `${name} is not SHA-256 for pair ${pair} of ${pairs}`;
        }
      }
    }
  } catch (failure) {
    return `${name} fails: ${String(failure)}`;
  }
  return undefined;
}

/** From now on this process hashes natively. */
export function useNativeHash(): void {
  useSha256(nativeSha256);
  if (nativePairHash !== undefined) usePairHash(nativePairHash);
}
