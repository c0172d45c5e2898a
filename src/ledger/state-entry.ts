import { concat, fromHex, utf8 } from '../base/bytes.ts';
import { boundedBytes, type Codec, decode, encode, struct, u48, u64 } from '../base/codec.ts';
import { invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { hashInto } from '../crypto/hash.ts';
import { publicKeyCodec, type PublicKey } from '../crypto/signature.ts';

/** Who has what. A key that never received anything has balance 0 and nonce 0, and no entry. */
export interface Account {
  /** In the smallest unit; all balances together fit into 64 bits (checked in the genesis, and then conserved). */
  readonly balance: bigint;
  /** How many transactions of this account stand in blocks: the nonce of its next one. */
  readonly nonce: number;
}

/** A record and the only account that may change it. */
export interface RecordEntry {
  readonly owner: PublicKey;
  readonly value: Uint8Array;
}

/**
 * One entry of the state that becomes `value`, or goes away (null). Keys start with a byte for their kind, so that a
 * store keeps accounts and records apart and can list either.
 */
export interface StateChange {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

export const accountKind = 1;
export const recordKind = 2;

export function accountStateKey(publicKey: PublicKey): Uint8Array {
  return concat(Uint8Array.of(accountKind), fromHex(publicKey));
}

export function recordStateKey(key: string): Uint8Array {
  return concat(Uint8Array.of(recordKind), utf8(key));
}

/** Where an entry sits in the tree: spread evenly, whatever keys people choose. */
export function statePath(key: Uint8Array): Uint8Array {
  const path = new Uint8Array(32);
  writeStatePath(key, path, 0);
  return path;
}

/** The same 32 bytes, written into `target` from `at` on. */
export function writeStatePath(key: Uint8Array, target: Uint8Array, at: number): void {
  hashInto('quorate/v1/state-key', target, at, key);
}

const accountCodec: Codec<Account> = struct<Account>({ balance: u64, nonce: u48 });
const recordCodec: Codec<RecordEntry> = struct<RecordEntry>({
  owner: publicKeyCodec,
  value: boundedBytes(limits.maxRecordValueBytes),
});

/** What the state holds of an account: null for one that never received or sent anything. */
export function encodeAccount(account: Account): Uint8Array | null {
  return account.balance === 0n && account.nonce === 0 ? null : encode(accountCodec, account);
}

export function encodeRecord(record: RecordEntry): Uint8Array {
  return encode(recordCodec, record);
}

/** The account in a state value, which proofs and storage have vouched for. */
export function decodeAccount(value: Uint8Array): Account {
  const account = decode(accountCodec, value, 'account');
  invariant(!(account instanceof Problem), 'an account in the state has the form of one');
  return account;
}

/** The record in a state value, which proofs and storage have vouched for. */
export function decodeRecord(value: Uint8Array): RecordEntry {
  const record = decode(recordCodec, value, 'record');
  invariant(!(record instanceof Problem), 'a record in the state has the form of one');
  return record;
}
