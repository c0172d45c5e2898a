import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readArguments } from '../../src/cli/arguments.ts';
import { loadConfig } from '../../src/node/process/config.ts';
import { fakeApi, origin } from '../client/fake-api.ts';
import { jsonOf, problemOf, quorate, temporaryDirectory } from './quorate.ts';

// What names or protects something comes through whole, or not at all.

const genesis = join(import.meta.dirname, '../../genesis/single.json');
const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');

async function fakeLeader(t: TestContext): Promise<{ url: string; sent: () => string | undefined }> {
  let sent: string | undefined;
  const { url } = await fakeApi(t, (request) => {
    if (request.method === 'POST') sent = request.authorization;
    return { body: { ...origin, engine: 'raft', height: 1, members: [] } };
  });
  return { url, sent: () => sent };
}

test('a token that cannot be one is refused before anything is asked', async (t) => {
  const { url, sent } = await fakeLeader(t);
  const file = join(temporaryDirectory(t), 'token');
  const args = ['leader', 'transfer', '--node', url, '--json'];
  const withFile = (content: string | Buffer) => {
    writeFileSync(file, content);
    return quorate([...args, '--token-file', file]);
  };
  for (const [content, code] of [
    [Buffer.from('sécret-of-operators', 'latin1'), 'cli/file'],
    [utf16('a-token-of-operators'), 'cli/file'],
    ['a-token\ufffdof-operators', 'cli/file'],
    ['sécret-of-operators', 'cli/token'],
    ['two words of operators', 'cli/token'],
    ['', 'cli/token'],
    ['\na-token-of-operators', 'cli/token'],
  ] as const) {
    assert.equal(problemOf(await withFile(content)).code, code, JSON.stringify(content.toString('latin1')));
  }
  for (const token of ['', 'sécret-of-operators', 'two words']) {
    assert.equal(problemOf(await quorate(args, { env: { QUORATE_TOKEN: token } })).code, 'cli/token');
  }
  assert.equal(sent(), undefined, 'nothing was asked');
  for (const good of ['a-token-of-operators', 'a-token-of-operators\r\n', '\ufeffa-token-of-operators\n']) {
    await withFile(good);
    assert.equal(sent(), 'Bearer a-token-of-operators');
  }
});

test('a genesis or key file that was changed by an editor or a copy is named as such', async (t) => {
  const directory = temporaryDirectory(t);
  const text = readFileSync(genesis, 'utf8');
  const keys = join(directory, 'keys');
  const file = join(directory, 'genesis.json');
  const init = (data: string, content: Buffer | string) => {
    writeFileSync(file, content);
    return quorate(['init', '--genesis', file, '--observer', '--data', join(directory, data), '--json']);
  };
  assert.match(problemOf(await init('a', utf16(text))).message, /UTF-16/);
  assert.match(
    problemOf(await init('b', Buffer.from(text.replace('{', '{ "é": 1,'), 'latin1'))).message,
    /not UTF-8/,
  );
  assert.match(problemOf(await init('c', `\ufeff${text}`)).message, /byte order mark/);
  assert.equal((await init('d', text.replaceAll('\n', '\r\n'))).code, 0, 'line ends mean nothing in JSON');

  const made = jsonOf(await quorate(['keys', 'new', 'mine', '--no-password', '--keys', keys, '--json']));
  const good = readFileSync(String(made['file']));
  copyFileSync(String(made['file']), join(keys, 'good.json'));
  writeFileSync(String(made['file']), utf16(good.toString()));
  const shown = await quorate(['keys', 'show', 'mine', '--keys', keys, '--json']);
  assert.equal(problemOf(shown).code, 'keys/malformed');
  assert.match(problemOf(shown).message, /UTF-16/);
  const listed = jsonOf(await quorate(['keys', 'list', '--keys', keys, '--json']));
  assert.deepEqual(
    (listed['keys'] as { name: string }[]).map(({ name }) => name),
    ['good'],
    'the others are listed all the same',
  );
});

test('a file is read as far as it may go, whatever it is', async (t) => {
  const directory = temporaryDirectory(t);
  const large = join(directory, 'large');
  writeFileSync(large, '');
  truncateSync(large, 2 ** 32);
  const { url } = await fakeLeader(t);
  for (const args of [
    ['verify', genesis, '--genesis', large],
    ['init', '--data', join(directory, 'node'), '--genesis', large, '--observer'],
    ['keys', 'new', 'k', '--keys', directory, '--password-file', large],
    ['leader', 'transfer', '--node', url, '--token-file', large],
    ['simulate', '--plan', large],
    ['keys', 'import', large, '--keys', directory],
  ]) {
    const ran = await quorate([...args, '--json']);
    assert.match(problemOf(ran).message, /more than \d+ bytes/, args.join(' '));
    assert.match(problemOf(ran).remedy, /Give at most \d+ bytes/);
  }
  const key = await quorate(['keys', 'show', large, '--keys', directory, '--json']);
  assert.equal(key.code === 0, false);
  assert.doesNotMatch(key.err, /internal/);
});

test('a node reads its own files in the same way', async (t) => {
  const directory = temporaryDirectory(t);
  const data = join(directory, 'node');
  const ran = await quorate(['init', '--genesis', genesis, '--observer', '--data', data, '--json']);
  assert.equal(ran.code, 0, ran.err);
  for (const name of ['config.json', 'genesis.json', 'keys/node.json']) {
    const file = join(data, name);
    const good = readFileSync(file);
    for (const [content, words] of [
      [utf16(good.toString()), /UTF-16/],
      [Buffer.concat([good, Buffer.from([0xff])]), /not UTF-8/],
      [Buffer.from(`\ufeff${good.toString()}`), /byte order mark/],
      [Buffer.concat([good, Buffer.alloc(2 ** 25, ' ')]), /more than \d+ bytes/],
    ] as const) {
      writeFileSync(file, content);
      await assert.rejects(loadConfig(data), (problem: Error) => words.test(problem.message), name);
    }
    rmSync(file);
    for (const [make, words] of [
      [() => mkdirSync(file), /EISDIR/],
      [() => void execFileSync('mkfifo', [file]), /it is a pipe or a device/],
      [() => symlinkSync('/dev/zero', file), /it is a pipe or a device/],
    ] as const) {
      make();
      await assert.rejects(loadConfig(data), (problem: Error) => words.test(problem.message), name);
      rmSync(file, { recursive: true });
    }
    writeFileSync(file, good);
  }
  await loadConfig(data);
});

test('variables of the environment are judged as arguments are', () => {
  assert.throws(() => readArguments([], { QUORATE_KEYS: '/home/caf\ufffd' }), /QUORATE_KEYS is not UTF-8/);
  assert.throws(() => readArguments([], { QUORATE_NODE: 'http://caf\ufffd' }), /QUORATE_NODE/);
  assert.deepEqual(readArguments(['why'], { QUORATE_KEYS: '/home/café', OTHER: '\ufffd' }), ['why']);
});
