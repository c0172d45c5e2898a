import { Buffer } from 'node:buffer';
import { fromHex, toHex } from '../base/bytes.ts';
import { defined, invariant } from '../base/invariant.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { Height } from '../ledger/block.ts';
import { keysNamedIn, type Operation, isRecordOperation } from '../ledger/operation.ts';
import type { Touched } from '../ledger/touched.ts';
import type { Transaction } from '../ledger/transaction.ts';
import { damaged } from './checksummed.ts';
import { describeKey, keys } from './keys.ts';

/** A final block as the indexes see it: what its transactions are, and what became of them. */
export interface IndexedBlock {
  readonly height: Height;
  readonly transactions: readonly Pick<Transaction, 'sender' | 'reference' | 'operations'>[];
  readonly touched: Touched;
}

/** What an index says of one name in one block: a block adds one for each name, however often it has it. */
export interface Posting {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
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
 * What a block adds to the indexes. An account has the transactions that it sent, and those applied that
 * touched it, or named it as a new owner or key. An empty reference does not count.
 */
export function postingsOf({ height, transactions, touched }: IndexedBlock): Posting[] {
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
    for (let at = 0; at < operations.length; at++) {
      const operation = operations[at] as Operation;
      // Who received coins stands in the receipt.
      if (operation.type === 'transfer') continue;
      for (const named of keysNamedIn(operation)) note(accounts, named, index);
    }
    for (const { operation, version } of touched.records(index)) {
      const done = defined(operations[operation], 'an operation for each change of a record');
      const change = recordChanges.findIndex((name) => name === done.type);
      const key = isRecordOperation(done) ? done.key : undefined;
      invariant(change >= 0 && key !== undefined, 'the change of a record is a put, a delete or a gift');
      const known = records.get(key);
      if (known === undefined) records.set(key, { first: version, changes: [index, operation, change] });
      else known.changes.push(index, operation, change);
    }
  }
  const postings: Posting[] = [];
  accounts.forEach((marks, account) => {
    postings.push({ key: keys.accountIndex(account, height), value: shorts(marks) });
  });
  references.forEach((indexes, reference) => {
    postings.push({ key: keys.referenceIndex(fromHex(reference), height), value: shorts(indexes) });
  });
  records.forEach(({ first, changes }, key) => {
    postings.push({ key: keys.versionIndex(key, height), value: versions(first, changes) });
  });
  return postings;
}

/** Each transaction once in each list; whose it is comes before whom it touched. */
function note<T>(lists: Map<T, number[]>, name: T, mark: number): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [mark]);
  else if (((list[list.length - 1] as number) & ~sentMark) !== (mark & ~sentMark)) list.push(mark);
}

function shorts(numbers: readonly number[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(2 * numbers.length);
  for (let index = 0; index < numbers.length; index++) {
    const number = numbers[index] as number;
    // By hand: what Buffer has for it allocates.
    bytes[2 * index] = number >>> 8;
    bytes[2 * index + 1] = number;
  }
  return bytes;
}

/** The first version, and where each of them was made: transaction, operation, change. */
function versions(first: number, changes: readonly number[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(firstBytes + (changes.length / 3) * 4);
  bytes.writeUIntBE(first, 0, firstBytes);
  for (let from = 0, at = firstBytes; from < changes.length; from += 3, at += 4) {
    bytes.writeUInt16BE(changes[from] as number, at);
    bytes[at + 2] = changes[from + 1] as number;
    bytes[at + 3] = changes[from + 2] as number;
  }
  return bytes;
}

/** What stands in a list of transactions, in the block's order. Throws `storage/damaged`. */
export function readTransactions({ key, value }: Posting): readonly ListedTransaction[] {
  if (value.length === 0 || value.length % 2 !== 0) throw malformed(key);
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  return Array.from({ length: value.length / 2 }, (_, at) => {
    const mark = bytes.readUInt16BE(2 * at);
    return { transaction: mark & ~sentMark, sent: mark >= sentMark };
  });
}

/** The versions of a record that a block made, in their order. Throws `storage/damaged`. */
export function readVersions({ key, value }: Posting): readonly ListedVersion[] {
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

function malformed(key: Uint8Array): Error {
  return damaged(describeKey(key), 'does not decode');
}
