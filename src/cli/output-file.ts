import { randomUUID } from 'node:crypto';
import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectorySync } from '../storage/make-directory.ts';
import { syncDirectorySync } from '../storage/sync-directory.ts';
import { fileProblem } from './file-problem.ts';

/**
 * Writes a file that is there whole or not at all, and stays after a power failure: where the disk is full,
 * what stood there before stays. A link is followed; a pipe or a device takes what comes. `mode` is that of
 * the file from then on; otherwise it keeps the one that it has. Throws the error of the operating system.
 */
export function writeWhole(file: string, text: string, mode?: number): void {
  const there = statSync(file, { throwIfNoEntry: false });
  if (there !== undefined && !there.isFile()) {
    writeFileSync(file, text);
    return;
  }
  const path = there === undefined ? file : realpathSync(file);
  const beside = `${path}.${randomUUID()}.new`;
  try {
    writeFileSync(beside, text, { flag: 'wx', flush: true, mode: mode ?? there?.mode ?? 0o666 });
    renameSync(beside, path);
    syncDirectorySync(dirname(path));
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

/** Makes the directory that an option names for results, before any of them is found in vain. */
export function prepareDirectory(directory: string | undefined, option: string): void {
  if (directory === undefined) return;
  try {
    makeDirectorySync(directory);
  } catch (cause) {
    throw fileProblem(directory, cause, option);
  }
}
