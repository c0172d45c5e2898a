import { Problem, unwrap } from '../base/problem.ts';
import { parseAddress } from '../crypto/address.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { followVersions, type HistoryStep, type RecordVersions } from '../ledger/history-proof.ts';
import type { Trusted } from '../ledger/inclusion.ts';
import type { NamespaceEntry } from '../ledger/namespace-entry.ts';
import type { Reservation } from '../ledger/reservation.ts';
import { parseReservation, type ReservationId } from '../ledger/reservation-id.ts';
import type { Account, RecordEntry } from '../ledger/state-entry.ts';
import { pageReading, type RecordPage } from '../ledger/page-reading.ts';
import {
  accountReading,
  namespaceReading,
  recordEntryReading,
  recordReading,
  reservationReading,
} from '../ledger/state-reading.ts';
import type { EpochAnswer, StateReadingAnswer } from './answers.ts';
import { reading } from './inclusion-json.ts';
import { type Known, trustedWith, verifyReceiptBy } from './verify.ts';
import { type VerifiedState, verifyStateBy } from './verify-state.ts';
import { wholeNamespace } from './whole-namespace.ts';

/** What a kept proof is about. `records` are all of a namespace; `history` is the versions of a record. */
const provenThings = ['account', 'record', 'reservation', 'namespace', 'records', 'history'] as const;

/** A proof of something in the state in one piece of JSON, for whoever reads it when no node is asked. */
export interface KeptProof {
  readonly proves: (typeof provenThings)[number];
  /** Of which one: its address, key or name. */
  readonly name: string;
  /** What the proof routes answered: one answer, but of `records` one for each page, in their order. */
  readonly answers: readonly StateReadingAnswer[];
  /** Of `history`: the answers about the transactions that made the versions, the newest first. */
  readonly transactions: readonly unknown[];
  /** How the validators changed from the genesis file on, as `HttpClient.epochs` lists it. */
  readonly epochs: readonly EpochAnswer[];
}

interface About<Thing extends KeptProof['proves'], Name, Value> extends VerifiedState<Value> {
  readonly proves: Thing;
  readonly name: Name;
}

/** What a kept proof shows: what there was of it in the state after the block of `header`. */
export type VerifiedProof =
  | About<'account', PublicKey, Account>
  | About<'record', string, RecordEntry | undefined>
  | About<'reservation', ReservationId, Reservation | undefined>
  | About<'namespace', string, NamespaceEntry | undefined>
  | About<'records', string, RecordPage['records']>
  | About<'history', string, RecordVersions>;

/**
 * Checks a kept proof by itself, against the genesis file and nothing else, and reads what it shows. It says
 * nothing of what happened since that block. A problem `proof/…` says what does not hold.
 */
export async function verifyKeptProof(
  json: unknown,
  { genesis, epochs }: Known,
): Promise<VerifiedProof | Problem> {
  const kept = keptFrom(json);
  if (kept instanceof Problem) return kept;
  const trusted = trustedWith(genesis, epochs ?? kept.epochs);
  if (trusted instanceof Problem) return trusted;
  const { proves, name, answers, transactions } = kept;
  const about = <Thing extends typeof proves, Name, Value>(
    thing: Thing,
    of: Name,
    verified: VerifiedState<Value> | Problem,
  ) => (verified instanceof Problem ? verified : { proves: thing, name: of, ...verified });
  const [answer] = answers;
  switch (proves) {
    case 'account':
      return about(proves, name, verifyStateBy(trusted, accountReading, answer, name));
    case 'record':
      return about(proves, name, verifyStateBy(trusted, recordReading, answer, name));
    case 'reservation':
      return about(proves, name, verifyStateBy(trusted, reservationReading, answer, name));
    case 'namespace':
      return about(proves, name, verifyStateBy(trusted, namespaceReading, answer, name));
    case 'records':
      return about(proves, name, await verifyPages(trusted, name, answers));
    case 'history':
      return about(proves, name, verifyVersions(trusted, name, answer, transactions));
  }
}

/** It in its outer form, from JSON that nobody vouches for: what its parts show is found out from them. */
function keptFrom(json: unknown) {
  return reading(() => {
    const { proves, name, answers, transactions, epochs } = json as KeptProof;
    if (!provenThings.includes(proves)) throw new Error('it is about nothing that is known here');
    if (typeof name !== 'string') throw new Error('it does not name what it is about');
    if (!Array.isArray(answers) || !Array.isArray(transactions)) throw new Error('a list is missing in it');
    if (answers.length !== 1 && proves !== 'records') throw new Error(`it has ${answers.length} answers`);
    const parts: Pick<KeptProof, 'answers' | 'transactions' | 'epochs'> = { answers, transactions, epochs };
    if (proves === 'account') return { proves, name: unwrap(parseAddress(name)), ...parts };
    if (proves === 'reservation') return { proves, name: unwrap(parseReservation(name)), ...parts };
    return { proves, name, ...parts };
  });
}

/** All records of a namespace, when these pages are all of one list of them. */
async function verifyPages(
  trusted: Trusted,
  namespace: string,
  pages: readonly unknown[],
): Promise<VerifiedState<RecordPage['records']> | Problem> {
  let next = 0;
  // Those of two lists do not follow each other: then it begins again, and the page behind is not the first.
  const whole = await wholeNamespace(namespace, (after) =>
    Promise.resolve(verifyStateBy(trusted, pageReading, pages[next++], { namespace, after })),
  );
  return whole instanceof Problem ? whole : { ...whole.page, value: whole.records };
}

function verifyVersions(
  trusted: Trusted,
  key: string,
  answer: unknown,
  transactions: readonly unknown[],
): VerifiedState<RecordVersions> | Problem {
  const state = verifyStateBy(trusted, recordEntryReading, answer, key);
  if (state instanceof Problem) return state;
  const steps: HistoryStep[] = [];
  for (const transaction of transactions) {
    const verified = verifyReceiptBy(trusted, transaction, undefined);
    if (verified instanceof Problem) return verified;
    steps.push(verified.inclusion);
  }
  const { height } = state.header;
  const value = followVersions({ key, entry: state.value, height, steps });
  return value instanceof Problem ? value : { ...state, value };
}
