import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { Transaction } from '../ledger/transaction.ts';
import type { MissingNonceAnswer, ProblemAnswer, TransactionStatusAnswer } from './answers.ts';

/** The state of a transaction that is neither final nor gone, as a part of a sentence. */
export function waitingWords(
  answer: Extract<TransactionStatusAnswer, { status: 'pending' | 'unknown' }>,
): string {
  if (answer.status === 'unknown') return answer.problem?.detail ?? 'the node does not know it';
  const { missing } = answer;
  // A node of another version may not say it.
  if (missing?.nonce === undefined) return 'it waits to be put into a block';
  return `it waits for nonce ${missing.nonce} of ${missing.sender}, which the node does not have${untilExpiry(missing)}`;
}

/** When it will stop waiting, as a part of a sentence. */
export function untilExpiry({ expiryHeight }: MissingNonceAnswer): string {
  // A node of another version may not say it.
  return expiryHeight === undefined ? '' : `; it is gone when block ${expiryHeight} is final`;
}

/** A problem that is a part of an answer, as a problem of our own. */
export function problemOf(answer: ProblemAnswer): Problem {
  return Problem.received(answer.code, answer.detail, {
    remedy: answer.remedy,
    details: answer.details,
  });
}

export function problemPart(problem: Problem): ProblemAnswer {
  const { code, message, remedy, details } = problem;
  return { code, detail: message, remedy, details };
}

/** The problem of a transaction that comes after the one that failed, and was not sent. */
export function notSentAfter(failure: Problem): Problem {
  return failure.restated(`${failure.message}; this one was not sent`, {
    remedy: failure.remedy,
    details: { ...failure.details, sent: false },
    cause: failure,
  });
}

/**
 * A request that may have reached the node and was not answered leaves it open whether
 * the transaction was taken.
 */
export function withOutcome(problem: Problem, hash: Hash): Problem {
  if (problem.details['sent'] !== true) return problem;
  return problem.restated(`${problem.message}; whether the node took the transaction is unknown`, {
    remedy: `${problem.code === 'api/answer' ? `${problem.remedy} Then ask` : 'Ask'} for transaction ${hash}, or submit the same transaction again: it counts only once.`,
    details: { ...problem.details, hash, outcome: 'unknown' },
    cause: problem,
  });
}

/** Who waited for a transaction cannot see any more what becomes of it. */
export function unseen(problem: Problem, hash: Hash): Problem {
  const { message, details } = problem;
  return problem.restated(`${message}; what becomes of the transaction is not seen here`, {
    remedy: `Ask for transaction ${hash}, or submit the same bytes again: they count once. ${problem.remedy}`,
    details: { ...details, hash, outcome: 'unknown' },
    cause: problem,
  });
}

/**
 * What is wrong with something that was given as a transaction, as plain JavaScript may. A problem (of a
 * wallet that could not sign) speaks for itself.
 */
export function noTransaction(given: unknown): Problem | undefined {
  if (given instanceof Problem) return given;
  const { bytes, hash } = (given ?? {}) as Partial<Transaction>;
  if (bytes instanceof Uint8Array && typeof hash === 'string') return undefined;
  const what =
    given instanceof Promise ? 'a promise of something' : given === null ? 'null' : `of type ${typeof given}`;
  return new Problem(
    'transaction/malformed',
    `what was given to be submitted is no transaction: it is ${what}`,
    {
      remedy: 'Give what a wallet or "decodeTransaction" made, and await it where it is a promise.',
      details: { sent: false },
    },
  );
}
