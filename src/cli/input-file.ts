import { createReadStream } from 'node:fs';
import { concat } from '../base/bytes.ts';
import { Problem } from '../base/problem.ts';
import { fileProblem } from './file-problem.ts';

/**
 * What a file holds, or standard input when it is "-", at the pace at which it comes. Throws `cli/file` when
 * it cannot be read, or has more than `maxBytes`; no more than that is read. `check` says where it was named,
 * and `smaller` what else there is for what is too large.
 */
export async function readInput(
  file: string,
  {
    maxBytes,
    check = 'Check the name of the file.',
    smaller = '',
  }: { readonly maxBytes: number; readonly check?: string; readonly smaller?: string },
): Promise<Uint8Array> {
  const source = file === '-' ? process.stdin : createReadStream(file);
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of source as AsyncIterable<Uint8Array>) {
      size += piece.length;
      if (size > maxBytes) break;
      pieces.push(piece);
    }
  } catch (cause) {
    throw fileProblem(file, cause, check);
  }
  if (size <= maxBytes) return concat(...pieces);
  throw new Problem('cli/file', `${file === '-' ? 'standard input' : file} has more than ${maxBytes} bytes`, {
    remedy: `Give at most ${maxBytes} bytes.${smaller}`,
    details: { limit: maxBytes },
  });
}
