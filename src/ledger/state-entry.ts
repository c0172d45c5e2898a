import { concat, utf8, writeHex } from '../base/bytes.ts';
import {
  boundedBytes,
  type Codec,
  encode,
  optional,
  refine,
  sparse,
  struct,
  u16,
  u48,
  u64,
  u8,
  union,
} from '../base/codec.ts';
import { ByteReader } from '../base/byte-reader.ts';
import { invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import { hashInto } from '../crypto/hash.ts';
import { publicKeyCodec, type PublicKey } from '../crypto/signature.ts';
import { writeAccountPath } from './account-paths.ts';
import { type Height, heightCodec } from './block.ts';
import { amountCodec, checkKeySet, type KeySet, keySetRule, sortedKeysCodec } from './operation.ts';
import { decodeStateValue } from './state-value.ts';

/** Who has what. A key that never received anything has balance 0 and nonce 0, and no entry. */
export interface Account {
  /**
   * What it can spend, in the smallest unit; all coins together fit into 64 bits (checked in the
   * genesis, and then conserved).
   */
  readonly balance: bigint;
  /** What it reserved for others, beside the balance: nobody can spend it before its reservation ends. */
  readonly held: bigint;
  /** How many transactions of this account stand in blocks: the nonce of its next one. */
  readonly nonce: number;
  /** Which keys sign for it. Undefined as long as its own key alone does, the one that its address names. */
  readonly keys: KeySet | undefined;
}

/** Where in the chain something was done. */
export interface Place {
  readonly height: Height;
  /** The index of the transaction in its block. */
  readonly transaction: number;
  /** The index of the operation in its transaction. */
  readonly operation: number;
}

/** Every change of a record makes a version of it: 1, 2, 3 …, also across its deletion. */
interface Versioned {
  readonly version: number;
  /** Where this version was made. */
  readonly changed: Place;
  /** Where the one before it was made; undefined for the first. */
  readonly previous: Place | undefined;
}

/** A record and the only account that may change it. */
export interface RecordEntry extends Versioned {
  readonly type: 'record';
  readonly owner: PublicKey;
  readonly value: Uint8Array;
}

/**
 * What stays of a deleted record, so that its key's history can be followed. Anybody may write the key again.
 */
export interface Tombstone extends Versioned {
  readonly type: 'tombstone';
}

/** The record of an entry; undefined where it was deleted, or never was. */
export function recordIn(entry: RecordEntry | Tombstone | undefined): RecordEntry | undefined {
  return entry?.type === 'record' ? entry : undefined;
}

/**
 * One entry of the state that becomes `value`, or goes away (null). Keys start with a byte for their kind, so
 * that a store keeps accounts and records apart and can list either.
 */
export interface StateChange {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/** Changes in their order, by place: a list, or what makes each when it is asked for. */
export type StateChanges = Pick<readonly StateChange[], 'length' | 'at'>;

export const accountKind = 1;
const recordKind = 2;
export const namespaceKind = 3;

/** Its kind, and the public key. */
export const accountKeyBytes = 33;

export function accountStateKey(publicKey: PublicKey): Uint8Array {
  const key = new Uint8Array(accountKeyBytes);
  writeAccountStateKey(key, publicKey);
  return key;
}

/** The same, written over all of `key`. */
export function writeAccountStateKey(key: Uint8Array, publicKey: PublicKey): void {
  key[0] = accountKind;
  invariant(writeHex(key, 1, publicKey), 'a public key is hex');
}

export function recordStateKey(key: string): Uint8Array {
  return namedKey(recordKind, key);
}

/** A byte order mark in front is a part of the key. */
const keyDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The record's key in a key of `recordStateKey`, or the name in one of `namespaceStateKey`. */
export function nameIn(key: Uint8Array): string {
  return keyDecoder.decode(key.subarray(1));
}

export function namespaceStateKey(name: string): Uint8Array {
  return namedKey(namespaceKind, name);
}

function namedKey(kind: number, name: string): Uint8Array {
  const key = new Uint8Array(1 + name.length);
  key[0] = kind;
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at);
    // Most names are ASCII.
    if (code >= 0x80) return concat(Uint8Array.of(kind), utf8(name));
    key[at + 1] = code;
  }
  return key;
}

const slash = 0x2f;

/**
 * The key of the namespace's entry in whose tree the entry with this key stands; undefined for what stands in
 * the main tree. Looks at nothing but the bytes of the key, whatever they are.
 */
export function treeOwnerOf(key: Uint8Array): Uint8Array | undefined {
  if (key[0] !== recordKind) return undefined;
  const end = key.indexOf(slash);
  if (end < 0) return undefined;
  // Not `slice`: that of a Buffer is a view, and the key is the caller's.
  const owner = Uint8Array.from(key.subarray(0, end));
  owner[0] = namespaceKind;
  return owner;
}

/** Where an entry sits in its tree: spread evenly, whatever keys people choose. */
export function statePath(key: Uint8Array): Uint8Array {
  const path = new Uint8Array(32);
  writeStatePath(key, path, 0);
  return path;
}

/**
 * Where an entry comes when all are listed: by its path in the main tree, or by that of its namespace and
 * then its own. So what is listed of a namespace comes behind its entry, and before the next one of the main
 * tree. Positions are compared byte by byte (`compareBytes`).
 */
export function positionOf(key: Uint8Array): Uint8Array {
  const owner = treeOwnerOf(key);
  return owner === undefined ? statePath(key) : concat(statePath(owner), statePath(key));
}

/** The same 32 bytes, written into `target` from `at` on. */
export function writeStatePath(key: Uint8Array, target: Uint8Array, at: number): void {
  if (key.length === accountKeyBytes && key[0] === accountKind) writeAccountPath(key, target, at);
  else hashInto('quorate/v1/state-key', target, at, key);
}

export const placeCodec: Codec<Place> = struct<Place>({
  height: heightCodec,
  transaction: u16,
  operation: u16,
});

/** Neither in most accounts: the entry of one has 48 bytes with its key, as many as a page has room for. */
const rareFieldsCodec = sparse<{ readonly keys: KeySet | undefined; readonly held: bigint | undefined }>({
  keys: refine(struct<KeySet>({ keys: sortedKeysCodec, threshold: u8 }), keySetRule, checkKeySet),
  held: amountCodec,
});

export const accountCodec: Codec<Account> = {
  layout: struct({ balance: u64, nonce: u48, rare: rareFieldsCodec }).layout,
  write(writer, { balance, nonce, keys, held }) {
    u64.write(writer, balance);
    u48.write(writer, nonce);
    if (keys === undefined && held === 0n) writer.u8(0);
    else rareFieldsCodec.write(writer, { keys, held: held === 0n ? undefined : held });
  },
  read(reader) {
    const balance = u64.read(reader);
    const nonce = u48.read(reader);
    if (reader.u8() === 0) return { balance, held: 0n, nonce, keys: undefined };
    reader.at -= 1;
    const { keys, held = 0n } = rareFieldsCodec.read(reader);
    return { balance, held, nonce, keys };
  },
};

const versionedFields = { version: u48, changed: placeCodec, previous: optional(placeCodec) };
export const recordCodec: Codec<RecordEntry | Tombstone> = union<RecordEntry | Tombstone, 'type'>('type', {
  record: [
    1,
    struct<Omit<RecordEntry, 'type'>>({
      ...versionedFields,
      owner: publicKeyCodec,
      value: boundedBytes(limits.maxRecordValueBytes),
    }),
  ],
  tombstone: [2, struct<Omit<Tombstone, 'type'>>(versionedFields)],
});

/** Bytes at the beginning of a record's entry that tell its version. */
export const versionBytes = 1 + 6;

/** The version in the first bytes of a record's entry; 0 in what is left of a deleted one. */
export function versionIn(start: Uint8Array): number {
  const reader = new ByteReader(start);
  return reader.u8() === 1 ? u48.read(reader) : 0;
}

/** An account that has no entry. */
export const noAccount: Account = Object.freeze({ balance: 0n, held: 0n, nonce: 0, keys: undefined });

/** What the state holds of an account: null for one that never received or sent anything. */
export function encodeAccount(account: Account): Uint8Array | null {
  return isNoAccount(account) ? null : encode(accountCodec, account);
}

/** Nothing was ever received or sent: there is no entry. */
export function isNoAccount({ balance, held, nonce }: Account): boolean {
  return balance === 0n && held === 0n && nonce === 0;
}

export function encodeRecord(record: RecordEntry | Tombstone): Uint8Array {
  return encode(recordCodec, record);
}

/** The account in a state value. */
export function decodeAccount(value: Uint8Array): Account {
  return decodeStateValue(accountCodec, value, 'account');
}

/** The record, or what is left of it, in a state value. */
export function decodeRecord(value: Uint8Array): RecordEntry | Tombstone {
  return decodeStateValue(recordCodec, value, 'record');
}

/** Which keys sign for the account that its first key names, and how many of them it takes. */
export function keySetOf(publicKey: PublicKey, { keys }: Pick<Account, 'keys'>): KeySet {
  return keys ?? { keys: [publicKey], threshold: 1 };
}
