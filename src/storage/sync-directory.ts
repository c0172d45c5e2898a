import { closeSync, fsyncSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { nameOfFault } from '../base/machine-fault.ts';

/**
 * Makes the names in a directory durable: those of files that were made, linked or renamed there, and of
 * directories. Does nothing where the file system syncs no directories. Throws what the system says.
 */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (nameOfFault(error) !== 'EINVAL') throw error;
  } finally {
    await handle.close();
  }
}

/** The same, for commands that have nothing else to do meanwhile. */
export function syncDirectorySync(directory: string): void {
  const opened = openSync(directory, 'r');
  try {
    fsyncSync(opened);
  } catch (error) {
    if (nameOfFault(error) !== 'EINVAL') throw error;
  } finally {
    closeSync(opened);
  }
}
