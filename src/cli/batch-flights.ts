import { harmless } from '../base/harmless.ts';
import { Problem } from '../base/problem.ts';
import type { SubmitAnswer } from '../client/answers.ts';
import type { HttpClient } from '../client/http-client.ts';
import { problemOf, untilExpiry } from '../client/outcomes.ts';
import { failureText, grouped } from '../client/plain-words.ts';
import { isRetryable } from '../client/transport.ts';
import type { Transaction } from '../ledger/transaction.ts';
import { exitCodes } from './exit-codes.ts';
import { styled } from './terminal.ts';

/** A line's transaction, and what is known of it so far. */
export interface Flight {
  readonly line: number;
  readonly transaction: Transaction;
  answer: SubmitAnswer | undefined;
  /** It is being sent, and not answered. */
  isUnderWay: boolean;
  /** A try, also of an earlier run, may have been taken: a refusal now does not say that it never counts. */
  mayBeTaken: boolean;
}

/** `pruned`: final so long ago that the node keeps no more what came of it. */
type Fate = 'applied' | 'failed' | 'pruned' | 'refused' | 'gone' | 'open' | 'not sent';

/** Notes an answer. What nobody judged changes nothing of what a node said before. */
export function learn(flight: Flight, answer: SubmitAnswer | undefined): void {
  flight.isUnderWay = false;
  if (answer === undefined) return;
  const isNews = !isUnjudged(answer) || !flight.mayBeTaken || flight.answer === undefined;
  if (isNews) flight.answer = answer;
  const isRefused = answer.status === 'refused';
  flight.mayBeTaken ||= !isRefused || answer.problem.details['sent'] === true;
}

/** The request failed as a whole: nobody judged the line, or an earlier try of it may have been taken. */
function isUnjudged(answer: SubmitAnswer): boolean {
  return answer.status === 'refused' && answer.problem.details['sent'] !== undefined;
}

/** It is refused for good, and a node may have taken it before. */
export function isDoubtful({ answer, mayBeTaken }: Flight): boolean {
  return answer?.status === 'refused' && mayBeTaken && !isRetryable(problemOf(answer.problem));
}

/**
 * Asks for those that are not settled, one by one. They become final by their nonces: behind one that waits
 * all others do.
 */
export async function lookAgain(client: HttpClient, flights: readonly Flight[]): Promise<void> {
  for (const flight of flights) {
    if (isSettled(flight)) continue;
    const { hash } = flight.transaction;
    const found = await client.transaction(hash, { deadlineMs: 0 });
    if (found instanceof Problem) {
      if (found.code !== 'storage/pruned') return;
      flight.answer = { status: 'known', hash };
    } else if (found.status === 'gone') {
      flight.answer = { status: 'gone', hash, problem: found.problem };
    } else if (found.status === 'final') {
      const { height, blockHash, receipt } = found.inclusion;
      flight.answer = { status: 'final', hash, height, blockHash, receipt };
    } else return;
  }
}

/** What settles it, besides a refusal. */
const settling: ReadonlySet<SubmitAnswer['status']> = new Set(['final', 'gone', 'known']);

/** What becomes of it is known, and will not change. */
export function isSettled({ answer, mayBeTaken }: Flight): boolean {
  if (answer?.status === 'refused') {
    const problem = problemOf(answer.problem);
    return !mayBeTaken && !isRetryable(problem) && problem.details['sent'] === undefined;
  }
  return answer !== undefined && settling.has(answer.status);
}

function mayBeSent({ isUnderWay, mayBeTaken }: Flight): boolean {
  return isUnderWay || mayBeTaken;
}

function fateOf(flight: Flight): Fate {
  const { answer } = flight;
  if ((answer === undefined || isUnjudged(answer)) && !mayBeSent(flight)) return 'not sent';
  if (answer?.status === 'final') return answer.receipt.status;
  if (answer?.status === 'known') return 'pruned';
  return isSettled(flight) && (answer?.status === 'refused' || answer?.status === 'gone')
    ? answer.status
    : 'open';
}

export function lineText(flight: Flight): string {
  const { line, transaction, answer } = flight;
  const about = `line ${line}  ${transaction.hash}`;
  switch (answer?.status) {
    case undefined:
      return `${about}  ${mayBeSent(flight) ? 'open: it may have been sent, and no answer came' : 'not sent'}`;
    case 'final': {
      const { height, receipt } = answer;
      const result =
        receipt.status === 'applied'
          ? styled('green', 'applied')
          : styled('red', `failed (${failureText(receipt)})`);
      return `${about}  final at height ${grouped(height)}: ${result}`;
    }
    case 'refused':
    case 'gone': {
      const { code, detail } = answer.problem;
      const fate = fateOf(flight);
      return `${about}  ${styled('red', fate)}: ${harmless(code)}, ${harmless(detail)}`;
    }
    case 'accepted':
    case 'pending': {
      const { missing } = answer;
      return missing == null
        ? `${about}  open: it waits to be put into a block`
        : `${about}  open: it waits for nonce ${missing.nonce}${untilExpiry(missing)}`;
    }
    case 'known':
      return `${about}  final long ago: the node keeps no more what came of it`;
    case 'unknown':
      return `${about}  open`;
  }
}

export function flightJson(flight: Flight): object {
  const { line, transaction, answer } = flight;
  const { hash, nonce } = transaction;
  return { line, hash, nonce, fate: fateOf(flight), answer: answer ?? null };
}

export function countsOf(flights: readonly Flight[]) {
  const count = (fate: Fate): number => flights.filter((flight) => fateOf(flight) === fate).length;
  return {
    applied: count('applied'),
    failed: count('failed'),
    refused: count('refused'),
    gone: count('gone'),
    open: count('open'),
    notSent: count('not sent'),
    pruned: count('pruned'),
  };
}

export function summaryText(flights: readonly Flight[]): string {
  const { applied, failed, refused, gone, open, notSent, pruned } = countsOf(flights);
  const long = pruned === 0 ? '' : `, ${pruned} final long ago`;
  return `${flights.length} transactions: ${applied} applied, ${failed} failed, ${refused} refused, ${gone} gone, ${open} open, ${notSent} not sent${long}.`;
}

export const aboutUnheld =
  'Lines that were refused or are gone will never count. To try them again put them, and no others, into a file of their own: that is another batch.';

export const aboutPruned =
  'Whether lines that were final long ago were applied, a node that keeps all blocks can say: run the same command there (--node URL).';

export function exitCodeOf(flights: readonly Flight[]) {
  const { failed, refused, gone, open, notSent, pruned } = countsOf(flights);
  if (refused + gone > 0) return exitCodes.problem;
  if (open + notSent > 0) return exitCodes.timeout;
  if (pruned > 0) return exitCodes.problem;
  return failed > 0 ? exitCodes.failed : exitCodes.ok;
}
