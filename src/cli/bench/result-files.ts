import { join, resolve } from 'node:path';
import { makeDirectorySync } from '../../storage/make-directory.ts';
import { fileProblem } from '../file-problem.ts';
import { writeWhole } from '../output-file.ts';
import { newDirectory } from '../temporary-directory.ts';
import { toJson } from '../terminal.ts';

/** Writes both forms of a result, and says where. Throws a problem when that cannot be. */
export function writeResult(
  out: string | undefined,
  result: object,
  page: string,
): { readonly json: string; readonly page: string } {
  const directory = out === undefined ? newDirectory('result') : resolve(out);
  const files = { json: join(directory, 'result.json'), page: join(directory, 'page.html') };
  try {
    makeDirectorySync(directory);
    writeWhole(files.json, `${toJson(result)}\n`);
    writeWhole(files.page, page);
  } catch (cause) {
    throw fileProblem(directory, cause, '--out');
  }
  return files;
}
