import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PublicKey } from '../../src/crypto/signature.ts';
import { checkKeyFile, checkNewKey } from '../../src/explorer/key-rules.ts';

const publicKey = 'ab'.repeat(32) as PublicKey;

test('a page keeps keys that have a name of their own, under a password that is not short', () => {
  const taken = [{ name: 'mine' }];
  assert.equal(checkNewKey('Émile 2', 'long enough', taken), undefined);
  for (const [name, password, why] of [
    ['', 'long enough', /needs a name/],
    ['a/b', 'long enough', /needs a name/],
    ['\u202Ex', 'long enough', /needs a name/],
    ['é'.repeat(33), 'long enough', /needs a name/],
    ['new', 'too short', /password/],
    ['mine', 'long enough', /already/],
  ] as const) {
    assert.match(checkNewKey(name, password, taken)?.message ?? '', why);
  }
  assert.equal(checkKeyFile({ name: 'other', publicKey, kind: 'encrypted' }, taken), undefined);
  assert.match(
    checkKeyFile({ name: 'other', publicKey, kind: 'plain' }, taken)?.message ?? '',
    /not encrypted/,
  );
  assert.match(checkKeyFile({ name: 'mine', publicKey, kind: 'encrypted' }, taken)?.message ?? '', /already/);
});
