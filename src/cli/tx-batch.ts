import { Option } from '@commander-js/extra-typings';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { defined } from '../base/invariant.ts';
import { Problem, unwrap } from '../base/problem.ts';
import type { SubmitAnswer } from '../client/answers.ts';
import type { HttpClient } from '../client/http-client.ts';
import { problemOf } from '../client/outcomes.ts';
import type { Wallet } from '../client/wallet.ts';
import type { Transaction } from '../ledger/transaction.ts';
import {
  aboutPruned,
  aboutUnheld,
  countsOf,
  exitCodeOf,
  type Flight,
  flightJson,
  isDoubtful,
  isSettled,
  learn,
  lineText,
  lookAgain,
  summaryText,
} from './batch-flights.ts';
import { readJournal, writeJournal } from './batch-journal.ts';
import type { BatchLine } from './batch-lines.ts';
import { exitCodes } from './exit-codes.ts';
import { reportFailure } from './failure.ts';
import { answerMsOf } from './options.ts';
import { ProgressLine } from './progress.ts';
import { onInterrupt } from './signals.ts';
import { mayCountUnseen, print, toJson } from './terminal.ts';
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
  const { transactions, mayBeTaken } = await signedOf(options, batch, opened);
  const flights = transactions.map((transaction, index): Flight => ({
    line: batch.lines[index]?.line ?? index + 1,
    transaction,
    answer: undefined,
    isUnderWay: false,
    mayBeTaken,
  }));
  const json = options.json === true;
  const show = (): void => {
    const { engine, chainId } = status;
    if (json) print(toJson({ engine, chainId, ...countsOf(flights), transactions: flights.map(flightJson) }));
    else {
      for (const flight of flights) if (!isSettled(flight)) print(lineText(flight));
      print(summaryText(flights));
      const { refused, gone, pruned } = countsOf(flights);
      if (refused + gone > 0) print(aboutUnheld);
      if (pruned > 0) print(aboutPruned);
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

/** What was signed by an earlier run of the same batch, which may have sent it, or is signed now and kept. */
async function signedOf(
  options: BatchOptions,
  {
    file,
    input,
    lines,
  }: { readonly file: string; readonly input: Uint8Array; readonly lines: readonly BatchLine[] },
  opened: Awaited<ReturnType<typeof openWallet>>,
): Promise<{ readonly transactions: readonly Transaction[]; readonly mayBeTaken: boolean }> {
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
  if (found !== undefined) return { transactions: found, mayBeTaken: true };
  const { nonce, expiryHeight, feeOf } = await termsOf(opened, options);
  const transactions = lines.map(({ content }, index) =>
    unwrap(wallet.build(content, { nonce: nonce + index, fee: feeOf(content), expiryHeight })),
  );
  if (await writeJournal(journal, name, transactions)) return { transactions, mayBeTaken: false };
  // Another one signed the same batch meanwhile.
  return { transactions: defined(await before(), 'a journal that is there'), mayBeTaken: true };
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
    for (const flight of window) flight.isUnderWay = true;
    const answers = await client.submitBatch(
      window.map(({ transaction }) => transaction),
      { waitMs },
    );
    for (const [index, flight] of window.entries()) learn(flight, answers[index]);
    const [first] = answers;
    const problem = first?.status === 'refused' ? problemOf(first.problem) : undefined;
    // Nobody judged it, and the client tried again for as long as it was told.
    const isCutOff = problem?.details['sent'] !== undefined;
    if (isCutOff || window.some(isDoubtful)) await lookAgain(client, window);
    const settled = window.filter(isSettled);
    onSettled(settled);
    if (settled.some(({ answer }) => answer?.status === 'refused')) return undefined;
    if (isCutOff && window.some((flight) => !isSettled(flight))) return cutOff(problem);
    const doubtful = window.find(isDoubtful);
    if (doubtful !== undefined) return inDoubt(doubtful);
    if (settled.length > 0) movedAt = performance.now();
    if (performance.now() - movedAt > stuckMs) return problem ?? stuck();
    if (settled.length === 0) await pause(retryMs);
  }
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

/** Whoever takes it for refused, and has another one signed, may pay twice. */
function inDoubt({ line, transaction, answer }: Flight): Problem {
  const { hash, nonce, expiryHeight } = transaction;
  const { code, detail } = (answer as Extract<SubmitAnswer, { status: 'refused' }>).problem;
  return new Problem(
    'api/not-final',
    `the transaction of line ${line} is refused now (${code}: ${detail}), but may have been taken before`,
    {
      remedy: `Sign nothing else for the same purpose before it is gone, which it is when nonce ${nonce} is used by another one, or block ${expiryHeight} is final: "quorate tx status ${hash}" tells. Until then run the same command again, at this node or another one of the chain: each transaction counts once.`,
      details: { line, hash, nonce, expiryHeight, outcome: 'unknown' },
    },
  );
}

function stuck(): Problem {
  return new Problem('api/not-final', `nothing became final for ${stuckMs / 1_000} s`, {
    remedy:
      'Ask "quorate why" what progress waits for. Then run the same command again: it goes on with the same transactions, and each counts once.',
    details: { outcome: 'unknown' },
  });
}
