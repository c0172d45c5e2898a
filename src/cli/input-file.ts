import { createReadStream } from 'node:fs';
import { concat } from '../base/bytes.ts';
import type { CodeOf } from '../base/problem-codes.ts';
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
  const isStandard = file === '-';
  let bytes: Uint8Array | undefined;
  try {
    bytes = await readUpTo(isStandard ? process.stdin : createReadStream(file), maxBytes);
  } catch (cause) {
    throw fileProblem(file, cause, check);
  }
  if (isStandard && bytes?.length === 0) throw nothingCame();
  return bytes ?? refuseSize(isStandard ? 'standard input' : file, maxBytes, smaller);
}

/** Also when it is closed, or when what should have written there failed: nobody means that to be a value. */
function nothingCame(): Problem {
  return new Problem('cli/file', 'nothing came on standard input: it is empty, or closed', {
    remedy:
      'Look at what should have written there. A value that is meant to be empty is given as text (""), or as an empty file. Nothing was done.',
  });
}

/**
 * The same of a file that an option names: "-" is one of that name. Whatever it is (a pipe, a device),
 * signals still stop the program while it is read.
 */
export async function readOptionFile(
  file: string,
  maxBytes: number,
  check: string,
  code: CodeOf<'cli'> = 'cli/file',
): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await readUpTo(createReadStream(file), maxBytes);
  } catch (cause) {
    throw fileProblem(file, cause, check, code);
  }
  return bytes ?? refuseSize(file, maxBytes, check.startsWith('--') ? ` Check ${check}.` : ` ${check}`, code);
}

/** Undefined when there is more; the rest is not read. */
async function readUpTo(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of source) {
    size += piece.length;
    if (size > maxBytes) return undefined;
    pieces.push(piece);
  }
  return concat(...pieces);
}

function refuseSize(what: string, maxBytes: number, more: string, code: CodeOf<'cli'> = 'cli/file'): never {
  throw new Problem(code, `${what} has more than ${maxBytes} bytes`, {
    remedy: `Give at most ${maxBytes} bytes.${more}`,
    details: { limit: maxBytes },
  });
}
