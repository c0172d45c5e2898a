import { randomUUID } from 'node:crypto';
import { link, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { nameOfFault } from '../../base/machine-fault.ts';
import { syncDirectory } from '../../storage/sync-directory.ts';
import { asMachineFault } from './as-machine-fault.ts';

/**
 * Replaces a file so that after a power failure it is the old one or the new one, whole. Throws
 * `node/machine` when the machine refuses.
 */
export function writeDurably(
  path: string,
  text: string,
  options: { readonly secret?: boolean } = {},
): Promise<void> {
  return asMachineFault(path, () => write(path, text, options));
}

/**
 * Makes a file that is whole as soon as it is there, and stays after a power failure; false when there is one
 * of that name already. Where the file system has no links, a power failure may leave a part of it, but not
 * after this has ended. Throws `node/machine` when the machine refuses.
 */
export function writeOnce(
  path: string,
  text: string,
  options: { readonly secret?: boolean } = {},
): Promise<boolean> {
  return asMachineFault(path, async () => {
    const temporary = `${path}.${randomUUID()}.new`;
    await writeSynced(temporary, text, options);
    try {
      await link(temporary, path).catch((error: unknown) => {
        if (nameOfFault(error) === 'EEXIST') throw error;
        return writeSynced(path, text, { ...options, flag: 'wx' });
      });
    } catch (error) {
      if (nameOfFault(error) === 'EEXIST') return false;
      throw error;
    } finally {
      await unlink(temporary);
    }
    await syncDirectory(dirname(path));
    return true;
  });
}

async function write(path: string, text: string, { secret }: { readonly secret?: boolean }): Promise<void> {
  const temporary = `${path}.new`;
  // Whoever hid the file that is there (it may have a token in it) goes on hiding it.
  const isHidden = await stat(path).then(
    ({ mode }) => (mode & 0o077) === 0,
    () => false,
  );
  await writeSynced(temporary, text, { secret: secret === true || isHidden });
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

async function writeSynced(
  path: string,
  text: string,
  options: { readonly secret?: boolean; readonly flag?: 'wx' },
): Promise<void> {
  const file = await open(path, options.flag ?? 'w', options.secret === true ? 0o600 : 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    // Where the disk is full, what is left of it is in the way.
    await unlink(path).catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
}
