import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { syncDirectory, syncDirectorySync } from '../../src/storage/sync-directory.ts';
import { recordSyncs } from '../support/synced.ts';

for (const [name, sync] of [
  ['waiting', syncDirectory],
  ['at once', async (directory: string) => syncDirectorySync(directory)],
] as const) {
  test(`a disk that fails is told, and not a file system that syncs no directories (${name})`, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'sync-directory-'));
    t.after(() => rmSync(directory, { recursive: true }));
    let code = 'EINVAL';
    await recordSyncs(t, () => Object.assign(new Error(code), { code, errno: -1, syscall: 'fsync' }));
    await sync(directory);
    code = 'EIO';
    await assert.rejects(sync(directory), { code: 'EIO' });
    await assert.rejects(sync(join(directory, 'none')), { code: 'ENOENT' });
  });
}
