import { readFileSync } from 'node:fs';
import { Problem } from '../base/problem.ts';
import { strictText } from '../base/strict-text.ts';
import { fileProblem } from './file-problem.ts';

/**
 * A file's text, to the last character; throws the problem `cli/file`. `what` names it in messages, `remedy`
 * says which option named it.
 */
export function readTextFile(file: string, what: string, remedy: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw fileProblem(file, cause, remedy);
  }
  const read = strictText(bytes);
  if ('text' in read) return read.text;
  throw new Problem('cli/file', `${what} (${file}) cannot be read: ${read.fault}`, {
    remedy: `${remedy} Save it as UTF-8, or copy it again as a file and not as text.`,
    details: { file },
  });
}
