import { randomUUID } from 'node:crypto';
import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';

/**
 * Writes a file that is there whole or not at all: where the disk is full, what stood there before stays. A
 * link is followed; a pipe or a device takes what comes. `mode` is that of the file from then on; otherwise
 * it keeps the one that it has. Throws the error of the operating system.
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
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}
