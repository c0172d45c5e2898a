import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Point } from '@noble/ed25519';
import * as fc from 'fast-check';
import { fromHex, toHex } from '../../src/base/bytes.ts';
import { cornerCases } from '../../src/crypto/corner-cases.ts';
import { isCurvePoint } from '../../src/crypto/curve-point.ts';
import { elementOf, fieldPrime, multiply, newElement, valueOf } from '../../src/crypto/field.ts';
import { jacobi } from '../../src/crypto/jacobi.ts';
import { keyPairFromSeed } from '../../src/crypto/keys.ts';
import type { PublicKey } from '../../src/crypto/signature.ts';

/** By the strict rule of RFC 8032, as another library has it. */
function isPointByNoble(text: string): boolean {
  try {
    Point.fromBytes(fromHex(text), false);
    return true;
  } catch {
    return false;
  }
}

const isPoint = (text: string): boolean => isCurvePoint(text as PublicKey);

/** 32 bytes, the lowest first. */
const encoded = (y: bigint, sign: 0 | 1): string => {
  const value = y + (BigInt(sign) << 255n);
  return toHex(fromHex(value.toString(16).padStart(64, '0')).toReversed());
};

describe('a public key is a point of the curve, or not, as RFC 8032 has it', () => {
  test('with every y near 0, near the prime and near 2^255', () => {
    for (const start of [0n, fieldPrime - 60n, 2n ** 255n - 60n]) {
      for (let y = start; y < start + 60n; y++) {
        for (const sign of [0, 1] as const) {
          const text = encoded(y, sign);
          assert.equal(isPoint(text), isPointByNoble(text), text);
        }
      }
    }
  });

  test('at random, where half of all are', () => {
    let points = 0;
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const text = toHex(bytes);
        const expected = isPointByNoble(text);
        assert.equal(isPoint(text), expected, text);
        assert.equal(isPoint(text), expected, 'asked again');
        points += expected ? 1 : 0;
      }),
      { seed: 51, numRuns: 3_000 },
    );
    assert.ok(points > 1_000 && points < 2_000, `${points} of 3,000`);
  });

  test('also when many that begin alike take turns', () => {
    const texts = Array.from({ length: 40 }, (_, index) => encoded((BigInt(index) << 16n) + 0x1234n, 0));
    assert.ok(texts.filter(isPointByNoble).length > 10);
    for (let round = 0; round < 3; round++) {
      for (const text of texts) assert.equal(isPoint(text), isPointByNoble(text), text);
    }
  });

  test('and all keys that were made are; of small and of mixed order, too', () => {
    for (let seed = 0; seed < 100; seed++) {
      assert.ok(isPoint(keyPairFromSeed(new Uint8Array(32).fill(seed)).publicKey));
    }
    for (const { publicKey, about } of cornerCases) {
      assert.equal(isPoint(publicKey), !about.startsWith('non-canonical small-order A'), about);
    }
  });
});

const symbolOf = (value: bigint, batches?: number): number => jacobi(elementOf(value), batches);

describe('numbers of the field are multiplied as big integers are', () => {
  const edges = [0n, 1n, 18n, 19n, 20n, 2n ** 22n - 1n, 2n ** 242n, 2n ** 255n - 1n, 2n ** 256n - 1n];
  const number = fc.oneof(
    fc.constantFrom(...edges, ...edges.map((edge) => fieldPrime - (edge % fieldPrime))),
    fc.bigInt(0n, 2n ** 256n - 1n),
  );

  test('also those of the prime and above', () => {
    fc.assert(
      fc.property(number, number, (a, b) => {
        const result = newElement();
        multiply(elementOf(a), elementOf(b), result);
        assert.equal(valueOf(result), (a * b) % fieldPrime);
      }),
      { seed: 54, numRuns: 5_000 },
    );
  });
});

describe('whether a number is a square in the field', () => {
  const symbols = [0n, 1n, 2n, 3n, 4n, fieldPrime - 1n, fieldPrime - 2n, fieldPrime - 4n];
  const powers = Array.from({ length: 255 }, (_, bit) => 1n << BigInt(bit));
  const tried = [
    ...symbols,
    ...powers,
    ...powers.map((power) => power - 1n),
    ...powers.map((power) => fieldPrime - power),
  ].filter((value) => value >= 0n && value < fieldPrime);

  test('is said alike by its steps and by Euler’s criterion', () => {
    for (const value of tried) assert.equal(symbolOf(value), symbolOf(value, 0), `${value}`);
    fc.assert(
      fc.property(fc.bigInt(0n, fieldPrime - 1n), (value) => {
        const symbol = symbolOf(value);
        assert.equal(symbol, symbolOf(value, 0));
        assert.equal(symbol, symbolOf(value, 5), 'and when the steps end too late');
      }),
      { seed: 52, numRuns: 500 },
    );
  });

  test('and every square is one', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, fieldPrime - 1n), (root) => {
        const square = (root * root) % fieldPrime;
        assert.equal(symbolOf(square), 1);
        assert.equal(symbolOf((2n * square) % fieldPrime), -1, '2 is none in this field');
      }),
      { seed: 53, numRuns: 500 },
    );
  });
});
