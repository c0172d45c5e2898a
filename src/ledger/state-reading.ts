import { type Codec, decode, encode } from '../base/codec.ts';
import { Problem } from '../base/problem.ts';
import { encodeAddress } from '../crypto/address.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { type CheckedStep, type FinalityProof, type Trusted, unproven, verifyFinality } from './inclusion.ts';
import { type NamespaceEntry, readNamespace } from './namespace-entry.ts';
import { proveRecord, recordProofCodec, verifyRecordProof } from './record-proof.ts';
import { type Reservation, reservationCodec, reservationStateKey } from './reservation.ts';
import { type ReservationId, reservationText } from './reservation-id.ts';
import type { State } from './state.ts';
import {
  type Account,
  accountCodec,
  accountStateKey,
  namespaceStateKey,
  noAccount,
  recordCodec,
  type RecordEntry,
  recordIn,
  type Tombstone,
} from './state-entry.ts';
import { stateProofCodec, verifyStateProof } from './state-proof.ts';

/** What a state has under one key, and what shows that against the state's root. */
interface ProvenEntry {
  /** The bytes of the entry, or of a listing; null where there is none, which is shown as well. */
  readonly entry: Uint8Array | null;
  /**
   * As encoded: `recordProofCodec` of a record, `listingProofCodec` of a listing, `stateProofCodec` of all
   * else.
   */
  readonly proof: Uint8Array;
}

/** The same of the state after a block, with what shows that the block is final. */
export interface StateReading extends ProvenEntry, FinalityProof {}

/** What can be read of a state with its proof: `Name` says which one, `Value` what there is. */
export interface StateKind<Name, Value> {
  /** In words, with its name. */
  readonly says: (name: Name) => string;
  /** In words, that there is none. */
  readonly lacks: (name: Name) => string;
  readonly read: (state: State, name: Name) => ProvenEntry;
  /** Whether a state with this root has just this entry under the name. Never throws, whatever the proof. */
  readonly holds: (root: Hash, name: Name, proven: ProvenEntry) => boolean;
  /** What a proven entry says; a problem when this program does not know its form. */
  readonly valueOf: (proven: ProvenEntry) => Value | Problem;
}

/** Without anything in it where the state has none. */
export const accountReading: StateKind<PublicKey, Account> = {
  says: (publicKey) => `account ${encodeAddress(publicKey)}`,
  lacks: (publicKey) => `account ${encodeAddress(publicKey)} has nothing`,
  ...inMainTree(accountStateKey),
  valueOf: ({ entry }) => (entry === null ? noAccount : decode(accountCodec, entry, 'the account')),
};

/** Undefined where there never was one. */
export const recordEntryReading: StateKind<string, RecordEntry | Tombstone | undefined> = {
  says: (key) => `record ${JSON.stringify(key)}`,
  lacks: (key) => `there is no record ${JSON.stringify(key)}`,
  read(state, key) {
    const { entry, proof } = proveRecord(state, key);
    return { entry, proof: encode(recordProofCodec, proof) };
  },
  holds: (root, key, { entry, proof }) =>
    shows(recordProofCodec, proof, (read) => verifyRecordProof({ root, key, entry, proof: read })),
  valueOf: ({ entry }) => (entry === null ? undefined : decode(recordCodec, entry, 'the record')),
};

/** Undefined where there is none, or it was deleted. */
export const recordReading: StateKind<string, RecordEntry | undefined> = {
  ...recordEntryReading,
  valueOf(proven) {
    const found = recordEntryReading.valueOf(proven);
    return found instanceof Problem ? found : recordIn(found);
  },
};

/** Undefined where there was none, or it ended long ago (`limits.reservationAfterlife`). */
export const reservationReading: StateKind<ReservationId, Reservation | undefined> = {
  says: (id) => `reservation ${reservationText(id)}`,
  lacks: (id) => `there is no reservation ${reservationText(id)}`,
  ...inMainTree(reservationStateKey),
  valueOf: ({ entry }) => (entry === null ? undefined : decode(reservationCodec, entry, 'the reservation')),
};

/** Undefined for one that was never opened. */
export const namespaceReading: StateKind<string, NamespaceEntry | undefined> = {
  says: (name) => `namespace ${JSON.stringify(name)}`,
  lacks: (name) => `the namespace ${JSON.stringify(name)} was never opened`,
  ...inMainTree(namespaceStateKey),
  // `State.get` gives its rules alone.
  read(state, name) {
    const { value, proof } = state.proveNamespace(name);
    return { entry: value, proof: encode(stateProofCodec, proof) };
  },
  valueOf: ({ entry }) => (entry === null ? undefined : readNamespace(entry)),
};

/**
 * What a reading shows of what is named. A problem (`proof/…`) when the state after that block has something
 * else of it, or nothing shows that the block is final. Asks nobody.
 */
export function verifyReading<Name, Value>(
  kind: StateKind<Name, Value>,
  reading: StateReading,
  name: Name,
  trusted: Trusted,
): { readonly found: Value; readonly steps: readonly CheckedStep[] } | Problem {
  const wrong = misdirected(kind, reading, name);
  if (wrong !== undefined) return wrong;
  const { height } = reading.header;
  const finality = verifyFinality(reading, trusted);
  if (finality instanceof Problem) return finality;
  const found = kind.valueOf(reading);
  if (found instanceof Problem) return found;
  const says = `the state after block ${height} holds ${reading.entry === null ? 'nothing' : 'this'} of ${kind.says(name)}`;
  return { found, steps: [{ check: 'state', says }, ...finality] };
}

/** A problem when the state after the block has something else; who signed the block is not looked at. */
export function misdirected<Name>(
  kind: StateKind<Name, unknown>,
  reading: StateReading,
  name: Name,
): Problem | undefined {
  const { height, stateRoot } = reading.header;
  if (kind.holds(stateRoot, name, reading)) return undefined;
  const what = kind.says(name);
  return unproven('proof/state', `the state after block ${height} holds something else of ${what}`, height);
}

/** How an entry is read that stands in the main tree under a key of its name. */
function inMainTree<Name>(keyOf: (name: Name) => Uint8Array): Pick<StateKind<Name, never>, 'read' | 'holds'> {
  return {
    read(state, name) {
      const key = keyOf(name);
      return { entry: state.get(key) ?? null, proof: encode(stateProofCodec, state.prove(key)) };
    },
    holds: (root, name, { entry, proof }) =>
      shows(stateProofCodec, proof, (read) =>
        verifyStateProof({ root, key: keyOf(name), value: entry, proof: read }),
      ),
  };
}

/** Whether these bytes are a proof that shows it. */
export function shows<Proof>(
  codec: Codec<Proof>,
  bytes: Uint8Array,
  verify: (proof: Proof) => boolean,
): boolean {
  const proof = decode(codec, bytes, 'the proof of an entry');
  return !(proof instanceof Problem) && verify(proof);
}
