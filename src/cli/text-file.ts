import { Problem } from '../base/problem.ts';
import { strictText } from '../base/strict-text.ts';
import { readOptionFile } from './input-file.ts';

/**
 * The whole text of a file; throws the problem `cli/file`. `what` names it in messages, `remedy` says which
 * option named it.
 */
export async function readTextFile(
  file: string,
  { what, remedy, maxBytes }: { readonly what: string; readonly remedy: string; readonly maxBytes: number },
): Promise<string> {
  const read = strictText(await readOptionFile(file, maxBytes, remedy));
  if ('text' in read) return read.text;
  throw new Problem('cli/file', `${what} (${file}) cannot be read: ${read.fault}`, {
    remedy: `${remedy} Save it as UTF-8, or copy it again as a file and not as text.`,
    details: { file },
  });
}
