import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseStrictJson } from '../../src/base/strict-json.ts';

test('reads every JSON text as JSON.parse does', () => {
  fc.assert(
    fc.property(fc.json(), (text) => assert.deepEqual(parseStrictJson(text), JSON.parse(text))),
    { seed: 11, numRuns: 1_000 },
  );
});

test('refuses a name that stands twice in one object, however it is written, and wherever', () => {
  for (const text of [
    '{"a":1,"a":1}',
    '{"a":1,"b":{"a":2},"a":3}',
    '[{"x":[{"a":1 , "\\u0061" : 2}]}]',
    '{"a{":"}","a{" \n:0}',
    '{"__proto__":1,"__proto__":2}',
    '{"":1,"":2}',
  ]) {
    assert.throws(() => parseStrictJson(text), /stands twice in one object/, text);
  }
  for (const text of [
    '{"a":"a","b":"a"}',
    '[{"a":1},{"a":2}]',
    '{"a":{"a":{"a":1}}}',
    '{"a":"\\"a\\":","b":"{"}',
  ]) {
    assert.deepEqual(parseStrictJson(text), JSON.parse(text), text);
  }
});

test('takes texts as long as any that is read', () => {
  const text = JSON.stringify({ a: '\\"'.repeat(2 ** 21), b: 'f'.repeat(2 ** 22) });
  assert.deepEqual(parseStrictJson(text), JSON.parse(text));
});

test('names a byte order mark, and what is no JSON at all', () => {
  assert.throws(() => parseStrictJson('\ufeff{}'), /byte order mark/);
  assert.throws(() => parseStrictJson('{'), SyntaxError);
});
