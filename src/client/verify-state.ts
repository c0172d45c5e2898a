import { Problem } from '../base/problem.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { BlockHeader } from '../ledger/block.ts';
import type { FinalityCertificate } from '../ledger/certificate.ts';
import type { CheckedStep, Trusted } from '../ledger/inclusion.ts';
import type { NamespaceEntry } from '../ledger/namespace-entry.ts';
import type { Reservation } from '../ledger/reservation.ts';
import type { ReservationId } from '../ledger/reservation-id.ts';
import type { Account, RecordEntry } from '../ledger/state-entry.ts';
import {
  accountReading,
  namespaceReading,
  recordReading,
  reservationReading,
  type StateKind,
  verifyReading,
} from '../ledger/state-reading.ts';
import { stateReadingFromJson } from './inclusion-json.ts';
import { type Known, trustedWith } from './verify.ts';

/** Something in the state after a final block, and what was checked to see it. */
export interface VerifiedState<Value> {
  readonly value: Value;
  /** Of that block: its time says how old the state is. */
  readonly header: BlockHeader;
  /** The block's own, or that of a block above it. */
  readonly certificate: FinalityCertificate;
  readonly steps: readonly CheckedStep[];
}

/**
 * Checks an answer of `HttpClient.accountProof` by itself, against the genesis file and nothing else: what
 * the account has after a final block. A node that lies cannot make this pass without the keys of a quorum
 * (in Raft: of the leader), but it can show an older block than it has. A problem `proof/…` says what does
 * not hold.
 */
export function verifyAccount(
  answer: unknown,
  { account, ...known }: Known & { readonly account: PublicKey },
): VerifiedState<Account> | Problem {
  return verifyState(accountReading, answer, account, known);
}

/** The same of `recordProof`: undefined is shown as well, where there is none or it was deleted. */
export function verifyRecord(
  answer: unknown,
  { key, ...known }: Known & { readonly key: string },
): VerifiedState<RecordEntry | undefined> | Problem {
  return verifyState(recordReading, answer, key, known);
}

/** The same of `reservationProof`: undefined where there was none, or it ended long ago. */
export function verifyReservation(
  answer: unknown,
  { reservation, ...known }: Known & { readonly reservation: ReservationId },
): VerifiedState<Reservation | undefined> | Problem {
  return verifyState(reservationReading, answer, reservation, known);
}

/** The same of `namespaceProof`: undefined for one that was never opened. */
export function verifyNamespace(
  answer: unknown,
  { name, ...known }: Known & { readonly name: string },
): VerifiedState<NamespaceEntry | undefined> | Problem {
  return verifyState(namespaceReading, answer, name, known);
}

/** As `verifyAccount` and its like, of a kind of thing. */
export function verifyState<Name, Value>(
  kind: StateKind<Name, Value>,
  answer: unknown,
  name: Name,
  { genesis, epochs }: Known,
): VerifiedState<Value> | Problem {
  const trusted = trustedWith(genesis, epochs);
  return trusted instanceof Problem ? trusted : verifyStateBy(trusted, kind, answer, name);
}

/** The same, by whoever knows the validators already. */
export function verifyStateBy<Name, Value>(
  trusted: Trusted,
  kind: StateKind<Name, Value>,
  answer: unknown,
  name: Name,
): VerifiedState<Value> | Problem {
  const reading = stateReadingFromJson(answer);
  if (reading instanceof Problem) return reading;
  const verified = verifyReading(kind, reading, name, trusted);
  if (verified instanceof Problem) return verified;
  const { header, certificate } = reading;
  return { value: verified.found, header, certificate, steps: verified.steps };
}
