import assert from 'node:assert/strict';
import { test } from 'node:test';
import { harmless } from '../../src/base/harmless.ts';

test('text stays as it is, in every script, with its emoji', () => {
  for (const text of [
    '',
    'a b',
    'größer',
    '日本',
    'שלום',
    'می\u200cخواهم',
    '👩\u200d👩\u200d👧 🏳️\u200d🌈',
    '<b>&amp;',
  ]) {
    assert.equal(harmless(text), text);
  }
});

test('what moves a terminal, turns writing or is not seen is shown as what it is', () => {
  for (const [text, shown] of [
    ['a\u0000\n\u001b[2J\u009b', 'a\ufffd\ufffd\ufffd[2J\ufffd'],
    ['\u202eabc\u2066', '\\u202eabc\\u2066'],
    ['\u061c\u200f', '\\u061c\\u200f'],
    ['a\u200bb', 'a\\u200bb'],
    ['\ufeffa', '\\ufeffa'],
    ['pass\u00adword', 'pass\\u00adword'],
    ['a\u2028b', 'a\\u2028b'],
    ['\u3164', '\\u3164'],
    ['a\u2060b', 'a\\u2060b'],
  ] as const) {
    assert.equal(harmless(text), shown);
  }
});
