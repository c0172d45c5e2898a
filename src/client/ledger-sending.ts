import { utf8 } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { toHeight } from '../ledger/block.ts';
import type { Transaction } from '../ledger/transaction.ts';
import type { AccountNonces } from './account-nonces.ts';
import type { SubmitAnswer } from './answers.ts';
import type { HttpClient } from './http-client.ts';
import type { Nodes } from './nodes.ts';
import { unaskedFee } from './fee-floor.ts';
import { problemOf } from './outcomes.ts';
import { isRetryable } from './transport.ts';
import type { FinalOutcome, FinalProofs } from './final-proofs.ts';
import type { Operation } from '../ledger/operation.ts';
import type { Content, Wallet } from './wallet.ts';

/** How far ahead the expiry lies when nobody says: hours on an idle chain, minutes on a busy one. */
export const defaultExpiryAhead = 10_000;
export const defaultDeadlineMs = 60_000;
export const tickMs = 1_000;
/** Half of what a node takes of one sender: another program with the same key still finds room. */
export const defaultWindow = limits.mempoolPerSender / 2;

export interface SendOptions {
  /** In the smallest unit; what the chain asks for unless told (see `unaskedFee`). */
  readonly fee?: bigint;
  /** How many blocks ahead it expires; 10,000 unless told. */
  readonly expiryAhead?: number;
  /** How long to wait until it is final; 60 s unless told. */
  readonly deadlineMs?: number;
}

/** Something to be signed and sent, in the order in which it was asked for. */
export interface Job {
  readonly what: Operation | Content;
  readonly options: SendOptions;
  readonly until: number;
  readonly settle: (outcome: FinalOutcome | Problem) => void;
}

/**
 * A signed transaction that may be anywhere. The same bytes are sent again until they
 * are final, or can never be.
 */
export interface Flight {
  readonly transaction: Transaction;
  readonly job: Job;
  sentAt: number;
  /** A node is asked to take it, and has not answered. */
  isBeingSent: boolean;
  /** Some node has it, or may. */
  mayBeTaken: boolean;
  /** Why the node that was asked last does not take it. Another may have it all the same. */
  refusal: Problem | undefined;
}

export function flightOf(transaction: Transaction, job: Job, sentAt: number): Flight {
  return { transaction, job, sentAt, isBeingSent: false, mayBeTaken: false, refusal: undefined };
}

/** What is not final after this long is sent again: the node that took it may have died with it. */
export const resendMs = 3_000;

export function isStale({ sentAt, isBeingSent }: Flight, now: number): boolean {
  return !isBeingSent && now - sentAt >= resendMs;
}

/** Whether its nonce is used by another one that is final. */
export function nonceIsUsed({ code }: Problem): boolean {
  return code === 'transaction/nonce-used' || code === 'mempool/superseded';
}

/**
 * What a wallet signs. A signer of the application's own may throw: that must end neither the account nor
 * the program.
 */
export function signed(
  wallet: Wallet,
  { what, options }: Pick<Job, 'what' | 'options'>,
  now: { readonly nonce: number; readonly height: number; readonly perUnit: bigint },
): Transaction | Problem {
  const { fee, expiryAhead = defaultExpiryAhead } = options;
  try {
    return wallet.build(what, {
      nonce: now.nonce,
      fee: fee ?? unaskedFee(wallet.unitsOf(what), now.perUnit),
      expiryHeight: toHeight(now.height + expiryAhead),
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new Problem('transaction/malformed', `it could not be signed: ${why}`, {
      remedy: 'Look at the signer, and at what was to be signed. Nothing was sent.',
      details: { sent: false },
      cause,
    });
  }
}

/** The answers of one node; a problem when it took nothing and others may. */
async function submitTo(
  client: HttpClient,
  batch: readonly Flight[],
): Promise<readonly SubmitAnswer[] | Problem> {
  const answers = await client.submitBatch(batch.map(({ transaction }) => transaction));
  const problems = answers.map((answer) =>
    answer.status === 'refused' ? problemOf(answer.problem) : undefined,
  );
  const [first] = problems;
  for (const [index, flight] of batch.entries()) {
    flight.refusal = problems[index];
    flight.mayBeTaken ||= problems[index] === undefined || problems[index].details['sent'] === true;
  }
  return first !== undefined && problems.every((one) => one !== undefined && isRetryable(one))
    ? first
    : answers;
}

/** The answers of the first node that gives some, and which one that is; a problem when none does. */
export async function submitToAny(
  nodes: Nodes,
  batch: readonly Flight[],
): Promise<{ readonly by: HttpClient; readonly answers: readonly SubmitAnswer[] } | Problem> {
  return nodes.ask(async (by) => {
    const answers = await submitTo(by, batch);
    return answers instanceof Problem ? answers : { by, answers };
  });
}

/** The node that was asked last refuses it for good: what no node said is no refusal. */
function isRefused({ refusal }: Flight): boolean {
  return refusal !== undefined && !isRetryable(refusal) && refusal.details['sent'] !== true;
}

/** One node refuses it, and another has it, or may. */
export function isDoubtful(flight: Flight): boolean {
  return flight.mayBeTaken && isRefused(flight);
}

/**
 * Those of what one node refused that nobody takes, each with why: the others are asked to take it, one after
 * the other. One that lies may call refused what it passes on.
 */
export async function refusedByAll(
  proofs: FinalProofs,
  by: HttpClient,
  batch: readonly Flight[],
): Promise<readonly { readonly flight: Flight; readonly why: Problem }[]> {
  let left = batch.filter((flight) => !flight.mayBeTaken && isRefused(flight));
  if (left.length === 0) return [];
  const reasons = left.flatMap((flight) => (flight.refusal ? [{ flight, why: flight.refusal }] : []));
  const isAgreed = await proofs.isAgreed(by, async (client) => {
    if (left.length === 0) return true;
    const answers = await submitTo(client, left);
    if (answers instanceof Problem) return answers;
    left = left.filter(isRefused);
    return true;
  });
  return isAgreed ? reasons.filter(({ flight }) => left.includes(flight)) : [];
}

/**
 * What came of those that a node has had before, whatever the stream told of: one node tells what it likes.
 * They become final by their nonces, so behind one that waits all others do, and are not asked for.
 */
export async function* outcomesOf(
  proofs: FinalProofs,
  flights: readonly Flight[],
): AsyncGenerator<{ readonly flight: Flight; readonly outcome: FinalOutcome | Problem }, void> {
  for (const flight of flights.toSorted((a, b) => a.transaction.nonce - b.transaction.nonce)) {
    const outcome = await proofs.outcome(flight.transaction.hash);
    if (outcome === undefined) return;
    yield { flight, outcome };
  }
}

/**
 * Uses a nonce and does nothing: no block is so low that its condition holds. It demands nothing of the
 * account but its fee.
 */
const nothing: Content = {
  operations: [{ type: 'delete', key: 'unused-nonce' }],
  conditions: [{ type: 'height-at-most', height: toHeight(0) }],
  reference: utf8('unused nonce'),
};

/**
 * What is to take a nonce that no transaction has, for those that a node took and that wait behind it; for as
 * long as they do, and for no more than each of them pays. None when nobody waits.
 */
export function fillerOf(gap: number | undefined, flights: readonly Flight[]): Job | undefined {
  if (gap === undefined) return undefined;
  const behind = flights.filter(({ transaction, mayBeTaken }) => mayBeTaken && transaction.nonce > gap);
  const [first] = behind.map(({ transaction }) => transaction.fee).sort((a, b) => (a < b ? -1 : 1));
  if (first === undefined) return undefined;
  const until = Math.max(...behind.map(({ job }) => job.until));
  return { what: nothing, options: { fee: first }, until, settle: () => undefined };
}

/** The nonce that no transaction of the application has, and higher ones wait for. */
export function gapOf({ gap }: AccountNonces, flights: readonly Flight[]): number | undefined {
  const fillers = flights.filter(({ job }) => job.what === nothing);
  return gap ?? fillers[0]?.transaction.nonce;
}

/** Its time was up, and what becomes of it is open. `gap` is a nonce that no transaction has. */
export function notFinal({ transaction, refusal }: Flight, gap: number | undefined): Problem {
  const { hash, nonce, expiryHeight } = transaction;
  const isBehind = gap !== undefined && gap < nonce;
  const why = isBehind
    ? `: it waits behind nonce ${gap} of its account, which was refused to another one`
    : refusal === undefined
      ? ''
      : `: the node that was asked last does not take it (${refusal.code}: ${refusal.message})`;
  return new Problem('api/not-final', `the transaction was not final when its time was up${why}`, {
    remedy: `${isBehind ? 'Send something else with the same account: it takes that nonce. ' : ''}It may still become final. Ask for transaction ${hash}, or submit the same bytes again; sign nothing else for the same purpose before it is "gone". Ask "why" what progress waits for.`,
    details: { hash, nonce, expiryHeight, outcome: 'unknown', ...(isBehind && { missing: gap }) },
  });
}

/** Those that have time left; the others are told that they were never signed. */
export function inTime(jobs: readonly Job[], now: number): Job[] {
  return jobs.filter(({ until, settle }) => {
    if (now < until) return true;
    settle(neverSigned());
    return false;
  });
}

/** When it is looked at again who waits: at once when the time of one of them is up. */
export function nextTickMs(jobs: readonly Job[], flights: Iterable<Flight>, now: number): number {
  let first = now + tickMs;
  for (const { until } of jobs) first = Math.min(first, until);
  for (const { job } of flights) first = Math.min(first, job.until);
  return first - now;
}

/** Its time was up while it waited behind others. */
function neverSigned(): Problem {
  return new Problem('api/not-final', 'its time was up before it was sent: nothing was signed', {
    remedy:
      'Ask "why" what progress waits for. Where it goes on, ask for less at once, or give it more time (deadlineMs).',
    details: { sent: false },
  });
}

/** What was requested earlier may have arrived, but says nothing about it. */
export function notSent(problem: Problem): Problem {
  const { message, remedy, details } = problem;
  return problem.restated(message, { remedy, details: { ...details, sent: false }, cause: problem });
}

/** How long nodes are asked where the chain stands before those that wait for it are looked at again. */
const longestOpeningMs = 10_000;

export function openingMs(jobs: readonly Job[], now: number): number {
  const left = Math.min(...jobs.map(({ until }) => until)) - now;
  return Math.max(0, Math.min(left, longestOpeningMs));
}

/**
 * Nothing of them was signed. What may pass is waited for as long as each of them has time; the others are
 * told what it was.
 */
export function waitingStill(jobs: readonly Job[], problem: Problem, now: number): Job[] {
  return jobs.filter((job) => {
    if (isRetryable(problem) && now < job.until) return true;
    job.settle(notSent(problem));
    return false;
  });
}
