import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import promises from 'node:fs/promises';
import { join } from 'node:path';
import { execFileSync, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { decryptKey } from '../../src/crypto/keystore.ts';
import { machineRemedies } from '../../src/base/machine-fault.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { listKeys, storeKeyFile } from '../../src/cli/key-directory.ts';
import { fakeChain } from './chain.ts';
import { jsonOf, launcher, problemOf, quorate, temporaryDirectory } from './quorate.ts';

test('a new key is stored under its password, listed and shown, and only its owner may read the file', async (t) => {
  const keys = join(temporaryDirectory(t), 'keys');
  const env = { QUORATE_PASSWORD: 'correct horse', QUORATE_KEYS: keys };
  const made = await quorate(['keys', 'new', 'dora', '--json'], { env });
  assert.equal(made.code, 0, made.err);
  const { address, publicKey, kind, file } = jsonOf(made);
  assert.equal(kind, 'encrypted');
  assert.equal(file, join(keys, 'dora.json'));
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(keys).mode & 0o777, 0o700);
  const text = readFileSync(file, 'utf8');
  assert.equal(unwrap(decryptKey(text, 'correct horse')).publicKey, publicKey);
  assert.ok(decryptKey(text, 'wrong horse') instanceof Problem);

  const listed = jsonOf(await quorate(['keys', 'list', '--json', '--keys', keys]));
  assert.deepEqual(listed, { directory: keys, keys: [{ name: 'dora', address, publicKey, kind, file }] });
  const shown = jsonOf(await quorate(['keys', 'show', 'dora', '--json'], { env }));
  assert.equal(shown['address'], address);
  assert.match(
    (await quorate(['keys', 'list'], { env })).out,
    new RegExp(`dora +${String(address)} +encrypted`),
  );
});

test('a key is never replaced', async (t) => {
  const keys = temporaryDirectory(t);
  const make = ['keys', 'new', 'dora', '--no-password', '--keys', keys];
  assert.equal((await quorate(make)).code, 0);
  const before = readFileSync(join(keys, 'dora.json'), 'utf8');
  const again = await quorate([...make, '--json']);
  assert.equal(again.code, 1);
  assert.equal(problemOf(again).code, 'cli/key-exists');
  assert.equal(readFileSync(join(keys, 'dora.json'), 'utf8'), before);
});

test('a key that finds no room is not half there: it is made when there is some', async (t) => {
  const directory = temporaryDirectory(t);
  const run = (limit: string) =>
    spawnSync(
      '/bin/sh',
      ['-c', `${limit}; "$0" keys new mine --no-password --keys "$1"`, launcher, directory],
      {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] ?? '' },
      },
    );
  const refused = run('ulimit -f 0');
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /mine\.json cannot be used: EFBIG/);
  assert.deepEqual(readdirSync(directory), []);
  assert.equal(run('true').status, 0);
});

test('the password comes from a file that holds nothing else, and must not be empty', async (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'password');
  writeFileSync(file, '\ufefffirst line\r\n');
  const make = ['keys', 'new', 'dora', '--keys', directory, '--password-file'];
  assert.equal((await quorate([...make, file])).code, 0);
  const text = readFileSync(join(directory, 'dora.json'), 'utf8');
  assert.ok(!(decryptKey(text, 'first line') instanceof Problem));

  writeFileSync(file, '\n');
  const empty = await quorate([
    'keys',
    'new',
    'emil',
    '--keys',
    directory,
    '--password-file',
    file,
    '--json',
  ]);
  assert.equal(problemOf(empty).code, 'cli/password-missing');
  const missing = await quorate([
    'keys',
    'new',
    'emil',
    '--keys',
    directory,
    '--password-file',
    '/none',
    '--json',
  ]);
  assert.equal(problemOf(missing).code, 'cli/password-file');
  assert.deepEqual(readdirSync(directory).sort(), ['dora.json', 'password']);
});

test('a file of a password is named by its own option, and refused where no key has a password', async (t) => {
  const { url } = await fakeChain(t);
  const directory = temporaryDirectory(t);
  const [old, plain] = [join(directory, 'old'), join(directory, 'plain')];
  writeFileSync(old, 'secret');
  const keys = ['--keys', directory, '--json'];
  assert.equal((await quorate(['keys', 'new', 'dora', '--password-file', old, ...keys])).code, 0);
  assert.equal((await quorate(['keys', 'new', 'emil', '--no-password', ...keys])).code, 0);
  const change = [
    'keys',
    'password',
    'dora',
    '--password-file',
    old,
    '--new-password-file',
    '/none',
    ...keys,
  ];
  const missing = await quorate(change);
  assert.equal(problemOf(missing).code, 'cli/password-file');
  assert.match(problemOf(missing).remedy, /Check --new-password-file/);
  for (const args of [
    ['keys', 'password', 'emil', '--no-new-password'],
    ['tx', 'put', 'k', 'v', '--from', 'emil', '--node', url],
    ['tx', 'put', 'k', 'v', '--from', 'alice', '--cosign', 'emil', '--node', url],
  ]) {
    const ran = await quorate([...args, '--password-file', plain, ...keys]);
    assert.equal(ran.code, 2, args.join(' '));
    assert.match(problemOf(ran).message, /--password-file is given, and no key here has a password/);
  }
});

test('a password that would not come back whole, or could be another one as well, makes no key', async (t) => {
  const keys = temporaryDirectory(t);
  const file = join(temporaryDirectory(t), 'password');
  const make = ['keys', 'new', 'dora', '--keys', keys, '--json'];
  const latin1 = Buffer.from('caf\xe9', 'latin1');
  for (const [bytes, why] of [
    [latin1, /not UTF-8/],
    [Buffer.from('caf\ufffd'), /not UTF-8/],
    [Buffer.from('first\nsecond\n'), /more than one line/],
    [Buffer.from('first\n\n'), /more than one line/],
    [Buffer.from('a\0b'), /control characters/],
    [Buffer.from(Array.from({ length: 32 }, (_, index) => (index * 37) % 256)), /not UTF-8/],
  ] as const) {
    writeFileSync(file, bytes);
    const ran = await quorate([...make, '--password-file', file]);
    assert.equal(problemOf(ran).code, 'cli/password-text');
    assert.match(problemOf(ran).message, why);
  }
  for (const value of ['caf\ufffd', 'a\nb']) {
    const ran = await quorate(make, { env: { QUORATE_PASSWORD: value } });
    assert.equal(problemOf(ran).code, 'cli/password-text');
  }
  assert.deepEqual(readdirSync(keys), []);
  const same = await quorate(make, { env: { QUORATE_PASSWORD: 'with its newline\n' } });
  assert.equal(same.code, 0, same.err);
  const text = readFileSync(join(keys, 'dora.json'), 'utf8');
  assert.ok(!(decryptKey(text, 'with its newline') instanceof Problem));
});

test('a key goes to another machine as it is, under a name of its own, and gets another password there', async (t) => {
  const [here, there] = [temporaryDirectory(t), temporaryDirectory(t)];
  const env = { QUORATE_PASSWORD: 'old one' };
  const made = jsonOf(await quorate(['keys', 'new', 'dora', '--keys', here, '--json'], { env }));
  const exported = await quorate(['keys', 'export', 'dora', '--keys', here]);
  assert.equal(exported.out, readFileSync(join(here, 'dora.json'), 'utf8'));
  const imported = await quorate(['keys', 'import', '-', 'emil', '--keys', there, '--json'], {
    input: exported.out,
  });
  assert.equal(imported.code, 0, imported.err);
  assert.equal(jsonOf(imported)['publicKey'], made['publicKey']);
  const again = await quorate(['keys', 'import', '-', 'emil', '--keys', there, '--json'], {
    input: exported.out,
  });
  assert.equal(problemOf(again).code, 'cli/key-exists');

  // The name that other commands want is the file's, not the one inside.
  const listed = jsonOf(await quorate(['keys', 'list', '--keys', there, '--json']));
  assert.deepEqual(
    (listed['keys'] as { name: string }[]).map(({ name }) => name),
    ['emil'],
  );

  const change = ['keys', 'password', 'emil', '--keys', there, '--json'];
  const wrong = await quorate(change, { env: { QUORATE_PASSWORD: 'no', QUORATE_NEW_PASSWORD: 'new one' } });
  assert.equal(problemOf(wrong).code, 'keys/wrong-password');
  const none = await quorate(change, { env });
  assert.match(problemOf(none).remedy, /QUORATE_NEW_PASSWORD/);
  const changed = await quorate(change, { env: { ...env, QUORATE_NEW_PASSWORD: 'new one' } });
  assert.equal(changed.code, 0, changed.err);
  const text = readFileSync(join(there, 'emil.json'), 'utf8');
  assert.equal(unwrap(decryptKey(text, 'new one')).publicKey, made['publicKey']);
  assert.equal(statSync(join(there, 'emil.json')).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(there), ['emil.json']);
});

test('what a key file hides is named: a byte order mark, a name that stands twice', async (t) => {
  const keys = temporaryDirectory(t);
  await quorate(['keys', 'new', 'dora', '--no-password', '--keys', keys]);
  const text = readFileSync(join(keys, 'dora.json'), 'utf8');
  for (const [odd, why] of [
    [`\ufeff${text}`, /byte order mark/],
    [text.replace('"version": 1', '"version": 1, "version": 1'), /"version" stands twice/],
  ] as const) {
    writeFileSync(join(keys, 'emil.json'), odd);
    const ran = await quorate(['keys', 'show', 'emil', '--keys', keys, '--json']);
    assert.equal(problemOf(ran).code, 'keys/malformed');
    assert.match(problemOf(ran).message, why);
  }
});

test('without a terminal, a password in the environment or a file, nobody is asked and nothing is made', async (t) => {
  const keys = temporaryDirectory(t);
  const ran = await quorate(['keys', 'new', 'dora', '--keys', keys, '--json'], { input: 'typed\ntyped\n' });
  assert.equal(ran.code, 1);
  assert.equal(problemOf(ran).code, 'cli/password-missing');
  assert.match(problemOf(ran).remedy, /QUORATE_PASSWORD/);
  assert.deepEqual(readdirSync(keys), []);
});

test('an empty HOME is none: keys are not below the current directory', () => {
  const { stdout, status } = spawnSync(launcher, ['keys', 'list'], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: '' },
    cwd: '/',
  });
  assert.equal(status, 0);
  assert.doesNotMatch(stdout, /There are no keys in \.quorate/);
});

test('names that could be taken for something else are refused', async (t) => {
  const keys = temporaryDirectory(t);
  for (const name of ['alice', 'validator-0', 'qr1abc', '../evil', 'a b', 'x'.repeat(33)]) {
    const ran = await quorate(['keys', 'new', '--no-password', '--keys', keys, '--json', '--', name]);
    assert.equal(ran.code, 1, name);
    assert.equal(problemOf(ran).code, 'cli/key-name', name);
  }
  assert.deepEqual(readdirSync(keys), []);
});

test('a key that does not exist is not found; a file that is no key says so', async (t) => {
  const keys = temporaryDirectory(t);
  const missing = await quorate(['keys', 'show', 'dora', '--keys', keys, '--json']);
  assert.equal(missing.code, 5);
  writeFileSync(join(keys, 'notes.json'), '{"hello": "world"}');
  const malformed = problemOf(await quorate(['keys', 'show', 'notes', '--keys', keys, '--json']));
  assert.equal(malformed.code, 'keys/malformed');
  assert.ok(malformed.message.startsWith(`${join(keys, 'notes.json')}: `), malformed.message);
  assert.deepEqual(jsonOf(await quorate(['keys', 'list', '--keys', keys, '--json']))['keys'], []);
});

test('what is no file, or no key, hides no other key', async (t) => {
  const keys = temporaryDirectory(t);
  await quorate(['keys', 'new', 'mine', '--no-password', '--keys', keys]);
  mkdirSync(join(keys, 'folder.json'));
  symlinkSync('round.json', join(keys, 'round.json'));
  symlinkSync('nowhere', join(keys, 'gone.json'));
  execFileSync('mkfifo', [join(keys, 'pipe.json')]);
  writeFileSync(join(keys, 'large.json'), '');
  truncateSync(join(keys, 'large.json'), 2 ** 32);
  const listed = jsonOf(await quorate(['keys', 'list', '--keys', keys, '--json']))['keys'];
  assert.deepEqual(
    (listed as { name: string }[]).map(({ name }) => name),
    ['mine'],
  );
});

test('development keys are shown, and marked as known to everybody', async () => {
  const { code, out } = await quorate(['keys', 'show', 'alice']);
  assert.equal(code, 0);
  assert.match(out, /everybody knows its secret/);
});

test(
  'of a directory that may be read and not entered it is not said that it has no keys',
  { skip: process.platform === 'win32' },
  (t) => {
    const keys = temporaryDirectory(t);
    writeFileSync(join(keys, 'dora.json'), '{}');
    chmodSync(keys, 0o744);
    const list = (): unknown => {
      try {
        return listKeys(keys);
      } catch (problem) {
        return problem;
      }
    };
    // The first user enters everything.
    const isFirst = process.geteuid?.() === 0;
    if (!isFirst) chmodSync(keys, 0o600);
    if (isFirst) process.seteuid?.(65_534);
    const found = list();
    if (isFirst) process.seteuid?.(0);
    chmodSync(keys, 0o700);
    assert.ok(found instanceof Problem, JSON.stringify(found));
    assert.equal(found.code, 'cli/file');
    assert.equal(found.remedy, machineRemedies['EACCES']);
  },
);

test('a key that could not be stored whole leaves nothing that blocks its name', async (t) => {
  const keys = temporaryDirectory(t);
  const handle = await promises.open(keys);
  const prototype = Object.getPrototypeOf(handle) as object;
  await handle.close();
  const refusal = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'fsync' });
  const mocked = t.mock.method(prototype as { sync(): Promise<void> }, 'sync', () => Promise.reject(refusal));
  await assert.rejects(storeKeyFile(keys, 'dora', '{}'), (problem) => {
    return problem instanceof Problem && problem.remedy.includes('--keys');
  });
  mocked.mock.restore();
  assert.deepEqual(readdirSync(keys), []);
  assert.equal(await storeKeyFile(keys, 'dora', '{}'), join(keys, 'dora.json'));
  assert.equal(statSync(join(keys, 'dora.json')).mode & 0o777, 0o600);
});
