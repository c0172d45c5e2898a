import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { BlockHeader } from '../ledger/block.ts';
import { type Genesis, trustedBy } from '../ledger/genesis.ts';
import {
  type CheckedStep,
  type Inclusion,
  trustEpochs,
  type Trusted,
  verifyFinality,
  verifyInclusion,
} from '../ledger/inclusion.ts';
import { epochsFromJson, finalityFromJson, inclusionFromJson } from './inclusion-json.ts';

/** What was proven, read from the proof itself, and what was checked to see it. */
export interface VerifiedReceipt {
  readonly inclusion: Inclusion;
  readonly steps: readonly CheckedStep[];
}

export interface VerifiedHeader {
  readonly header: BlockHeader;
  readonly steps: readonly CheckedStep[];
}

/** What is known before anything is checked. */
export interface Known {
  /** All that is trusted. */
  readonly genesis: Genesis;
  /**
   * How the validators changed since, as `HttpClient.epochs` answers: itself proven from the genesis file on,
   * so it may come from anybody.
   */
  readonly epochs?: unknown;
}

/**
 * Checks an answer of `HttpClient.transaction` by itself, against the genesis file and nothing else: that the
 * transaction is final, at which place, and what came of it. A node that lies cannot make this pass without
 * the keys of a quorum (in Raft: of the leader). `hash` is the transaction that was meant. A problem
 * `proof/…` says what does not hold. Changes of the validators may stand in the answer as `epochs`.
 */
export function verifyReceipt(
  answer: unknown,
  { genesis, epochs, hash }: Known & { readonly hash?: Hash },
): VerifiedReceipt | Problem {
  const inclusion = inclusionFromJson(insideOf(answer));
  if (inclusion instanceof Problem) return inclusion;
  if (hash !== undefined && inclusion.transaction.hash !== hash) {
    return new Problem('proof/transaction', `this is about transaction ${inclusion.transaction.hash}`, {
      remedy: 'Ask another node for the transaction that is meant.',
      details: { wanted: hash, found: inclusion.transaction.hash },
    });
  }
  const trusted = trustedWith(genesis, epochs ?? epochsIn(answer));
  if (trusted instanceof Problem) return trusted;
  const steps = verifyInclusion(inclusion, trusted);
  return steps instanceof Problem ? steps : { inclusion, steps };
}

/** The same of a block's header: `answer` has `header`, `descendants` and `certificate`. */
export function verifyHeader(answer: unknown, { genesis, epochs }: Known): VerifiedHeader | Problem {
  const proof = finalityFromJson(answer);
  if (proof instanceof Problem) return proof;
  const trusted = trustedWith(genesis, epochs ?? epochsIn(answer));
  if (trusted instanceof Problem) return trusted;
  const steps = verifyFinality(proof, trusted);
  return steps instanceof Problem ? steps : { header: proof.header, steps };
}

/** The validators of each epoch, as far as they are proven from the genesis file on. */
function trustedWith(genesis: Genesis, epochs: unknown): Trusted | Problem {
  const first = trustedBy(genesis);
  const proofs = epochs === undefined ? [] : epochsFromJson(epochs);
  return proofs instanceof Problem ? proofs : trustEpochs(first, proofs);
}

function epochsIn(answer: unknown): unknown {
  return typeof answer === 'object' && answer !== null && 'epochs' in answer ? answer.epochs : undefined;
}

/** The proof in a whole answer, or the proof alone. */
function insideOf(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null) return answer;
  return 'inclusion' in answer ? answer.inclusion : answer;
}
