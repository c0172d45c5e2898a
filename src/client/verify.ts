import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import { type BlockHeader, hashHeader } from '../ledger/block.ts';
import type { FinalityCertificate } from '../ledger/certificate.ts';
import { verifyDoubleVote } from '../ledger/contradiction.ts';
import { type Genesis, trustedBy } from '../ledger/genesis.ts';
import {
  type CheckedStep,
  type Inclusion,
  trustEpochs,
  type Trusted,
  verifyBody,
  verifyFinality,
  verifyInclusion,
  verifyReceipts,
} from '../ledger/inclusion.ts';
import type { Receipt } from '../ledger/receipt.ts';
import {
  type BlockBody,
  bodyFromJson,
  doubleVoteFromJson,
  epochsFromJson,
  finalityFromJson,
  headerFromJson,
  inclusionFromJson,
  receiptsFromJson,
} from './inclusion-json.ts';

/** What was proven, read from the proof itself, and what was checked to see it. */
export interface VerifiedReceipt {
  readonly inclusion: Inclusion;
  readonly steps: readonly CheckedStep[];
}

export interface VerifiedHeader {
  readonly header: BlockHeader;
  /** The block's own, or that of a block above it. */
  readonly certificate: FinalityCertificate;
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

/** What stands in a block, read from what the header's roots cover. */
interface VerifiedBody extends BlockBody {
  readonly steps: readonly CheckedStep[];
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
  const trusted = trustedWith(genesis, epochs ?? epochsIn(answer));
  return trusted instanceof Problem ? trusted : verifyReceiptBy(trusted, answer, hash);
}

/** The same of a block's header: `answer` has `header`, `descendants` and `certificate`. */
export function verifyHeader(answer: unknown, { genesis, epochs }: Known): VerifiedHeader | Problem {
  const trusted = trustedWith(genesis, epochs ?? epochsIn(answer));
  return trusted instanceof Problem ? trusted : verifyHeaderBy(trusted, answer);
}

/** The same, by whoever knows the validators already. */
export function verifyReceiptBy(
  trusted: Trusted,
  answer: unknown,
  hash: Hash | undefined,
): VerifiedReceipt | Problem {
  const inclusion = inclusionFromJson(answer);
  if (inclusion instanceof Problem) return inclusion;
  if (hash !== undefined && inclusion.transaction.hash !== hash) {
    return new Problem('proof/transaction', `this is about transaction ${inclusion.transaction.hash}`, {
      remedy: 'Ask another node for the transaction that is meant.',
      details: { wanted: hash, found: inclusion.transaction.hash },
    });
  }
  const steps = verifyInclusion(inclusion, trusted);
  return steps instanceof Problem ? steps : { inclusion, steps };
}

export function verifyHeaderBy(trusted: Trusted, answer: unknown): VerifiedHeader | Problem {
  const proof = finalityFromJson(answer);
  if (proof instanceof Problem) return proof;
  const { header, certificate } = proof;
  const steps = verifyFinality(proof, trusted);
  return steps instanceof Problem ? steps : { header, certificate, steps };
}

/**
 * Checks what `HttpClient.block` answers in full: that these are all transactions and receipts of a block
 * whose header is proven.
 */
export function verifyBlockBody(answer: unknown, header: BlockHeader): VerifiedBody | Problem {
  const body = bodyFromJson(answer);
  if (body instanceof Problem) return body;
  const { transactions, receipts } = body;
  const steps = verifyBody(
    header,
    transactions.map(({ hash }) => hash),
    receipts,
  );
  return steps instanceof Problem ? steps : { ...body, steps };
}

/** What came of each transaction of such a block: its receipts are all that is looked at. */
export function verifyBlockReceipts(
  answer: unknown,
  header: Pick<BlockHeader, 'height' | 'receiptsRoot'>,
): readonly Receipt[] | Problem {
  const receipts = receiptsFromJson(answer);
  if (receipts instanceof Problem) return receipts;
  const step = verifyReceipts(header, receipts);
  return step instanceof Problem ? step : receipts;
}

/** The header that is shown, when it is the one that a certificate or the parent hash above it names. */
export function certifiedHeader(shown: unknown, hash: Hash): BlockHeader | Problem {
  const header = headerFromJson(shown);
  if (header instanceof Problem) return header;
  if (hashHeader(header) === hash) return header;
  const { height } = header;
  return new Problem('proof/headers', `the certified chain has another block at height ${height}`, {
    remedy: 'Believe nothing of it, and ask another node.',
    details: { height, shown: hashHeader(header), certified: hash },
  });
}

/**
 * Checks an item of `HttpClient.evidence` by itself: that one validator signed two votes of one kind for
 * different blocks at one place. Says so in a sentence, or why it is not shown. Evidence of other kinds is
 * `proof/malformed` here.
 */
export function verifyContradiction(item: unknown, { genesis, epochs }: Known): string | Problem {
  const trusted = trustedWith(genesis, epochs);
  return trusted instanceof Problem ? trusted : verifyContradictionBy(trusted, item);
}

export function verifyContradictionBy(trusted: Trusted, item: unknown): string | Problem {
  const double = doubleVoteFromJson(item);
  return double instanceof Problem ? double : verifyDoubleVote(double, trusted);
}

/** The validators of each epoch, as far as they are proven from the genesis file on. */
export function trustedWith(genesis: Genesis, epochs: unknown): Trusted | Problem {
  const proofs = epochs === undefined ? [] : epochsFromJson(epochs);
  return proofs instanceof Problem ? proofs : trustEpochs(trustedBy(genesis), proofs);
}

function epochsIn(answer: unknown): unknown {
  return typeof answer === 'object' && answer !== null && 'epochs' in answer ? answer.epochs : undefined;
}
