import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toHex } from '../../src/base/bytes.ts';
import { InvariantError } from '../../src/base/invariant.ts';
import { Problem } from '../../src/base/problem.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { decryptKey, defaultCost, encryptKey, readKeyFile } from '../../src/crypto/keystore.ts';

const alice = developmentKeyPair('alice');
const bob = developmentKeyPair('bob');
/** Fast, so that many files can be tried; one test takes the real cost. */
const cost = { n: 16, r: 1, p: 1 };
const encrypted = encryptKey(alice, 'correct horse', { name: 'alice', cost });
const plain = encryptKey(alice, undefined, { name: 'alice' });

/** A key file's JSON, of which a test may change anything. */
type Fields = Record<string, unknown> & { kdf: Record<string, unknown>; cipher: Record<string, unknown> };

/** The file with some of its fields changed. */
function edited(text: string, change: (file: Fields) => void): string {
  const file = JSON.parse(text) as Fields;
  change(file);
  return JSON.stringify(file);
}

function refused(text: string, password: string | undefined, code: string, why?: RegExp): void {
  const problem = decryptKey(text, password);
  assert.ok(problem instanceof Problem, `accepted: ${text}`);
  assert.equal(problem.code, code);
  if (why !== undefined) assert.match(problem.message, why);
  assert.ok(!problem.message.includes(toHex(alice.secretKey)) && !problem.message.includes('correct horse'));
}

describe('key files', () => {
  test('the password gives the key back', () => {
    assert.deepEqual(decryptKey(encrypted, 'correct horse'), alice);
  });

  test('with the cost that files really have', () => {
    const file = encryptKey(alice, 'correct horse', { name: 'alice' });
    assert.equal(defaultCost.n * defaultCost.r * 128, 64 * 1024 * 1024);
    assert.deepEqual(decryptKey(file, 'correct horse'), alice);
  });

  test('a wrong password is a problem that names the key and shows no secret', () => {
    refused(encrypted, 'correct hors', 'keys/wrong-password', /"alice"/);
    refused(encrypted, 'Correct horse', 'keys/wrong-password');
  });

  test('no password is asked for, not guessed', () => {
    refused(encrypted, undefined, 'keys/password-needed', /"alice" is encrypted/);
    refused(encrypted, '', 'keys/password-needed');
  });

  test('a password typed on another system is the same password', () => {
    const composed = encryptKey(alice, 'caf\u00e9', { name: 'alice', cost });
    assert.deepEqual(decryptKey(composed, 'cafe\u0301'), alice);
  });

  test('neither the secret key nor the password is in the file, and no two files are alike', () => {
    assert.ok(!encrypted.includes(toHex(alice.secretKey)));
    assert.ok(!encrypted.includes('horse'));
    const again = encryptKey(alice, 'correct horse', { name: 'alice', cost });
    assert.notDeepEqual(JSON.parse(again).cipher, JSON.parse(encrypted).cipher);
  });

  test('anybody can read whose key it is', () => {
    const expected = { name: 'alice', publicKey: alice.publicKey };
    assert.deepEqual(readKeyFile(encrypted), { ...expected, kind: 'encrypted' });
    assert.deepEqual(readKeyFile(plain), { ...expected, kind: 'plain' });
  });

  test('a plain file says that it is one', () => {
    assert.match(plain, /"kind": "plain"/);
    assert.match(plain, /Not encrypted/);
    assert.deepEqual(decryptKey(plain, undefined), alice);
    assert.deepEqual(decryptKey(plain, 'ignored'), alice);
  });
});

describe('key files that somebody edited', () => {
  const bobs = {
    publicKey: bob.publicKey,
    address: (JSON.parse(encryptKey(bob, undefined, { name: 'b' })) as { address: string }).address,
  };

  test('another name, or another’s public key, does not open', () => {
    refused(
      edited(encrypted, (file) => (file['name'] = 'bob')),
      'correct horse',
      'keys/wrong-password',
    );
    refused(
      edited(encrypted, (file) => Object.assign(file, bobs)),
      'correct horse',
      'keys/wrong-password',
    );
  });

  test('a plain file with another’s public key is refused', () => {
    refused(
      edited(plain, (file) => Object.assign(file, bobs)),
      undefined,
      'keys/malformed',
      /not that of/,
    );
  });

  test('any changed character of salt, nonce or ciphertext is noticed', () => {
    for (const [part, field] of [
      ['kdf', 'salt'],
      ['cipher', 'nonce'],
      ['cipher', 'ciphertext'],
    ] as const) {
      const text = edited(encrypted, (file) => {
        const old = String(file[part][field]);
        file[part][field] = (old.startsWith('0') ? '1' : '0') + old.slice(1);
      });
      refused(text, 'correct horse', 'keys/wrong-password');
    }
  });

  test('a cost that would hang or exhaust the machine is refused before any work', () => {
    for (const bad of [
      { n: 2 ** 30 },
      { n: 1 },
      { n: 1000 },
      { n: 0 },
      { n: -2 },
      { n: 1.5 },
      { n: '16' },
      { r: 0 },
      { r: 1_000 },
      { p: 0 },
      { p: 1e9 },
      { p: null },
    ]) {
      const text = edited(encrypted, (file) => Object.assign(file.kdf, bad));
      refused(text, 'correct horse', 'keys/malformed', /cost is out of bounds/);
    }
  });

  test('a missing or wrong field is named', () => {
    const changes: [(file: Fields) => void, RegExp][] = [
      [(file) => delete file['format'], /"format"/],
      [(file) => (file['version'] = 2), /"version"/],
      [(file) => (file['name'] = ''), /"name"/],
      [(file) => (file['name'] = 'a\u001b[31mred'), /"name"/],
      [(file) => (file['name'] = 'x'.repeat(65)), /"name"/],
      [(file) => (file['publicKey'] = alice.publicKey.toUpperCase()), /"publicKey"/],
      [(file) => (file['address'] = bobs.address), /"address"/],
      [(file) => (file['kind'] = 'open'), /"kind"/],
      [(file) => Object.assign(file, { kdf: undefined }), /"kdf"/],
      [(file) => (file.kdf['name'] = 'argon2'), /"kdf"/],
      [(file) => Object.assign(file, { cipher: null }), /"cipher"/],
      [(file) => (file.cipher['name'] = 'aes'), /"cipher"/],
      [(file) => (file.kdf['salt'] = '00'), /salt/],
      [(file) => (file.cipher['nonce'] = 7), /nonce/],
      [(file) => (file.cipher['ciphertext'] += '00'), /ciphertext/],
    ];
    for (const [change, why] of changes)
      refused(edited(encrypted, change), 'correct horse', 'keys/malformed', why);
    refused(
      edited(plain, (file) => (file['secretKey'] = 'ff')),
      undefined,
      'keys/malformed',
      /"secretKey"/,
    );
  });

  test('what is no key file at all is refused', () => {
    for (const text of [
      '',
      '{',
      '[]',
      'null',
      '7',
      '"x"',
      '{}',
      '-----BEGIN PRIVATE KEY-----',
      ' '.repeat(5_000),
      encrypted.slice(0, -3),
    ]) {
      refused(text, 'correct horse', 'keys/malformed');
      assert.ok(readKeyFile(text) instanceof Problem);
    }
  });
});

describe('key files are not made wrongly', () => {
  test('an empty password or an unprintable name is the caller’s mistake', () => {
    assert.throws(() => encryptKey(alice, '', { name: 'alice', cost }), InvariantError);
    for (const name of ['', 'a\nb', 'x'.repeat(65)]) {
      assert.throws(() => encryptKey(alice, undefined, { name }), InvariantError);
    }
  });
});
