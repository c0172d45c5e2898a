import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { parseStrictJson } from '../base/strict-json.ts';
import { strictText } from '../base/strict-text.ts';
import { contentFromJson } from '../client/content-json.ts';
import { type Content } from '../client/wallet.ts';

/** What a line of a file says: one operation, or all that a transaction does. */
export interface BatchLine {
  readonly line: number;
  readonly isOperation: boolean;
  readonly content: Content;
}

/**
 * What is to be sent, from a file: JSON, or JSON Lines (one value a line; empty lines count for nothing).
 * Throws the problem of the first line that is wrong, with its number.
 */
export function readLines(file: string, bytes: Uint8Array): readonly BatchLine[] {
  const read = strictText(bytes);
  if ('fault' in read) throw contentProblem(file, read.fault);
  const whole = jsonOf(read.text);
  if (!(whole instanceof Error)) return [lineOf(whole, 1, '')];
  const lines = read.text.split('\n').map((text, index) => ({ text, line: index + 1 }));
  const full = lines.filter(({ text }) => text.trim() !== '');
  // One value over several lines that is no JSON.
  if (full.length < 2 || jsonOf(full[0]?.text ?? '') instanceof Error) {
    throw contentProblem(file, whole.message);
  }
  if (full.length > limits.batchLines) {
    throw contentProblem(file, `it has more than ${limits.batchLines} lines`);
  }
  return full.map(({ text, line }) => {
    const json = jsonOf(text);
    if (json instanceof Error) throw contentProblem(`${file}, line ${line},`, json.message);
    return lineOf(json, line, `line ${line}: `);
  });
}

/** One transaction of operations that stand on lines of their own; undefined when they are no operations. */
export function asOne(lines: readonly BatchLine[]): Content | undefined {
  if (lines.length === 1) return lines[0]?.content;
  if (!lines.every(({ isOperation }) => isOperation)) return undefined;
  const operations = lines.flatMap(({ content }) => content.operations);
  if (operations.length <= limits.maxOperations) return { operations };
  throw new Problem('cli/usage', `${operations.length} operations do not fit into one transaction`, {
    remedy: `Give at most ${limits.maxOperations}, or make each line a transaction with "quorate tx batch FILE --from NAME". Nothing was signed.`,
  });
}

function lineOf(json: unknown, line: number, where: string): BatchLine {
  const isOperation = typeof json === 'object' && json !== null && 'type' in json;
  const content = contentFromJson(isOperation ? { operations: [json] } : json);
  if (!(content instanceof Problem)) return { line, isOperation, content };
  throw content.restated(`${where}${content.message}`, { remedy: content.remedy });
}

function jsonOf(text: string): unknown {
  try {
    return parseStrictJson(text);
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

function contentProblem(file: string, fault: string): Problem {
  return new Problem('cli/file', `${file} cannot be read as JSON: ${fault}`, {
    remedy: 'Correct it, as JSON in UTF-8. Nothing was signed.',
  });
}
