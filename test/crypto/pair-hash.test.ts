import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { nativePairHash, pairProblem, useNativeHash } from '../../src/crypto/native-hash.ts';
import { hashPairs, pairHashName, plainPairHash, usePairHash } from '../../src/crypto/pair-hash.ts';

/** Levels of a tree as they come: any number of pairs, of any bytes. */
const level = fc
  .tuple(fc.integer({ min: 0, max: 200 }), fc.nat())
  .map(([pairs, seed]) =>
    Uint8Array.from({ length: 64 * pairs }, (_, i) => Math.imul(i + 1, seed + i) >>> 11),
  );

function expected(input: Uint8Array): Uint8Array {
  const output = new Uint8Array(input.length / 2);
  for (let at = 0; at < input.length; at += 64) {
    output.set(
      createHash('sha256')
        .update(input.subarray(at, at + 64))
        .digest(),
      at / 2,
    );
  }
  return output;
}

test('every hasher of pairs gives SHA-256 of each, on levels of any size', () => {
  const all = nativePairHash === undefined ? [plainPairHash] : [plainPairHash, nativePairHash];
  for (const { hashPairs: hash, name } of all) {
    fc.assert(
      fc.property(level, fc.nat(64), (input, before) => {
        // Also in the midst of larger memory, which is how trees give it.
        const memory = new Uint8Array(before + input.length);
        memory.set(input, before);
        const output = new Uint8Array(3 + input.length / 2).fill(9);
        hash(memory.subarray(before), output.subarray(3));
        assert.deepEqual(output.subarray(3), expected(input), name);
        assert.deepEqual(output.subarray(0, 3), Uint8Array.of(9, 9, 9));
      }),
      { seed: 51, numRuns: 200 },
    );
  }
});

test('the machines on which this is built have the native one', () => {
  if (process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)) assert.ok(nativePairHash);
});

test('the native one is used where it is there, under its name', () => {
  usePairHash(plainPairHash);
  assert.equal(pairHashName(), 'one by one');
  useNativeHash();
  assert.equal(pairHashName(), nativePairHash === undefined ? 'one by one' : 'hashtree');
  const output = new Uint8Array(32);
  hashPairs(new Uint8Array(64), output);
  assert.deepEqual(output, expected(new Uint8Array(64)));
});

test('a native hasher that is wrong, for whatever number of pairs, is found before it is used', () => {
  assert.equal(pairProblem(plainPairHash), undefined);
  for (const wrongFrom of [1, 2, 5, 16, 33]) {
    const wrong = {
      name: 'wrong',
      hashPairs(input: Uint8Array, output: Uint8Array): void {
        plainPairHash.hashPairs(input, output);
        if (input.length >= 64 * wrongFrom) output[output.length - 1] = (output.at(-1) ?? 0) ^ 1;
      },
    };
    assert.match(pairProblem(wrong) ?? '', /^wrong is not SHA-256/);
  }
  assert.match(
    pairProblem({
      name: 'throws',
      hashPairs: () => {
        throw new Error('no such instruction');
      },
    }) ?? '',
    /no such instruction/,
  );
});
