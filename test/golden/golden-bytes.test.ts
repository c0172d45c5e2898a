import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { toHex } from '../../src/base/bytes.ts';
import { decode, encode } from '../../src/base/codec.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { wireVersion } from '../../src/node/peers/hello.ts';
import { formatVersion } from '../../src/storage/chain-records.ts';
import { goldenHashes, goldenValues } from './golden-values.ts';

/**
 * The bytes of one value of every format that is hashed, signed, sent or stored. They never change by themselves: another byte is
 * another chain, and nodes that do not understand each other. `QUORATE_REWRITE=1` writes them anew, for a new format's sake: only
 * under a number that was raised (`src/network/README.md` says which one), so that nobody reads new bytes by old rules.
 */
const file = new URL('golden-bytes.json', import.meta.url);
const actual = {
  versions: { wire: wireVersion, store: formatVersion },
  bytes: Object.fromEntries(goldenValues.map(({ name, bytes }) => [name, toHex(bytes)])),
  hashes: goldenHashes,
};
let golden = JSON.parse(readFileSync(file, 'utf8')) as typeof actual;
if (process.env['QUORATE_REWRITE'] === '1') {
  const { versions, ...known } = golden;
  const isSame = (part: 'bytes' | 'hashes'): boolean =>
    Object.entries(known[part]).every(([name, value]) => (actual[part][name] ?? value) === value);
  const raised = versions.wire < wireVersion || versions.store < formatVersion;
  assert.ok(raised || (isSame('bytes') && isSame('hashes')), 'a format changed: raise a version first');
  writeFileSync(file, `${JSON.stringify(actual, null, 2)}\n`);
  golden = actual;
}

test('the golden bytes are of the versions of today', () => {
  assert.deepEqual(golden.versions, actual.versions, 'write them anew with QUORATE_REWRITE=1');
});

test('the golden file names exactly the formats that there are', () => {
  assert.deepEqual(Object.keys(golden.bytes), Object.keys(actual.bytes));
  assert.deepEqual(Object.keys(golden.hashes), Object.keys(actual.hashes));
});

describe('every format has the bytes that it had', () => {
  for (const [name, bytes] of Object.entries(golden.bytes)) {
    test(name, () => assert.equal(actual.bytes[name], bytes));
  }
  for (const [name, hash] of Object.entries(golden.hashes)) {
    test(`the hash of ${name}`, () => assert.equal(actual.hashes[name], hash));
  }
});

describe('every format gives a value back, and takes no other bytes for it', () => {
  for (const { name, bytes, codec } of goldenValues) {
    if (codec === undefined) continue;
    const again = (given: Uint8Array): Uint8Array | undefined => {
      const value = decode(codec, given, name);
      return value instanceof Problem ? undefined : encode(codec, value);
    };
    test(`${name}: as it is`, () => assert.deepEqual(again(bytes), bytes));
    test(`${name}: with any bit changed, it is another value with those bytes, or none`, () => {
      for (let at = 0; at < Math.min(bytes.length, 2_048); at++) {
        const mutated = Uint8Array.from(bytes);
        mutated[at] = (mutated[at] as number) ^ (1 << (at % 8));
        const result = again(mutated);
        if (result !== undefined) assert.deepEqual(result, mutated);
      }
    });
    test(`${name}: cut short, or with a byte more, it is none`, () => {
      for (let end = 0; end < Math.min(bytes.length, 2_048); end++) {
        assert.equal(again(bytes.subarray(0, end)), undefined);
      }
      assert.equal(again(Uint8Array.of(...bytes, 0)), undefined);
    });
    test(`${name}: its value stays when the bytes that it came from are overwritten`, () => {
      const input = Buffer.from(bytes);
      const value = unwrap(decode(codec, input, name));
      input.fill(0);
      assert.deepEqual(encode(codec, value), bytes);
    });
  }
});
