import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mutation } from './mutations.ts';

const root = join(import.meta.dirname, '..', '..', '..');

/** What a patch looks for and does not find, or finds more than once. */
export function misfits(mutation: Mutation): readonly string[] {
  return mutation.patches.flatMap(({ file, find }) => {
    const times = readFileSync(join(root, file), 'utf8').split(find).length - 1;
    return times === 1 ? [] : [`${mutation.name}: ${file} has "${find}" ${times} times`];
  });
}

/** A copy of the source with one rule broken, in a directory of its own. The caller removes it. */
export function patchedCopy(mutation: Mutation): { directory: string; remove: () => void } {
  const directory = mkdtempSync(join(tmpdir(), `quorate-${mutation.name}-`));
  cpSync(join(root, 'src'), join(directory, 'src'), { recursive: true });
  cpSync(join(root, 'test'), join(directory, 'test'), { recursive: true });
  cpSync(join(root, 'package.json'), join(directory, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  for (const { file, find, replace } of mutation.patches) {
    const path = join(directory, file);
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace(find, () => replace),
    );
  }
  return { directory, remove: () => rmSync(directory, { recursive: true }) };
}
