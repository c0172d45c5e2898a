import { Problem } from '../base/problem.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { BlockHeader } from '../ledger/block.ts';
import type { FinalityCertificate } from '../ledger/certificate.ts';
import type { CheckedStep, Trusted } from '../ledger/inclusion.ts';
import type { Account, RecordEntry } from '../ledger/state-entry.ts';
import { type StateReading, verifyAccountReading, verifyRecordReading } from '../ledger/state-reading.ts';
import { stateReadingFromJson } from './inclusion-json.ts';
import { type Known, trustedWith } from './verify.ts';

/** Something in the state after a final block, and what was checked to see it. */
interface VerifiedState {
  /** Of that block: its time says how old the state is. */
  readonly header: BlockHeader;
  /** The block's own, or that of a block above it. */
  readonly certificate: FinalityCertificate;
  readonly steps: readonly CheckedStep[];
}

export interface VerifiedAccount extends VerifiedState {
  /** With nothing in it where the state has none. */
  readonly account: Account;
}

export interface VerifiedRecord extends VerifiedState {
  /** Undefined where the state has none, or it was deleted. */
  readonly record: RecordEntry | undefined;
}

/**
 * Checks an answer of `HttpClient.accountProof` by itself, against the genesis file and nothing else: what
 * the account has after a final block. A node that lies cannot make this pass without the keys of a quorum
 * (in Raft: of the leader), but it can show an older block than it has. A problem `proof/…` says what does
 * not hold.
 */
export function verifyAccount(
  answer: unknown,
  { genesis, epochs, account }: Known & { readonly account: PublicKey },
): VerifiedAccount | Problem {
  const trusted = trustedWith(genesis, epochs);
  return trusted instanceof Problem ? trusted : verifyAccountBy(trusted, answer, account);
}

/** The same of an answer of `HttpClient.recordProof`: the record, or that there is none. */
export function verifyRecord(
  answer: unknown,
  { genesis, epochs, key }: Known & { readonly key: string },
): VerifiedRecord | Problem {
  const trusted = trustedWith(genesis, epochs);
  return trusted instanceof Problem ? trusted : verifyRecordBy(trusted, answer, key);
}

/** The same, by whoever knows the validators already. */
export function verifyAccountBy(
  trusted: Trusted,
  answer: unknown,
  account: PublicKey,
): VerifiedAccount | Problem {
  const reading = stateReadingFromJson(answer);
  if (reading instanceof Problem) return reading;
  const verified = verifyAccountReading(reading, account, trusted);
  return verified instanceof Problem ? verified : { ...placeOf(reading, verified), account: verified.found };
}

export function verifyRecordBy(trusted: Trusted, answer: unknown, key: string): VerifiedRecord | Problem {
  const reading = stateReadingFromJson(answer);
  if (reading instanceof Problem) return reading;
  const verified = verifyRecordReading(reading, key, trusted);
  return verified instanceof Problem ? verified : { ...placeOf(reading, verified), record: verified.found };
}

function placeOf(
  { header, certificate }: StateReading,
  { steps }: { readonly steps: readonly CheckedStep[] },
): VerifiedState {
  return { header, certificate, steps };
}
