import { Option } from '@commander-js/extra-typings';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { harmless } from '../base/harmless.ts';
import { defined } from '../base/invariant.ts';
import { Problem, unwrap } from '../base/problem.ts';
import type { SubmitAnswer } from '../client/answers.ts';
import type { HttpClient } from '../client/http-client.ts';
import { problemOf, untilExpiry } from '../client/outcomes.ts';
import { failureText, grouped } from '../client/plain-words.ts';
import { isRetryable } from '../client/transport.ts';
import type { Wallet } from '../client/wallet.ts';
import type { Transaction } from '../ledger/transaction.ts';
import { readJournal, writeJournal } from './batch-journal.ts';
import type { BatchLine } from './batch-lines.ts';
import { exitCodes } from './exit-codes.ts';
import { reportFailure } from './failure.ts';
import { answerMsOf } from './options.ts';
import { ProgressLine } from './progress.ts';
import { onInterrupt } from './signals.ts';
import { mayCountUnseen, print, styled, toJson } from './terminal.ts';
import { openWallet, type SendOptions, termsOf } from './tx-send.ts';

export const signedOption = new Option(
  '--signed <file>',
  'where signed transactions are kept, so that the same command goes on with them (default: the name of the file with .signed behind it)',
);

/** How many are under way at once; those behind them are sent when these are final. */
const windowSize = 500;
/** How long one request waits for finality: no more than half of what the node has to answer. */
const longestWaitMs = 5_000;
/** When nothing becomes final for this long, the rest is given up for now. */
const stuckMs = 60_000;
const retryMs = 250;

type BatchOptions = Omit<SendOptions, 'if' | 'reference' | 'wait'> & { readonly signed?: string | undefined };

/** A line's transaction, and what is known of it so far. */
interface Flight {
  readonly line: number;
  readonly transaction: Transaction;
  answer: SubmitAnswer | undefined;
}

type Fate = 'applied' | 'failed' | 'refused' | 'gone' | 'open' | 'not sent';

/**
 * Signs a transaction for each line, writes all of them to a file, and sends them until each is final or can
 * never be. Run again it sends the same bytes again.
 */
export async function sendBatch(
  options: BatchOptions,
  batch: { readonly file: string; readonly input: Uint8Array; readonly lines: readonly BatchLine[] },
): Promise<void> {
  const opened = await openWallet(options);
  const { client, status } = opened;
  const transactions = await signedOf(options, batch, opened);
  const flights = transactions.map((transaction, index): Flight => ({
    line: batch.lines[index]?.line ?? index + 1,
    transaction,
    answer: undefined,
  }));
  const json = options.json === true;
  const show = (): void => {
    const { engine, chainId } = status;
    if (json) print(toJson({ engine, chainId, ...countsOf(flights), transactions: flights.map(flightJson) }));
    else {
      for (const flight of flights) if (!isSettled(flight)) print(lineText(flight));
      print(summaryText(flights));
      const { refused, gone } = countsOf(flights);
      if (refused + gone > 0) print(aboutUnheld);
    }
  };
  const progress = new ProgressLine();
  onInterrupt(() => {
    progress.end();
    show();
    return reportFailure(stopped());
  });
  mayCountUnseen();
  // Of one that ends before it is done, because nobody reads what it prints.
  process.exitCode = exitCodes.timeout;
  const waitMs = Math.min(longestWaitMs, Math.ceil(answerMsOf(options) / 2));
  const problem = await deliver(client, { flights, waitMs }, (settled) => {
    if (json) return;
    progress.end();
    for (const flight of settled) print(lineText(flight));
    progress.show(`${flights.filter(isSettled).length} of ${flights.length} are settled`);
  });
  progress.end();
  show();
  if (problem !== undefined) throw problem;
  process.exitCode = exitCodeOf(flights);
}

/** What was signed by an earlier run of the same batch, or is signed now and kept. */
async function signedOf(
  options: BatchOptions,
  {
    file,
    input,
    lines,
  }: { readonly file: string; readonly input: Uint8Array; readonly lines: readonly BatchLine[] },
  opened: Awaited<ReturnType<typeof openWallet>>,
): Promise<readonly Transaction[]> {
  const { status, wallet } = opened;
  if (file === '-' && options.signed === undefined) {
    throw new Problem('cli/usage', 'what comes from standard input needs --signed', {
      remedy: 'Name a file with --signed: without it nobody could go on with this batch. Nothing was signed.',
    });
  }
  const journal = options.signed ?? `${file}.signed`;
  const name = { chainId: status.chainId, input };
  const before = async (): Promise<readonly Transaction[] | undefined> => {
    const found = await readJournal(journal, name);
    const [first] = found ?? [];
    const other = first === undefined ? undefined : otherTerm(first, wallet, options);
    if (other === undefined) return found;
    throw new Problem('cli/file', `${journal} was signed ${other.was}`, {
      remedy: `Give the same ${other.option} to go on with it, or name another file with --signed.`,
    });
  };
  const found = await before();
  if (found !== undefined) return found;
  const { nonce, expiryHeight, feeOf } = await termsOf(opened, options);
  const transactions = lines.map(({ content }, index) =>
    unwrap(wallet.build(content, { nonce: nonce + index, fee: feeOf(content), expiryHeight })),
  );
  if (await writeJournal(journal, name, transactions)) return transactions;
  // Another one signed the same batch meanwhile.
  return defined(await before(), 'a journal that is there');
}

/** What was signed otherwise than it is asked for now: nothing of that is signed again. */
function otherTerm(
  first: Transaction,
  wallet: Wallet,
  { fee = first.fee, nonce = first.nonce, expiry }: BatchOptions,
): { readonly was: string; readonly option: string } | undefined {
  const expiryHeight = 'height' in expiry ? expiry.height : first.expiryHeight;
  if (first.sender !== wallet.publicKey) return { was: 'for another account', option: '--from and --sender' };
  if (!isDeepStrictEqual(first.signers, wallet.signers))
    return { was: `by ${first.signers.join(' and ')}`, option: '--from and --cosign' };
  if (first.fee !== fee) return { was: `with a fee of ${first.fee}, and not of ${fee}`, option: '--fee' };
  if (first.nonce !== nonce) return { was: `from nonce ${first.nonce} on`, option: '--nonce' };
  if (first.expiryHeight === expiryHeight) return undefined;
  return { was: `to expire at height ${first.expiryHeight}`, option: '--expiry' };
}

/** A problem when it cannot go on now. When one is refused nothing behind it is sent any more. */
async function deliver(
  client: HttpClient,
  { flights, waitMs }: { readonly flights: readonly Flight[]; readonly waitMs: number },
  onSettled: (settled: readonly Flight[]) => void,
): Promise<Problem | undefined> {
  let movedAt = performance.now();
  for (;;) {
    const window = flights.filter((flight) => !isSettled(flight)).slice(0, windowSize);
    if (window.length === 0) return undefined;
    const answers = await client.submitBatch(
      window.map(({ transaction }) => transaction),
      { waitMs },
    );
    for (const [index, flight] of window.entries()) flight.answer = answers[index];
    const settled = window.filter(isSettled);
    onSettled(settled);
    const [first] = window;
    if (settled.some(({ answer }) => answer?.status === 'refused')) return undefined;
    if (settled.length > 0) movedAt = performance.now();
    const problem = first?.answer?.status === 'refused' ? problemOf(first.answer.problem) : undefined;
    // Nobody judged it, and the client tried again for as long as it was told.
    if (problem?.details['sent'] !== undefined) return cutOff(problem);
    if (performance.now() - movedAt > stuckMs) return problem ?? stuck();
    if (settled.length === 0) await pause(retryMs);
  }
}

/** What becomes of it is known, and will not change. */
function isSettled({ answer }: Flight): boolean {
  if (answer?.status === 'refused') {
    const problem = problemOf(answer.problem);
    // The request failed as a whole: nobody judged the line.
    return !isRetryable(problem) && problem.details['sent'] === undefined;
  }
  return answer?.status === 'final' || answer?.status === 'gone';
}

function fateOf(flight: Flight): Fate {
  const { answer } = flight;
  if (answer === undefined) return 'not sent';
  if (answer.status === 'final') return answer.receipt.status;
  return isSettled(flight) && (answer.status === 'refused' || answer.status === 'gone')
    ? answer.status
    : 'open';
}

function lineText(flight: Flight): string {
  const { line, transaction, answer } = flight;
  const about = `line ${line}  ${transaction.hash}`;
  switch (answer?.status) {
    case undefined:
      return `${about}  not sent`;
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
      const word = fateOf(flight) === 'open' ? 'open' : answer.status;
      return `${about}  ${styled('red', word)}: ${harmless(code)}, ${harmless(detail)}`;
    }
    case 'accepted':
    case 'pending': {
      const { missing } = answer;
      return missing == null
        ? `${about}  open: it waits to be put into a block`
        : `${about}  open: it waits for nonce ${missing.nonce}${untilExpiry(missing)}`;
    }
    case 'known':
    case 'unknown':
      return `${about}  open`;
  }
}

function flightJson(flight: Flight): object {
  const { line, transaction, answer } = flight;
  const { hash, nonce } = transaction;
  return { line, hash, nonce, fate: fateOf(flight), answer: answer ?? null };
}

function countsOf(flights: readonly Flight[]) {
  const count = (fate: Fate): number => flights.filter((flight) => fateOf(flight) === fate).length;
  return {
    applied: count('applied'),
    failed: count('failed'),
    refused: count('refused'),
    gone: count('gone'),
    open: count('open'),
    notSent: count('not sent'),
  };
}

function summaryText(flights: readonly Flight[]): string {
  const { applied, failed, refused, gone, open, notSent } = countsOf(flights);
  return `${flights.length} transactions: ${applied} applied, ${failed} failed, ${refused} refused, ${gone} gone, ${open} open, ${notSent} not sent.`;
}

const aboutUnheld =
  'Lines that were refused or are gone will never count. To try them again put them, and no others, into a file of their own: that is another batch.';

function exitCodeOf(flights: readonly Flight[]) {
  const { failed, refused, gone, open, notSent } = countsOf(flights);
  if (refused + gone > 0) return exitCodes.problem;
  if (open + notSent > 0) return exitCodes.timeout;
  return failed > 0 ? exitCodes.failed : exitCodes.ok;
}

function stopped(): Problem {
  return new Problem('cli/interrupted', 'stopped; what was sent may still become final', {
    remedy: 'Run the same command again: it goes on with the same transactions, and each counts once.',
    details: { outcome: 'unknown' },
  });
}

function cutOff(problem: Problem): Problem {
  const { message, remedy, details } = problem;
  return problem.restated(message, {
    remedy: `${remedy} Then run the same command again, at this node or another one of the chain: it goes on with the same transactions, and each counts once.`,
    details,
    cause: problem,
  });
}

function stuck(): Problem {
  return new Problem('api/not-final', `nothing became final for ${stuckMs / 1_000} s`, {
    remedy:
      'Ask "quorate why" what progress waits for. Then run the same command again: it goes on with the same transactions, and each counts once.',
    details: { outcome: 'unknown' },
  });
}
