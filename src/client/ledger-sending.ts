import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { Transaction } from '../ledger/transaction.ts';
import type { SubmitAnswer } from './answers.ts';
import type { HttpClient } from './http-client.ts';
import { problemOf } from './outcomes.ts';
import type { Nodes } from './nodes.ts';
import { isRetryable } from './transport.ts';
import type { FinalOutcome } from './final-watch.ts';
import type { Operation } from '../ledger/operation.ts';
import type { Content, Wallet } from './wallet.ts';

/** How far ahead the expiry lies when nobody says: hours on an idle chain, minutes on a busy one. */
export const defaultExpiryAhead = 10_000;
export const defaultDeadlineMs = 60_000;

export interface SendOptions {
  /** In the smallest unit; 1 unless told. */
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
}

export function flightOf(transaction: Transaction, job: Job, sentAt: number): Flight {
  return { transaction, job, sentAt, isBeingSent: false, mayBeTaken: false };
}

/** What is not final after this long is sent again: the node that took it may have died with it. */
const resendMs = 3_000;

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
export function signed(wallet: Wallet, ...[what, terms]: Parameters<Wallet['build']>): Transaction | Problem {
  try {
    return wallet.build(what, terms);
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
export async function submitTo(
  client: HttpClient,
  batch: readonly Flight[],
): Promise<readonly SubmitAnswer[] | Problem> {
  const answers = await client.submitBatch(batch.map(({ transaction }) => transaction));
  const problems = answers.map((answer) =>
    answer.status === 'refused' ? problemOf(answer.problem) : undefined,
  );
  const [first] = problems;
  for (const [index, flight] of batch.entries()) {
    flight.mayBeTaken ||= problems[index] === undefined || problems[index].details['sent'] === true;
  }
  return first !== undefined && problems.every((one) => one !== undefined && isRetryable(one))
    ? first
    : answers;
}

/** What the chain says came of a transaction. A problem when no block can hold it any more. */
export async function outcomeOf(nodes: Nodes, hash: Hash): Promise<FinalOutcome | Problem | undefined> {
  const status = await nodes.ask((client) => client.transaction(hash), { deadlineMs: 0 });
  if (status instanceof Problem) return undefined;
  if (status.status === 'gone') return problemOf(status.problem);
  if (status.status !== 'final') return undefined;
  const { height, blockHash, receipt } = status.inclusion;
  return { hash, height, blockHash, receipt };
}

/**
 * The first nonce that no node knows of. Each node counts what waits in its own mempool, so the highest
 * answer wins.
 */
export async function pendingNonce(
  nodes: Nodes,
  publicKey: PublicKey,
  deadlineMs: number,
): Promise<number | Problem> {
  const opinions = await nodes.all((client) => client.account(publicKey));
  if (opinions.length > 0) return Math.max(...opinions.map((opinion) => opinion.pendingNonce));
  const account = await nodes.ask((client) => client.account(publicKey), { deadlineMs });
  return account instanceof Problem ? account : account.pendingNonce;
}

/** Its time was up, and what becomes of it is open. */
export function notFinal({ hash, nonce, expiryHeight }: Transaction): Problem {
  return new Problem('api/not-final', 'the transaction was not final when its time was up', {
    remedy: `It may still become final. Ask for transaction ${hash}, or submit the same bytes again; sign nothing else for the same purpose before it is "gone".`,
    details: { hash, nonce, expiryHeight, outcome: 'unknown' },
  });
}

/** Its time was up while it waited behind others. */
export function neverSigned(): Problem {
  return new Problem('api/not-final', 'its time was up before it was sent: nothing was signed', {
    remedy: 'Ask for less at once, or give it more time (deadlineMs).',
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
