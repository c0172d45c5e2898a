import { bool, encode, struct } from '../base/codec.ts';
import type { Problem } from '../base/problem.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { type Height, heightCodec, toHeight } from '../ledger/block.ts';
import { decodeOwn } from './chain-records.ts';
import { checksummedWrite, readChecksummed, reusedWrite, scanChecksummedPage } from './checksummed.ts';
import {
  type IndexedBlock,
  type ListedTransaction,
  type ListedVersion,
  type Posting,
  postingsOf,
  readTransactions,
  readVersions,
} from './index-postings.ts';
import { heightIn, keyAfter, keys } from './keys.ts';
import { IndexSweep } from './index-sweep.ts';
import type { Store, Write } from './port.ts';

/** Whose transactions or versions. */
export type IndexName =
  | { readonly by: 'account'; readonly account: PublicKey }
  | { readonly by: 'reference'; readonly reference: Uint8Array };

/** An entry of a list, at its height. */
export type At<T> = T & { readonly height: Height };

/** A part of a list: between two heights, both included, and at most this many entries of the store. */
export interface IndexRange {
  readonly from: Height;
  readonly to: Height;
  readonly newestFirst: boolean;
  readonly limit: number;
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
 * in the block's own batch, so that they are never behind the head, nor ahead of it. Entries of blocks that
 * are not stored any more are of no use, and are not read.
 */
export class IndexTables {
  readonly #store: Store;
  /** Undefined while none are kept. */
  #record: IndexRecord | undefined;
  readonly #sweep: IndexSweep;

  private constructor(store: Store, record: IndexRecord | undefined) {
    this.#store = store;
    this.#record = record;
    this.#sweep = IndexSweep.open(store);
  }

  /** A new chain has indexes unless told otherwise (`keep`); one that is there, if it had them. */
  static open(store: Store, isEmpty: boolean): IndexTables {
    if (isEmpty) return new IndexTables(store, { from: toHeight(1), leftovers: false });
    const bytes = readChecksummed(store, keys.indexed);
    return new IndexTables(store, bytes && decodeOwn(indexCodec, bytes, 'the record of the indexes'));
  }

  /** The height from which on every block has its entries; undefined while none are kept. */
  get from(): Height | undefined {
    return this.#record?.from;
  }

  /**
   * Says whether indexes are kept from now on. What is of no use goes with the commits that follow. Before
   * the first of them. `next` is the height of the next block; undefined in a store without any.
   */
  async keep(on: boolean, next: Height | undefined): Promise<void> {
    if (next === undefined) {
      this.#record = on ? { from: toHeight(1), leftovers: false } : undefined;
      return;
    }
    const before = this.#record;
    if (on ? before?.leftovers === false : before === undefined) return;
    this.#record = on ? { from: before?.from ?? next, leftovers: false } : undefined;
    await this.#write([
      this.#record === undefined ? checksummedWrite(keys.indexed, null) : recordWrite(this.#record),
      ...(before === undefined ? [] : this.#sweep.begin(this.#record?.from ?? next)),
    ]);
  }

  /** For a batch of final blocks: what of no use goes with it. */
  sweepWrites(): Write[] {
    return this.#sweep.take();
  }

  /** For the block's own batch. */
  commitWrites(block: IndexedBlock): Iterable<Write> {
    if (this.#record === undefined) return [];
    return block.height === 0 ? [recordWrite(this.#record)] : postingWrites(block);
  }

  /**
   * For the batch that removes a block. When `part` is not all that was left of it, only a later batch does,
   * and it is not read meanwhile.
   */
  pruneWrites(part: IndexedBlock, isLast: boolean): Write[] {
    const removed = postingsOf(part).map(({ key }) => checksummedWrite(key, null));
    if (isLast) return removed;
    return [...removed, ...this.#raise(toHeight(part.height + 1), this.#record?.leftovers ?? false)];
  }

  /** For the batch that puts a block from elsewhere in the place of all before this height. */
  replaceWrites(from: Height): Write[] {
    return this.#raise(from, true);
  }

  #raise(from: Height, leftovers: boolean): Write[] {
    if (this.#record === undefined || this.#record.from >= from) return [];
    // At once, as for what is stored of the chain.
    this.#record = { from, leftovers };
    return [recordWrite(this.#record)];
  }

  /** Transactions of an account or with a reference; to be asked of final blocks that are stored. */
  async transactions(name: IndexName, range: IndexRange): Promise<readonly At<ListedTransaction>[]> {
    const keyAt = (height: Height): Uint8Array =>
      name.by === 'account'
        ? keys.accountIndex(name.account, height)
        : keys.referenceIndex(name.reference, height);
    return this.#read(keyAt, range, readTransactions);
  }

  /** Versions of a record. */
  async versions(recordKey: string, range: IndexRange): Promise<readonly At<ListedVersion>[]> {
    return this.#read((height) => keys.versionIndex(recordKey, height), range, readVersions);
  }

  async #read<T>(
    keyAt: (height: Height) => Uint8Array,
    { from, to, newestFirst, limit }: IndexRange,
    readPosting: (posting: { key: Uint8Array; value: Uint8Array }) => readonly T[],
  ): Promise<readonly At<T>[]> {
    if (from > to) return [];
    const scan = { from: keyAt(from), to: keyAfter(keyAt(to)), reverse: newestFirst, limit };
    const entries: At<T>[] = [];
    for (const [key, value] of await scanChecksummedPage(this.#store, scan)) {
      const height = toHeight(heightIn(key));
      const listed = readPosting({ key, value }).map((one) => ({ ...one, height }));
      entries.push(...(newestFirst ? listed.toReversed() : listed));
    }
    return entries;
  }

  #write(batch: readonly Write[]): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#store.write(batch, (problem: Problem | undefined) =>
        problem === undefined ? resolve() : reject(problem),
      ),
    );
  }
}

/** Made while the store reads them. */
function* postingWrites(block: IndexedBlock): Generator<Write> {
  const postings = postingsOf(block);
  for (let index = 0; index < postings.length; index++) {
    const { key, value } = postings[index] as Posting;
    yield reusedWrite(copyKey, key, value);
  }
}

function copyKey(target: Uint8Array, key: Uint8Array): number {
  target.set(key);
  return key.length;
}

function recordWrite(record: IndexRecord): Write {
  return checksummedWrite(keys.indexed, encode(indexCodec, record));
}
