import { mkdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { nameOfFault } from '../base/machine-fault.ts';
import { syncDirectory, syncDirectorySync } from './sync-directory.ts';

interface Options {
  readonly mode?: number;
}

/**
 * Makes a directory and those above it, where they are missing; what was made stays after a power failure,
 * so what is put there and synced can be found. `recursive` of Node tries for ever where the system answers
 * ENOENT below a directory that is there (in /proc, or when the current one was removed).
 */
export async function makeDirectory(path: string, { mode = 0o777 }: Options = {}): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (cause) {
    const above = aboveMissing(path, cause);
    if (above === undefined) return;
    await makeDirectory(above, { mode });
    await mkdir(path, { mode }).catch((error: unknown) => void aboveMissing(path, error, true));
  }
  await syncDirectory(dirname(path));
}

/** The same, for commands that have nothing else to do meanwhile. */
export function makeDirectorySync(path: string, { mode = 0o777 }: Options = {}): void {
  try {
    mkdirSync(path, { mode });
  } catch (cause) {
    const above = aboveMissing(path, cause);
    if (above === undefined) return;
    makeDirectorySync(above, { mode });
    try {
      mkdirSync(path, { mode });
    } catch (error) {
      aboveMissing(path, error, true);
    }
  }
  syncDirectorySync(dirname(path));
}

/**
 * The parent, when it may be what is missing; undefined when something of this name exists. Throws all other
 * errors.
 */
function aboveMissing(path: string, cause: unknown, isLast = false): string | undefined {
  const name = nameOfFault(cause);
  // Whether it is a directory is seen by whoever uses it.
  if (name === 'EEXIST') return undefined;
  const above = dirname(path);
  if (name !== 'ENOENT' || above === path || isLast) throw cause;
  return above;
}
