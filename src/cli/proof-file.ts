import { Option } from '@commander-js/extra-typings';
import { parseForeignJson } from '../base/json-excess.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { strictText } from '../base/strict-text.ts';
import { fileProblem } from './file-problem.ts';
import { readInput } from './input-file.ts';
import { writeWhole } from './output-file.ts';
import { toJson } from './terminal.ts';

/** Beside `--genesis`: what was checked is kept. */
export const proofOption = new Option(
  '--proof <file>',
  'with --genesis: write all that proves it; "quorate verify" checks that, offline',
);

/** Writes a proof where one is wanted. Throws problems. */
export function writeProof(file: string | undefined, proof: object): void {
  if (file === undefined) return;
  try {
    writeWhole(file, `${toJson(proof)}\n`);
  } catch (cause) {
    throw fileProblem(file, cause, 'Check --proof.');
  }
}

/** The JSON in a file that nobody vouches for; throws problems. */
export async function readProof(file: string): Promise<unknown> {
  const read = strictText(await readInput(file, { maxBytes: limits.clientAnswerBytes }));
  try {
    if ('fault' in read) throw new SyntaxError(read.fault);
    return parseForeignJson(read.text);
  } catch (cause) {
    throw new Problem('proof/malformed', `this is no proof: ${(cause as Error).message}`, {
      remedy: 'Give the file that a command wrote (quorate: --proof FILE), unchanged.',
      cause,
    });
  }
}
