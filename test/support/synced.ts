import fs, { fstatSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import type { TestContext } from 'node:test';

/**
 * Who is synced from here on, by inode, the last one at the end: of files and directories, by whichever of
 * Node's functions but those of addons. `fails` says what the machine answers instead.
 */
export async function recordSyncs(
  t: TestContext,
  fails: (inode: number) => Error | undefined = () => undefined,
): Promise<number[]> {
  const synced: number[] = [];
  const note = (opened: number): void => {
    const { ino } = fstatSync(opened);
    const failure = fails(ino);
    if (failure !== undefined) throw failure;
    synced.push(ino);
  };
  const { fsyncSync } = fs;
  t.mock.method(fs, 'fsyncSync', (opened: number) => {
    note(opened);
    fsyncSync(opened);
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  const handle = await open(import.meta.filename, 'r');
  const prototype = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  const { value: sync } = Object.getOwnPropertyDescriptor(prototype, 'sync') as {
    value: (this: typeof handle) => Promise<void>;
  };
  t.mock.method(prototype, 'sync', async function (this: typeof handle) {
    note(this.fd);
    await sync.call(this);
  });
  return synced;
}
