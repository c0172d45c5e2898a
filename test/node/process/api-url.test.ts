import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../../../src/base/limits.ts';
import { parseApiUrl } from '../../../src/node/process/api-url.ts';

test('an address of an API has one form', () => {
  for (const [given, form] of [
    ['http://127.0.0.1:4600', 'http://127.0.0.1:4600'],
    ['http://127.0.0.1:4600/', 'http://127.0.0.1:4600'],
    ['HTTPS://Node-1.Example:443/quorate//', 'https://node-1.example/quorate'],
    ['http://[::1]:4600', 'http://[::1]:4600'],
    ['http://bücher.example', 'http://xn--bcher-kva.example'],
  ] as const) {
    assert.equal(parseApiUrl(given), form);
    assert.equal(parseApiUrl(form), form);
  }
});

test('anything else is none', () => {
  for (const text of [
    '',
    'node-1.example:4600',
    'ftp://node-1.example',
    'javascript:alert(1)',
    'http://',
    'http:node-1.example',
    'http:\\\\node-1.example',
    'http://user@node-1.example',
    'http://user:secret@node-1.example',
    'http://node-1.example?token=1',
    'http://node-1.example#top',
    ' http://node-1.example',
    'http://node-1.example/\u001b[31m\n',
    'http://node 1.example',
    'http://node-1.example:70000',
    `http://${'a'.repeat(limits.apiUrlBytes)}`,
  ]) {
    assert.equal(parseApiUrl(text), undefined, text);
  }
});

test('what it gives is short, harmless to show, and stays what it is', () => {
  const texts = fc.oneof(
    fc.webUrl(),
    fc.string({ maxLength: 40 }).map((text) => `http://a/${text}`),
    fc.string(),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const url = parseApiUrl(text);
      if (url === undefined) return;
      assert.match(url, /^https?:\/\/[\x21-\x7e]+$/);
      assert.ok(url.length <= limits.apiUrlBytes);
      assert.equal(parseApiUrl(url), url);
    }),
    { seed: 5, numRuns: 1_000 },
  );
});
