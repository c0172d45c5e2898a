import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { compareBytes, equalBytes, fromHex, parseHex, toHex } from '../../src/base/bytes.ts';
import { Problem } from '../../src/base/problem.ts';

const seeded = { seed: 20261123 };

describe('bytes', () => {
  test('hex of outside has one form: lower case, exact length, no prefix', () => {
    assert.deepEqual(parseHex('00ff', 2, 'key'), Uint8Array.of(0, 255));
    for (const text of ['', '00f', '00ff0', '00FF', '0x00', '00 f', '00gg', '００ｆｆ', '00ff\n']) {
      const problem = parseHex(text, 2, 'key');
      assert.ok(problem instanceof Problem, `${JSON.stringify(text)} was accepted`);
      assert.equal(problem.code, 'codec/hex');
      assert.match(problem.message, /key must be 2 bytes/);
    }
  });

  test('hex goes there and back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        assert.deepEqual(fromHex(toHex(bytes)), Uint8Array.from(bytes));
      }),
      seeded,
    );
  });

  test('what is not hex is no bytes', () => {
    for (const text of ['0', '0g', 'g0', '0x00', ' 00', '００', '\u0130\u0130', '\ud800\udc00']) {
      assert.throws(() => fromHex(text), /not hex/, JSON.stringify(text));
    }
    assert.deepEqual(fromHex('aAfF'), Uint8Array.of(0xaa, 0xff));
  });

  test('the order of byte strings is that of their hex texts', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 4 }), (a, b) => {
        const [left, right] = [toHex(a), toHex(b)];
        assert.equal(Math.sign(compareBytes(a, b)), left < right ? -1 : left > right ? 1 : 0);
        assert.equal(equalBytes(a, b), left === right);
      }),
      { ...seeded, numRuns: 2_000 },
    );
  });
});
