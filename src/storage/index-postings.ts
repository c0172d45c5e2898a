import { Buffer } from 'node:buffer';
import { toHex, utf8 } from '../base/bytes.ts';
import { defined, invariant } from '../base/invariant.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { Height } from '../ledger/block.ts';
import { keysNamedIn, type Operation, recordKeyOf } from '../ledger/operation.ts';
import type { Touched } from '../ledger/touched.ts';
import type { Transaction } from '../ledger/transaction.ts';
import { type EntryRecord, EntryWriter, entryExtraBytes, malformed } from './index-entries.ts';

/** A final block as the indexes see it: what its transactions are, and what became of them. */
export interface IndexedBlock {
  readonly height: Height;
  readonly transactions: readonly Pick<Transaction, 'sender' | 'reference' | 'operations'>[];
  readonly touched: Touched;
}

/** A transaction in a list. */
export interface ListedTransaction {
  /** Its index in the block. */
  readonly transaction: number;
  /** The account of the list sent it; false where it only touched or named it. */
  readonly sent: boolean;
}

/** What an operation did to a record. */
type RecordChange = (typeof recordChanges)[number];

const recordChanges = ['put', 'delete', 'give'] as const satisfies readonly Operation['type'][];

/** A version of a record. */
export interface ListedVersion {
  readonly version: number;
  readonly transaction: number;
  readonly operation: number;
  readonly change: RecordChange;
}

const sentMark = 0x8000;
const firstBytes = 6;

/**
 * What a block adds to the indexes, as it is stored: one entry for each name, however often it has it. An
 * account has the transactions that it sent, and those applied that touched it, or named it as a new owner or
 * key. An empty reference does not count.
 */
export function entriesOf({ height, transactions, touched }: IndexedBlock): Uint8Array {
  const accounts = new Map<PublicKey, number[]>();
  const references = new Map<string, number[]>();
  const records = new Map<string, { readonly first: number; readonly changes: number[] }>();
  invariant(touched.count === transactions.length, 'a receipt for each transaction');
  for (let index = 0; index < transactions.length; index++) {
    const { sender, reference, operations } = transactions[index] as IndexedBlock['transactions'][number];
    note(accounts, sender, index | sentMark);
    const end = touched.firstAccount(index + 1);
    for (let at = touched.firstAccount(index); at < end; at++) note(accounts, touched.account(at), index);
    if (reference.length > 0) note(references, toHex(reference), index);
    if (touched.hasFailed(index)) continue;
    for (const operation of operations) {
      // Who received coins stands in the receipt.
      if (operation.type === 'transfer') continue;
      for (const named of keysNamedIn(operation)) note(accounts, named, index);
    }
    for (const { operation, version } of touched.records(index)) {
      const done = defined(operations[operation], 'an operation for each change of a record');
      const change = recordChanges.findIndex((name) => name === done.type);
      const key = recordKeyOf(done);
      invariant(change >= 0 && key !== undefined, 'the change of a record is a put, a delete or a gift');
      const known = records.get(key);
      if (known === undefined) records.set(key, { first: version, changes: [index, operation, change] });
      else known.changes.push(index, operation, change);
    }
  }
  const names = [...records].map(([key, changed]) => ({ key: utf8(key), ...changed }));
  const entries = new EntryWriter(height, sizeOf(accounts, references) + sizeOfVersions(names));
  for (const [account, marks] of accounts) {
    entries.begin('account', account.length / 2);
    entries.hex(account);
    writeMarks(entries, marks);
  }
  for (const [reference, marks] of references) {
    entries.begin('reference', reference.length / 2);
    entries.hex(reference);
    writeMarks(entries, marks);
  }
  for (const { key, first, changes } of names) {
    entries.begin('record', key.length);
    entries.bytes(key);
    entries.u16(versionsBytes(changes));
    entries.u48(first);
    for (let at = 0; at < changes.length; at += 3) {
      entries.u16(changes[at] as number);
      entries.u8(changes[at + 1] as number);
      entries.u8(changes[at + 2] as number);
    }
  }
  return entries.written();
}

/** Each transaction once in each list; whose it is comes before whom it touched. */
function note<T>(lists: Map<T, number[]>, name: T, mark: number): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [mark]);
  else if (((list.at(-1) ?? 0) & ~sentMark) !== (mark & ~sentMark)) list.push(mark);
}

function writeMarks(entries: EntryWriter, marks: readonly number[]): void {
  entries.u16(2 * marks.length);
  for (let at = 0; at < marks.length; at++) entries.u16(marks[at] as number);
}

function sizeOf(...lists: readonly ReadonlyMap<string, readonly number[]>[]): number {
  let size = 0;
  for (const list of lists) {
    for (const [name, marks] of list) size += entryExtraBytes + name.length / 2 + 2 * marks.length;
  }
  return size;
}

interface Changed {
  readonly key: Uint8Array;
  readonly changes: readonly number[];
}

function sizeOfVersions(names: readonly Changed[]): number {
  let size = 0;
  for (const { key, changes } of names) size += entryExtraBytes + key.length + versionsBytes(changes);
  return size;
}

/** The number of the first version, and where each was made: transaction (2), operation (1), change (1). */
function versionsBytes(changes: readonly number[]): number {
  return firstBytes + (changes.length / 3) * 4;
}

/** What stands in a list of transactions, in the block's order. Throws `storage/damaged`. */
export function readTransactions({ key, value }: EntryRecord): readonly ListedTransaction[] {
  if (value.length === 0 || value.length % 2 !== 0) throw malformed(key);
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  return Array.from({ length: value.length / 2 }, (_, at) => {
    const mark = bytes.readUInt16BE(2 * at);
    return { transaction: mark & ~sentMark, sent: mark >= sentMark };
  });
}

/** The versions of a record that a block made, in their order. Throws `storage/damaged`. */
export function readVersions({ key, value }: EntryRecord): readonly ListedVersion[] {
  const count = (value.length - firstBytes) / 4;
  if (count < 1 || !Number.isInteger(count)) throw malformed(key);
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  const first = bytes.readUIntBE(0, firstBytes);
  return Array.from({ length: count }, (_, index) => {
    const at = firstBytes + 4 * index;
    const change = recordChanges[bytes[at + 3] as number];
    if (change === undefined) throw malformed(key);
    return {
      version: first + index,
      transaction: bytes.readUInt16BE(at),
      operation: bytes[at + 2] as number,
      change,
    };
  });
}
