import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeWhole } from '../../src/cli/output-file.ts';
import { recordSyncs } from '../support/synced.ts';
import { temporaryDirectory } from './quorate.ts';

test('a file that was written stays after a power failure: its name is synced where it stands', async (t) => {
  const directory = temporaryDirectory(t);
  const elsewhere = join(directory, 'elsewhere');
  mkdirSync(elsewhere);
  const synced = await recordSyncs(t);
  writeWhole(join(directory, 'a'), 'first');
  assert.equal(synced.at(-1), statSync(directory).ino);
  // A link is followed, so the name is there.
  symlinkSync(join(directory, 'a'), join(elsewhere, 'link'));
  synced.length = 0;
  writeWhole(join(elsewhere, 'link'), 'second');
  assert.equal(synced.at(-1), statSync(directory).ino);
  assert.equal(readFileSync(join(directory, 'a'), 'utf8'), 'second');
  assert.deepEqual(readdirSync(directory).sort(), ['a', 'elsewhere']);
});

test('a failed sync of the name is told, and leaves the file whole', async (t) => {
  const directory = temporaryDirectory(t);
  const { ino } = statSync(directory);
  await recordSyncs(t, (inode) =>
    inode === ino ? Object.assign(new Error('EIO'), { code: 'EIO', errno: -5, syscall: 'fsync' }) : undefined,
  );
  assert.throws(() => writeWhole(join(directory, 'a'), 'text'), { code: 'EIO' });
  assert.deepEqual(readdirSync(directory), ['a']);
  assert.equal(readFileSync(join(directory, 'a'), 'utf8'), 'text');
});
