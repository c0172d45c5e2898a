import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { jsonOf, quorate, temporaryDirectory } from './quorate.ts';

test('with --json nobody is told how far it is, and all that a run tells is in its one value', async () => {
  const range = ['simulate', '--seeds', '1..2', '--jobs', '1'];
  assert.match((await quorate(range)).err, /of 2 runs/, 'people are');
  const ran = await quorate([...range, '--json']);
  assert.equal(ran.err, '');
  assert.equal(jsonOf(ran)['runs'], 2);

  const traced = await quorate(['simulate', '--seed', '1', '--trace', '--json']);
  assert.ok((jsonOf(traced)['lines'] as string[]).length > 100);
});

test('with --json a warning is a value of its own, on standard error', async (t) => {
  const directory = temporaryDirectory(t);
  const key = ['keys', 'password', 'k', '--no-new-password', '--keys', directory];
  assert.equal((await quorate(['keys', 'new', 'k', '--no-password', '--keys', directory])).code, 0);
  const [file = assert.fail('no key')] = readdirSync(directory);
  chmodSync(join(directory, file), 0o644);
  const read = await quorate(key);
  assert.match(read.err, /^warning: others on this machine/);
  assert.match(read.out, /^k has no password any more/);
  chmodSync(join(directory, file), 0o644);
  const ran = await quorate([...key, '--json']);
  assert.equal(ran.code, 0);
  assert.match((JSON.parse(ran.err) as { warning: string }).warning, /^others on this machine/);
  // Behind -- it is a value, and people read.
  assert.match((await quorate([...key, '--', '--json'])).err, /^error: too many arguments/);
});

test('standard error is written by those who know of --json', () => {
  const root = join(import.meta.dirname, '../..');
  const knowing = ['failure.ts', 'password.ts', 'progress.ts', 'terminal.ts', 'watch.ts'];
  for (const folder of ['src/cli', 'scripts']) {
    for (const name of readdirSync(join(root, folder), { encoding: 'utf8', recursive: true })) {
      if (!name.endsWith('.ts') || (folder === 'src/cli' && knowing.includes(name))) continue;
      const source = readFileSync(join(root, folder, name), 'utf8');
      // Other scripts have no --json.
      if (folder === 'scripts' && !source.includes('jsonOption')) continue;
      assert.doesNotMatch(source, /printError|stderr\.write|console\.(?:error|warn)/, `${folder}/${name}`);
    }
  }
});
