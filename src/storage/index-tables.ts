import { fromHex, utf8 } from '../base/bytes.ts';
import { bool, encode, struct } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import type { Problem } from '../base/problem.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { type Height, heightCodec, toHeight } from '../ledger/block.ts';
import { decodeOwn } from './chain-records.ts';
import {
  checksummedWrite,
  damaged,
  readChecksummed,
  reusedLarge,
  scanChecksummedPage,
} from './checksummed.ts';
import {
  bucketCount,
  bucketOf,
  byBucket,
  entriesUnder,
  type EntryName,
  type EntryRecord,
  firstOfRun,
  runEnd,
} from './index-entries.ts';
import {
  entriesOf,
  type IndexedBlock,
  type ListedTransaction,
  type ListedVersion,
  readTransactions,
  readVersions,
} from './index-postings.ts';
import { describeKey, heightIn, indexKinds, type KeyRange, keyAfter, keys, rangeOf } from './keys.ts';
import type { Store, Write } from './port.ts';
import { scanPages } from './scan-pages.ts';

/** Whose transactions or versions. */
export type IndexName =
  | { readonly by: 'account'; readonly account: PublicKey }
  | { readonly by: 'reference'; readonly reference: Uint8Array };

/** An entry of a list, at its height. */
export type At<T> = T & { readonly height: Height };

/** A part of a list: between two heights, both included, and at most what so many blocks have of it. */
export interface IndexRange {
  readonly from: Height;
  readonly to: Height;
  readonly newestFirst: boolean;
  readonly limit: number;
  /** Waited for before more is read: where a name is rare, that is much. */
  readonly pace?: () => Promise<void>;
}

interface IndexRecord {
  /** Every final block from this height on has its entries. */
  readonly from: Height;
  /** There may be entries of blocks that are not stored any more. */
  readonly leftovers: boolean;
}

export const indexCodec = struct<IndexRecord>({ from: heightCodec, leftovers: bool });

/**
 * The indexes of final blocks: transactions by account and by reference, versions by record. They are written
 * in the block's own batch, so that they are never behind the head, nor ahead of it: a record for each block,
 * and with the last one of a run the whole run by bucket, in their place. Entries of blocks that are not
 * stored any more are of no use, and are not read.
 */
export class IndexTables {
  readonly #store: Store;
  /** Undefined while none are kept. */
  #record: IndexRecord | undefined;
  /**
   * What blocks added whose run is not known to be durable by bucket, lowest first. It is never changed, for
   * those who read.
   */
  #recent: readonly EntryRecord[] = [];

  private constructor(store: Store, record: IndexRecord | undefined) {
    this.#store = store;
    this.#record = record;
  }

  /** A new chain has indexes unless told otherwise (`keep`); one that is there, if it had them. */
  static open(
    store: Store,
    { final, firstBlock }: { readonly final: Height | undefined; readonly firstBlock: Height },
  ): IndexTables {
    if (final === undefined) return new IndexTables(store, { from: toHeight(1), leftovers: false });
    const bytes = readChecksummed(store, keys.indexed);
    const record = bytes && decodeOwn(indexCodec, bytes, 'the record of the indexes');
    const tables = new IndexTables(store, record);
    if (record !== undefined) tables.#readRecent(Math.max(record.from, firstBlock), final);
    return tables;
  }

  #readRecent(from: number, final: Height): void {
    const begun = firstOfRun(toHeight(final + 1));
    for (let height = Math.max(from, begun); height <= final; height++) {
      const key = keys.indexing(toHeight(height));
      const value = readChecksummed(this.#store, key);
      if (value === undefined) throw damaged(describeKey(key), 'is missing');
      this.#recent = [...this.#recent, { key, value }];
    }
  }

  /** The height from which on every block has its entries; undefined while none are kept. */
  get from(): Height | undefined {
    return this.#record?.from;
  }

  /**
   * Says whether indexes are kept from now on, and removes what is of no use. Before the first commit. `next`
   * is the height of the next block; undefined in a store without any.
   */
  async keep(on: boolean, next: Height | undefined): Promise<void> {
    if (next === undefined) {
      this.#record = on ? { from: toHeight(1), leftovers: false } : undefined;
      return;
    }
    if (!on) {
      if (this.#record !== undefined) await this.#write([checksummedWrite(keys.indexed, null)]);
      this.#record = undefined;
      this.#recent = [];
      return this.#sweep(next);
    }
    if (this.#record?.leftovers === false) return;
    const record = { from: this.#record?.from ?? next, leftovers: false };
    await this.#sweep(record.from);
    this.#record = record;
    await this.#write([recordWrite(record)]);
  }

  /** For the block's own batch. */
  commitWrites(block: IndexedBlock): Iterable<Write> {
    const { height } = block;
    if (this.#record === undefined) return [];
    if (height === 0) return [recordWrite(this.#record)];
    const added = { key: keys.indexing(height), value: entriesOf(block) };
    this.#recent = [...this.#recent, added];
    return height < runEnd(height) ? blockWrites(added) : runWrites(this.#recent, height);
  }

  /** All up to this height is durable. */
  written(final: Height): void {
    const lowest = this.#recent[0];
    if (lowest === undefined || endOf(lowest) > final) return;
    this.#recent = this.#recent.filter((block) => endOf(block) > final);
  }

  /** For the batch that removes a block: with the last one of a run go the entries of all of it. */
  pruneWrites(height: Height): Write[] {
    if (this.#record === undefined || this.#record.from > height || height < runEnd(height)) return [];
    return Array.from({ length: bucketCount }, (_, bucket) =>
      checksummedWrite(keys.index(bucket, height), null),
    );
  }

  /** For the batch that puts a block from elsewhere in the place of all before this height. */
  replaceWrites(from: Height): Write[] {
    if (this.#record === undefined || this.#record.from >= from) return [];
    // At once, as for what is stored of the chain.
    this.#record = { from, leftovers: true };
    this.#recent = [];
    return [recordWrite(this.#record)];
  }

  /** Transactions of an account or with a reference; to be asked of final blocks that are stored. */
  async transactions(name: IndexName, range: IndexRange): Promise<readonly At<ListedTransaction>[]> {
    const bytes = name.by === 'account' ? fromHex(name.account) : name.reference;
    return this.#read({ kind: name.by, bytes }, range, readTransactions);
  }

  /** Versions of a record. */
  async versions(recordKey: string, range: IndexRange): Promise<readonly At<ListedVersion>[]> {
    return this.#read({ kind: 'record', bytes: utf8(recordKey) }, range, readVersions);
  }

  async #read<T>(
    name: EntryName,
    range: IndexRange,
    readEntry: (entry: EntryRecord) => readonly T[],
  ): Promise<readonly At<T>[]> {
    const { from, to, newestFirst, limit } = range;
    const found: At<T>[] = [];
    let left = limit;
    for await (const record of this.#records(name, range)) {
      const entries = entriesUnder(name, record);
      for (const { key, height, value } of newestFirst ? entries.toReversed() : entries) {
        if (height < from || height > to) continue;
        const listed = readEntry({ key, value }).map((one) => ({ ...one, height }));
        found.push(...(newestFirst ? listed.toReversed() : listed));
        left -= 1;
        if (left === 0) return found;
      }
    }
    return found;
  }

  /** What may have entries of a name in a range, in the order in which they are wanted. */
  async *#records(name: EntryName, range: IndexRange): AsyncGenerator<EntryRecord> {
    const { from, to, newestFirst, pace } = range;
    const recent = this.#recent.filter(({ key }) => heightIn(key) >= from && heightIn(key) <= to);
    const lowest = this.#recent[0];
    const last = lowest === undefined ? to : toHeight(Math.min(to, heightIn(lowest.key) - 1));
    if (newestFirst) yield* recent.toReversed();
    if (from <= last) {
      const bucket = bucketOf(name);
      const runs = { from: keys.index(bucket, runEnd(from)), to: keyAfter(keys.index(bucket, runEnd(last))) };
      yield* this.#runs(runs, newestFirst, pace);
    }
    if (!newestFirst) yield* recent;
  }

  async *#runs(
    range: KeyRange,
    newestFirst: boolean,
    pace: (() => Promise<void>) | undefined,
  ): AsyncGenerator<EntryRecord> {
    let { from, to } = range;
    for (;;) {
      const scan = { from, to, reverse: newestFirst, limit: limits.indexPage };
      const page = await scanChecksummedPage(this.#store, scan);
      for (const [key, value] of page) yield { key, value };
      const end = page.at(-1);
      if (end === undefined || page.length < limits.indexPage) return;
      if (newestFirst) to = end[0];
      else from = keyAfter(end[0]);
      await pace?.();
    }
  }

  /** Removes the entries of all blocks below a height. */
  async #sweep(below: Height): Promise<void> {
    for (const kind of indexKinds) {
      for await (const page of scanPages(this.#store, rangeOf(kind))) {
        const useless = page.filter(([key]) => heightIn(key) < below);
        if (useless.length > 0) await this.#write(useless.map(([key]) => checksummedWrite(key, null)));
      }
    }
  }

  #write(batch: readonly Write[]): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#store.write(batch, (problem: Problem | undefined) =>
        problem === undefined ? resolve() : reject(problem),
      ),
    );
  }
}

// Both are made while the store reads them: what they hold is copied once, by the store.

function* blockWrites({ key, value }: EntryRecord): Generator<Write> {
  yield reusedLarge(key, value);
}

/** The run that this block ends takes the place of its blocks. */
function* runWrites(recent: readonly EntryRecord[], end: Height): Generator<Write> {
  const first = firstOfRun(end);
  for (const { bucket, entries } of byBucket(recent.filter(({ key }) => heightIn(key) >= first))) {
    yield reusedLarge(keys.index(bucket, end), entries);
  }
  for (let height = first; height < end; height++) {
    yield checksummedWrite(keys.indexing(toHeight(height)), null);
  }
}

const endOf = ({ key }: EntryRecord): Height => runEnd(toHeight(heightIn(key)));

function recordWrite(record: IndexRecord): Write {
  return checksummedWrite(keys.indexed, encode(indexCodec, record));
}
