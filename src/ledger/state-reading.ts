import { type Codec, decode, encode } from '../base/codec.ts';
import { Problem } from '../base/problem.ts';
import { encodeAddress } from '../crypto/address.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { type CheckedStep, type FinalityProof, type Trusted, unproven, verifyFinality } from './inclusion.ts';
import { proveRecord, recordProofCodec, verifyRecordProof } from './record-proof.ts';
import type { State } from './state.ts';
import {
  type Account,
  accountCodec,
  accountStateKey,
  noAccount,
  recordCodec,
  type RecordEntry,
  recordIn,
  type Tombstone,
} from './state-entry.ts';
import { stateProofCodec, verifyStateProof } from './state-proof.ts';

/** What a state has under one key, and what shows that against the state's root. */
export interface ProvenEntry {
  /** The bytes of the entry; null where there is none, which is shown as well. */
  readonly entry: Uint8Array | null;
  /** As encoded: `stateProofCodec` of an account, `recordProofCodec` of a record. */
  readonly proof: Uint8Array;
}

/** The same of the state after a block, with what shows that the block is final. */
export interface StateReading extends ProvenEntry, FinalityProof {}

/** What was read, and what was checked to see that it is so. */
interface Found<T> {
  readonly found: T;
  readonly steps: readonly CheckedStep[];
}

export function readAccountProven(state: State, publicKey: PublicKey): ProvenEntry {
  const key = accountStateKey(publicKey);
  return { entry: state.get(key) ?? null, proof: encode(stateProofCodec, state.prove(key)) };
}

export function readRecordProven(state: State, key: string): ProvenEntry {
  const { entry, proof } = proveRecord(state, key);
  return { entry, proof: encode(recordProofCodec, proof) };
}

/**
 * The account in a reading, one without anything where there is no entry. A problem (`proof/…`) when the
 * state after that block has something else of it, or nothing shows that the block is final. Asks nobody.
 */
export function verifyAccountReading(
  reading: StateReading,
  publicKey: PublicKey,
  trusted: Trusted,
): Found<Account> | Problem {
  const { entry } = reading;
  const steps = check(
    reading,
    trusted,
    `account ${encodeAddress(publicKey)}`,
    stateProofCodec,
    (root, proof) => verifyStateProof({ root, key: accountStateKey(publicKey), value: entry, proof }),
  );
  if (steps instanceof Problem) return steps;
  const found = entry === null ? noAccount : decode(accountCodec, entry, 'the account');
  return found instanceof Problem ? found : { found, steps };
}

/** The same of a record; undefined where there is none, or it was deleted. */
export function verifyRecordReading(
  reading: StateReading,
  key: string,
  trusted: Trusted,
): Found<RecordEntry | undefined> | Problem {
  const { entry } = reading;
  const name = `record ${JSON.stringify(key)}`;
  const steps = check(reading, trusted, name, recordProofCodec, (root, proof) =>
    verifyRecordProof({ root, key, entry, proof }),
  );
  if (steps instanceof Problem) return steps;
  const found: RecordEntry | Tombstone | undefined | Problem =
    entry === null ? undefined : decode(recordCodec, entry, 'the record');
  return found instanceof Problem ? found : { found: recordIn(found), steps };
}

function check<Proof>(
  reading: StateReading,
  trusted: Trusted,
  name: string,
  codec: Codec<Proof>,
  verify: (root: StateReading['header']['stateRoot'], proof: Proof) => boolean,
): readonly CheckedStep[] | Problem {
  const { height, stateRoot } = reading.header;
  const proof = decode(codec, reading.proof, 'the proof of an entry');
  if (proof instanceof Problem || !verify(stateRoot, proof)) {
    return unproven('proof/state', `the state after block ${height} holds something else of ${name}`, height);
  }
  const finality = verifyFinality(reading, trusted);
  if (finality instanceof Problem) return finality;
  const what = reading.entry === null ? 'nothing' : 'this';
  return [{ check: 'state', says: `the state after block ${height} holds ${what} of ${name}` }, ...finality];
}
