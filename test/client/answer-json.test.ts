import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../../src/base/limits.ts';
import { excessIn } from '../../src/base/json-excess.ts';
import { readJson } from '../../src/client/answer-json.ts';
import { HttpClient } from '../../src/client/http-client.ts';
import { Problem } from '../../src/base/problem.ts';
import { fakeApi, origin, status } from './fake-api.ts';

const levels = limits.jsonLevels;
const values = limits.jsonValues;

test('what is nested deep, or has too many values, is not parsed', () => {
  const deep = (count: number): string => '['.repeat(count) + ']'.repeat(count);
  assert.deepEqual(readJson(deep(levels)), { json: JSON.parse(deep(levels)) as unknown });
  for (const text of [deep(levels + 1), '{"a":'.repeat(levels + 1), '['.repeat(1_000_000)]) {
    assert.deepEqual(readJson(text), { fault: `it has more than ${levels} levels` });
  }
  const wide = (one: string, count: number): string => `[${`${one},`.repeat(count - 1)}${one}]`;
  assert.equal(excessIn(wide('1', values - 1)), undefined);
  for (const text of [wide('1', values), wide('{}', values / 2), `{${'"a":1,'.repeat(values)}`]) {
    assert.deepEqual(readJson(text), { fault: `it has more than ${values} values` });
  }
});

test('brackets and commas in a text are neither levels nor values, and what is no JSON has an end', () => {
  const odd = `${'[{,'.repeat(values)}"\\`;
  assert.deepEqual(readJson(JSON.stringify({ [odd]: odd })), { json: { [odd]: odd } });
  for (const text of ['', '"', '"\\', '"\\"', ']'.repeat(100), '{"a":"', '"[', 'NaN', '\ufeff{}']) {
    assert.deepEqual(readJson(text), { fault: 'it is not JSON' });
  }
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: levels - 1 }), (value) => {
      const json = JSON.stringify(value);
      assert.deepEqual(readJson(json), { json: JSON.parse(json) as unknown });
    }),
  );
});

test('an answer of which that is so is none, whatever its status', async (t) => {
  const excess = `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`;
  for (const [code, words] of [
    [200, /is not understood: it has more than 32 levels$/],
    [400, /answered HTTP 400 without saying why/],
  ] as const) {
    const { url } = await fakeApi(t, () => ({ status: code, body: excess }));
    const answer = await new HttpClient({ baseUrl: url, deadlineMs: 0 }).status();
    assert.ok(answer instanceof Problem);
    assert.equal(answer.code, 'api/answer');
    assert.match(answer.message, words);
  }
  const { url } = await fakeApi(t, () => ({ body: { ...status, ...origin } }));
  assert.ok(!((await new HttpClient({ baseUrl: url }).status()) instanceof Problem));
});
