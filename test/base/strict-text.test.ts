import assert from 'node:assert/strict';
import { test } from 'node:test';
import { strictText, wholeText } from '../../src/base/strict-text.ts';

test('text comes back whole, in any script and form, with what it begins with', () => {
  for (const text of ['', 'a', 'cafe\u0301', 'caf\u00e9', '\ufeffx', 'line\r\n', '日本 🎌', '\u0000']) {
    assert.deepEqual(strictText(Buffer.from(text)), { text });
    assert.deepEqual(wholeText(text), { text });
  }
});

test('what would not is refused, and it is said why', () => {
  for (const [bytes, words] of [
    [Buffer.from('é', 'latin1'), /not UTF-8/],
    [Buffer.from([0xc0, 0x80]), /not UTF-8/],
    [Buffer.from([0xed, 0xa0, 0x80]), /not UTF-8/],
    [Buffer.from('abc').subarray(0, 2) && Buffer.from([0x61, 0xf0, 0x9f]), /not UTF-8/],
    [Buffer.from('\ufeffabc', 'utf16le'), /UTF-16/],
    [Buffer.from([0xfe, 0xff, 0, 0x61]), /UTF-16/],
    [Buffer.from('caf\ufffd'), /U\+FFFD/],
  ] as const) {
    const read = strictText(bytes);
    assert.match('fault' in read ? read.fault : '', words);
  }
  for (const text of ['a\ud800', '\udc00b', 'caf\ufffd']) assert.ok('fault' in wholeText(text));
});
