import { Option } from '@commander-js/extra-typings';
import { parseForeignJson } from '../base/json-excess.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { strictText } from '../base/strict-text.ts';
import type { KeptProof } from '../client/kept-proof.ts';
import { fileProblem } from './file-problem.ts';
import { readInput } from './input-file.ts';
import { writeWhole } from './output-file.ts';
import { toJson } from './terminal.ts';

/** Beside `--genesis`: what was checked is kept. */
export const proofOption = new Option(
  '--proof <file>',
  'with --genesis: write all that proves it; "quorate verify" checks that, offline',
);

/** Where a command keeps what proves what it shows, and of what it does. */
export interface Keeping extends Pick<KeptProof, 'proves' | 'name'> {
  /** Undefined where nothing is to be kept. */
  readonly file: string | undefined;
}

/** Writes a kept proof where it is wanted. Throws problems. */
export function keepProof(
  { file, ...about }: Keeping,
  parts: Pick<KeptProof, 'answers' | 'epochs'> & Partial<KeptProof>,
): void {
  const kept: KeptProof = { transactions: [], ...about, ...parts };
  if (file !== undefined) writeProof(file, kept);
}

/** Throws problems. */
export function writeProof(file: string, proof: object): void {
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
