import { Buffer } from 'node:buffer';
import { fromHex, toHex } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import { Problem, unwrap } from '../base/problem.ts';
import { parseStrictJson } from '../base/strict-json.ts';
import { type Hash, isHash, sha256Hex } from '../crypto/hash.ts';
import { decodeTransaction, type Transaction } from '../ledger/transaction.ts';
import { writeOnce } from '../node/process/durable-file.ts';
import { fileProblem } from './file-problem.ts';
import { readOptionFile } from './input-file.ts';

/** What a batch was made of: the chain, and the input byte by byte. */
interface BatchName {
  readonly chainId: Hash;
  readonly input: Uint8Array;
}

/**
 * Transactions that a batch signed, in a file, before any of them is sent: whoever runs the batch again sends
 * the same bytes again, which count once. The first line says what they were made of, the others are their
 * bytes in hex. False when there is such a file by now: of two that run the same batch at once one signs it.
 */
export async function writeJournal(
  file: string,
  { chainId, input }: BatchName,
  transactions: readonly Transaction[],
): Promise<boolean> {
  const head = JSON.stringify({ signed: transactions.length, chainId, input: sha256Hex(input) });
  const text = [head, ...transactions.map(({ bytes }) => toHex(bytes)), ''].join('\n');
  try {
    return await writeOnce(file, text, { secret: true });
  } catch (cause) {
    throw fileProblem(file, cause, 'Check --signed.');
  }
}

/**
 * What was signed before; undefined when there is no such file. Throws `cli/file` for what is another
 * batch's, or holds none.
 */
export async function readJournal(
  file: string,
  { chainId, input }: BatchName,
): Promise<readonly Transaction[] | undefined> {
  const bytes = await readIfThere(file);
  if (bytes === undefined) return undefined;
  const [first = '', ...lines] = Buffer.from(bytes).toString('latin1').split('\n');
  const head = headOf(first);
  if (head === undefined || lines.length !== head.signed + 1) {
    throw journalProblem(file, 'holds no signed transactions, or not all of them');
  }
  if (head.chainId !== chainId) throw journalProblem(file, `is for chain ${head.chainId}`);
  if (head.input !== sha256Hex(input)) throw journalProblem(file, 'was signed for another content');
  return lines.slice(0, -1).map((line) => {
    if (!/^(?:[0-9a-f]{2})+$/.test(line)) throw journalProblem(file, 'is damaged');
    return unwrap(decodeTransaction(fromHex(line)));
  });
}

async function readIfThere(file: string): Promise<Uint8Array | undefined> {
  try {
    return await readOptionFile(file, limits.batchJournalBytes, 'Check --signed.');
  } catch (problem) {
    if (problem instanceof Problem && problem.details['code'] === 'ENOENT') return undefined;
    throw problem;
  }
}

function headOf(line: string): { signed: number; chainId: string; input: string } | undefined {
  let head: unknown;
  try {
    head = parseStrictJson(line);
  } catch {
    return undefined;
  }
  const { signed, chainId, input } = (head ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof signed !== 'number' || !Number.isInteger(signed) || signed > limits.batchLines) return undefined;
  if (typeof chainId !== 'string' || !isHash(chainId)) return undefined;
  return typeof input === 'string' ? { signed, chainId, input } : undefined;
}

function journalProblem(file: string, what: string): Problem {
  return new Problem('cli/file', `${file} ${what}`, {
    remedy:
      'Give the batch as it was, at a node of its chain, to go on with it. For another batch name another file with --signed. Nothing was sent.',
    details: { file },
  });
}
