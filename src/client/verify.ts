import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { BlockHeader } from '../ledger/block.ts';
import { type Genesis, trustedBy } from '../ledger/genesis.ts';
import { type CheckedStep, type Inclusion, verifyFinality, verifyInclusion } from '../ledger/inclusion.ts';
import { finalityFromJson, inclusionFromJson } from './inclusion-json.ts';

/** What was proven, read from the proof itself, and what was checked to see it. */
export interface VerifiedReceipt {
  readonly inclusion: Inclusion;
  readonly steps: readonly CheckedStep[];
}

export interface VerifiedHeader {
  readonly header: BlockHeader;
  readonly steps: readonly CheckedStep[];
}

/**
 * Checks an answer of `HttpClient.transaction` by itself, against the genesis file and nothing else: that the
 * transaction is final, at which place, and what came of it. A node that lies cannot make this pass without
 * the keys of a quorum (in Raft: of the leader). `hash` is the transaction that was meant. A problem
 * `proof/…` says what does not hold.
 */
export function verifyReceipt(
  answer: unknown,
  { genesis, hash }: { readonly genesis: Genesis; readonly hash?: Hash },
): VerifiedReceipt | Problem {
  const inclusion = inclusionFromJson(insideOf(answer));
  if (inclusion instanceof Problem) return inclusion;
  if (hash !== undefined && inclusion.transaction.hash !== hash) {
    return new Problem('proof/transaction', `this is about transaction ${inclusion.transaction.hash}`, {
      remedy: 'Ask another node for the transaction that is meant.',
      details: { wanted: hash, found: inclusion.transaction.hash },
    });
  }
  const steps = verifyInclusion(inclusion, trustedBy(genesis));
  return steps instanceof Problem ? steps : { inclusion, steps };
}

/** The same of a block's header: `answer` has `header`, `descendants` and `certificate`. */
export function verifyHeader(
  answer: unknown,
  { genesis }: { readonly genesis: Genesis },
): VerifiedHeader | Problem {
  const proof = finalityFromJson(answer);
  if (proof instanceof Problem) return proof;
  const steps = verifyFinality(proof, trustedBy(genesis));
  return steps instanceof Problem ? steps : { header: proof.header, steps };
}

/** The proof in a whole answer, or the proof alone. */
function insideOf(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null) return answer;
  return 'inclusion' in answer ? answer.inclusion : answer;
}
