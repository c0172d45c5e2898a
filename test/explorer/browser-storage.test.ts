import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import { keeping } from '../../src/explorer/browser-storage.ts';

test('what a browser refuses to keep is a problem that says what is lost', () => {
  assert.equal(
    keeping('a pin', () => 5),
    5,
  );
  const cause = new Error('denied');
  const refused = keeping('the pin is lost', () => {
    throw cause;
  });
  assert.ok(refused instanceof Problem);
  assert.equal(refused.code, 'explorer/storage');
  assert.match(refused.message, /keeps nothing for this page: the pin is lost/);
  assert.equal(refused.cause, cause);
});
