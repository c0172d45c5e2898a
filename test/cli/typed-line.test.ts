import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TypedLine } from '../../src/cli/typed-line.ts';

function typed(keys: string): string {
  const line = new TypedLine();
  for (const character of keys) line.type(character);
  return line.text;
}

test('keys that write nothing are no characters of the line', () => {
  assert.equal(typed('ab\u001b[Dc\u001b[3~d\u001bOPe\u001b[1;5Cf'), 'abcdef');
  assert.equal(typed('\u001b[200~pasted\u001b[201~'), 'pasted');
  assert.equal(typed('a\u0001\u0007b'), 'ab');
});

test('Ctrl-U takes the line off, and a backspace what is seen as one character', () => {
  assert.equal(typed('wrong\u0015right'), 'right');
  assert.equal(typed('a👩‍👩‍👧\u007fb'), 'ab');
  assert.equal(typed('e\u0301\u007f'), '');
  assert.equal(typed('\u007f\bx'), 'x');
});
