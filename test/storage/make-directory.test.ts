import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeDirectory, makeDirectorySync } from '../../src/storage/make-directory.ts';
import { recordSyncs } from '../support/synced.ts';

for (const [name, make] of [
  ['waiting', makeDirectory],
  [
    'at once',
    async (...[path, options]: Parameters<typeof makeDirectory>) => makeDirectorySync(path, options),
  ],
] as const) {
  test(`a directory is made with those above it, and what cannot be is told (${name})`, async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'make-directory-'));
    t.after(() => rmSync(root, { recursive: true }));
    const path = join(root, 'a', 'b', 'c');
    await make(path, { mode: 0o700 });
    await make(path);
    assert.ok(statSync(path).isDirectory());
    if (process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o700);
    writeFileSync(join(root, 'file'), '');
    await assert.rejects(make(join(root, 'file', 'a')), { code: 'ENOTDIR' });
    // Where the system says ENOENT of a directory that is there, `recursive` of Node never ends.
    if (process.platform === 'linux') await assert.rejects(make('/proc/none/of/these'), { code: 'ENOENT' });
  });

  test(`a directory that was made stays after a power failure, with those above it (${name})`, async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'make-directory-'));
    t.after(() => rmSync(root, { recursive: true }));
    const synced = await recordSyncs(t);
    await make(join(root, 'a', 'b', 'c'));
    const above = [root, join(root, 'a'), join(root, 'a', 'b')].map((path) => statSync(path).ino);
    assert.deepEqual(synced, above);
    await make(join(root, 'a', 'd'));
    assert.deepEqual(synced.slice(above.length), [statSync(join(root, 'a')).ino]);
  });
}
