import { defined, invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import type { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { type BlockHeader, type Height, toHeight } from '../ledger/block.ts';
import { nameIn, namespaceStateKey, recordStateKey } from '../ledger/state-entry.ts';
import { validatorKeysCodec } from '../ledger/validators.ts';
import { type CandidateTable } from './candidate-table.ts';
import {
  decodeOwn,
  type Extent,
  placeCodec,
  type FinalPosition,
  readHeader,
  type TransactionPlace,
} from './chain-records.ts';
import type { CommitRequest, InstallRequest, PersistRequest, StoredBlock } from './chain-requests.ts';
import {
  candidateWrites,
  commitWrites,
  extentWrite,
  forgetCandidateWrites,
  installWrites,
  pruneWrites,
} from './chain-writes.ts';
import { compactTables, isCompactedAfter } from './compacting.ts';
import type { EvidenceTable } from './evidence-table.ts';
import type { ListedTransaction, ListedVersion } from './index-postings.ts';
import type { At, IndexName, IndexRange, IndexTables } from './index-tables.ts';
import { heightIn, keyAfter, keys, rangeOf, restOf, stateRange } from './keys.ts';
import type { Leftovers } from './leftovers.ts';
import { type LogTable, logWrites, removed } from './log-table.ts';
import type { Store, Write } from './port.ts';
import { damaged, readChecksummed, scanChecksummedPage, scanChecksummedPages } from './checksummed.ts';
import { type Opened, openTables } from './opening.ts';
import type { SnapshotTable } from './snapshot-table.ts';
import { Unindexing } from './unindexing.ts';

type Done = (problem: Problem | undefined) => void;

/** Names that begin with `prefix`, behind `after`: at most this many. */
interface NameRange {
  readonly prefix: string;
  readonly after: string | undefined;
  readonly limit: number;
}

/**
 * The chain on disk: final blocks with their certificates and receipts, the index of transactions, the state,
 * and what consensus must remember. A block becomes final in one synced batch, so that after a crash either
 * all of it is there or nothing.
 *
 * What is read is as of the last finished write, without what is about to be pruned. Reading throws the
 * problem `storage/damaged`, with the key in words, when what is stored is not what was written.
 */
export class ChainStore {
  readonly #store: Store;
  readonly #chainId: Hash;
  #final: FinalPosition | undefined;
  /**
   * What will be stored once all pending writes are done. What is about to be deleted is not read any more.
   */
  #extent: Extent;
  /** Height of the last commit that was asked for: commits come in order, and may overlap. */
  #asked: number;
  readonly #candidates: CandidateTable;
  readonly #log: LogTable;
  readonly evidence: EvidenceTable;
  /** A snapshot that is being fetched. */
  readonly snapshot: SnapshotTable;
  readonly #indexes: IndexTables;
  readonly #leftovers: Leftovers;
  readonly #unindexing = new Unindexing((height) => ({
    block: defined(this.blockBytesAt(height), `the block of height ${height}, which is stored`),
    receipts: defined(this.receiptsBytesAt(height), `its receipts`),
  }));

  private constructor(opened: Opened) {
    this.#store = opened.store;
    this.#extent = opened.extent;
    this.snapshot = opened.snapshot;
    this.#indexes = opened.indexes;
    this.#leftovers = opened.leftovers;
    this.#chainId = opened.chainId;
    this.#final = opened.final;
    this.#asked = this.#final?.height ?? -1;
    this.#candidates = opened.candidates;
    this.#log = opened.log;
    this.evidence = opened.evidence;
  }

  /**
   * Opens a chain's data, or a store without any (`isEmpty`). Throws a problem for another chain
   * (`storage/other-chain`), another format (`storage/format`), another program's data (`storage/foreign`),
   * and damage. `checkedHeights` tells how many of the last blocks must be there, whole and linked to each
   * other; the others are checked when they are read.
   */
  static async open(
    store: Store,
    options: { readonly chainId: Hash; readonly checkedHeights?: number },
  ): Promise<ChainStore> {
    return new ChainStore(await openTables(store, options));
  }

  /** The consensus log: every record by key. It follows the finished writes. */
  get logRecords(): ReadonlyMap<string, Uint8Array> {
    return this.#log.records;
  }

  /** The stored blocks that were not final when the store was opened: once, and none afterwards. */
  takeCandidates(): readonly StoredBlock[] {
    return this.#candidates.take();
  }

  /** True until the block of height 0 is committed, which must come before everything else. */
  get isEmpty(): boolean {
    return this.#final === undefined;
  }

  get finalHeight(): Height {
    return this.#position().height;
  }

  get finalHash(): Hash {
    return this.#position().hash;
  }

  /**
   * The lowest height above 0 that this store knows headers and transactions of, without a gap up to the
   * final one.
   */
  get firstHeader(): Height {
    return this.#extent.firstHeader;
  }

  /** The lowest block above 0 that is stored whole; those below were pruned, or came inside a snapshot. */
  get firstBlock(): Height {
    return this.#extent.firstBlock;
  }

  /** Undefined above the final height, and below the block that a snapshot came for. */
  headerAt(height: Height): BlockHeader | undefined {
    return this.#stored(height)?.header;
  }

  /** As `headerAt`. */
  hashAt(height: Height): Hash | undefined {
    return this.#stored(height)?.hash;
  }

  /** A block by its hash, final or not. */
  blockBytes(hash: Hash): Uint8Array | undefined {
    return readChecksummed(this.#store, keys.block(hash));
  }

  /**
   * The final block at a height. Undefined where none is stored: above the final height, pruned, and for a
   * height 0 that was committed without a block.
   */
  blockBytesAt(height: Height): Uint8Array | undefined {
    return this.blockAt(height)?.bytes;
  }

  /** The same with its header, which is read for it anyway. */
  blockAt(height: Height): { readonly header: BlockHeader; readonly bytes: Uint8Array } | undefined {
    const stored = this.#stored(height);
    if (stored === undefined) return undefined;
    const bytes = this.blockBytes(stored.hash);
    if (bytes === undefined && height >= this.firstBlock)
      throw damaged(`block of height ${height}`, 'is missing');
    return bytes && { header: stored.header, bytes };
  }

  /**
   * Undefined above the final height, for height 0, and for a block that is final through a descendant's
   * certificate.
   */
  certificateAt(height: Height): Uint8Array | undefined {
    if (!this.#isHere(height)) return undefined;
    return readChecksummed(this.#store, keys.certificate(height));
  }

  /** The certificate that makes this height final: its own, or that of the first descendant that has one. */
  nearestCertificate(height: Height): { readonly height: Height; readonly bytes: Uint8Array } | undefined {
    for (let at = height; this.#isFinal(at); at = toHeight(at + 1)) {
      const bytes = this.certificateAt(at);
      if (bytes !== undefined) return { height: at, bytes };
    }
    return undefined;
  }

  /** Final blocks that changed the validators, from a height on, with those who came then. */
  async epochs(
    from: Height,
    limit: number,
  ): Promise<readonly { readonly height: Height; readonly validators: readonly PublicKey[] }[]> {
    const range = { from: keys.epoch(from), to: rangeOf('epoch').to, limit };
    const page = await scanChecksummedPage(this.#store, range);
    return page
      .map(([key, bytes]) => {
        const height = toHeight(heightIn(key));
        return { height, validators: decodeOwn(validatorKeysCodec, bytes, `the validators after ${height}`) };
      })
      .filter(({ height }) => this.#isFinal(height));
  }

  /** Undefined above the final height, and for a block that was pruned. */
  receiptsBytesAt(height: Height): Uint8Array | undefined {
    if (!this.#isHere(height)) return undefined;
    const bytes = readChecksummed(this.#store, keys.receipts(height));
    if (bytes === undefined && (height >= this.firstBlock || height === 0))
      throw damaged(`receipts of height ${height}`, 'are missing');
    return bytes;
  }

  /** Where a transaction stands in a final block, which may have been pruned since. */
  locate(transactionHash: Hash): TransactionPlace | undefined {
    const bytes = readChecksummed(this.#store, keys.transaction(transactionHash));
    if (bytes === undefined) return undefined;
    const place = decodeOwn(placeCodec, bytes, `transaction ${transactionHash}`);
    // The disk may show a batch a moment before it is known to be durable; until then its block is not final
    // here.
    return this.#isFinal(place.height) ? place : undefined;
  }

  /**
   * All entries of the state at the final height, in key order, some thousand at a time: of a large state
   * they never are all here.
   */
  async *stateEntries(): AsyncGenerator<readonly (readonly [key: Uint8Array, value: Uint8Array])[]> {
    for await (const page of scanChecksummedPages(this.#store, rangeOf('state'))) {
      yield page.map(([key, value]) => [restOf(key), value] as const);
    }
  }

  /**
   * Switches the indexes on or off: transactions by account and by reference, versions by record. Call it
   * before the first commit. Index entries that are of no use go with the commits that follow.
   */
  keepIndexes(on: boolean): Promise<void> {
    return this.#indexes.keep(on, this.isEmpty ? undefined : toHeight(this.finalHeight + 1));
  }

  /**
   * Every stored block from this height on stands in the indexes with all that it holds; undefined where none
   * are kept. It may be above the final height, before the first block that is indexed.
   */
  get indexedFrom(): Height | undefined {
    const { from } = this.#indexes;
    return from === undefined ? undefined : toHeight(Math.max(from, this.firstBlock));
  }

  /** Final transactions of an account, or with a reference, in a range that is indexed. */
  listTransactions(
    name: IndexName,
    { from, to, ...order }: IndexRange,
  ): Promise<readonly At<ListedTransaction>[]> {
    return this.#indexes.transactions(name, { ...order, ...this.#indexedPart(from, to) });
  }

  /** Versions of a record, in a range that is indexed. */
  listVersions(recordKey: string, { from, to, ...order }: IndexRange): Promise<readonly At<ListedVersion>[]> {
    return this.#indexes.versions(recordKey, { ...order, ...this.#indexedPart(from, to) });
  }

  /** The disk may show a batch a moment before it is known to be durable. */
  #indexedPart(from: Height, to: Height): { readonly from: Height; readonly to: Height } {
    const lowest = defined(this.indexedFrom, 'indexes, which are asked');
    return {
      from: toHeight(Math.max(from, lowest)),
      to: toHeight(Math.min(to, this.finalHeight)),
    };
  }

  /**
   * Keys of records, deleted ones too, that begin with `prefix` and come behind `after`: at most this many,
   * in the order of their bytes. It has all keys of the final state, and perhaps some that the next block
   * adds: a record that was written once never leaves the state.
   */
  recordKeys(page: NameRange): Promise<readonly string[]> {
    return this.#namesIn(recordStateKey, page);
  }

  /** The same of names of namespaces: one that was opened never leaves the state. */
  namespaceNames(page: NameRange): Promise<readonly string[]> {
    return this.#namesIn(namespaceStateKey, page);
  }

  async #namesIn(
    stateKey: (name: string) => Uint8Array,
    { prefix, after, limit }: NameRange,
  ): Promise<readonly string[]> {
    const { from, to } = stateRange(stateKey(prefix));
    const behind = after === undefined ? from : keyAfter(keys.state(stateKey(after)));
    const found = await this.#store.scan({ from: behind, to, limit });
    return found.map(([key]) => nameIn(restOf(key)));
  }

  /** Makes records and blocks durable in one synced batch. */
  persist(request: PersistRequest, done: Done): void {
    invariant(this.#asked >= 0, 'the block of height 0 is committed before anything else is stored');
    const batch = [
      ...logWrites(request.records),
      ...request.blocks.filter(({ hash }) => this.#candidates.add(hash)).flatMap(candidateWrites),
      ...forgetCandidateWrites(this.#candidates.forget(request.forget ?? [])),
    ];
    this.#store.write(batch, (problem) => {
      if (problem === undefined) this.#log.written(request.records);
      done(problem);
    });
  }

  /**
   * Makes a final block durable with everything that follows from it, in one synced batch. Heights come in
   * order.
   */
  commit(request: CommitRequest, done: Done): void {
    this.commitRun([request], done);
  }

  /**
   * The same for several blocks in one batch: those that one certificate, of the last of them, makes final
   * together. So a store never ends at a block without the proof that it is final.
   */
  commitRun(requests: readonly CommitRequest[], done: Done): void {
    // Before the store reads what is to be written: the run is in order, or nothing of it is written.
    const run = requests.map((request) => ({ request, found: this.#found(request) }));
    const leftovers = this.#leftovers.take();
    this.#store.write(commitWrites(run, leftovers, this.#indexes.sweepWrites()), (problem) => {
      if (problem === undefined) {
        for (const { height, hash, forgetRecords } of requests) {
          this.#final = { height, hash };
          this.#log.written(removed(forgetRecords));
          if (isCompactedAfter(height)) compactTables(this.#store, this.#log);
        }
      }
      done(problem);
    });
  }

  /**
   * Deletes the lowest blocks, with their receipts, certificates and entries in the indexes, up to
   * `keepFrom`, at most this many in this batch, and fewer when they are large: perhaps none yet. Headers and
   * the places of transactions stay: what was final is still known to have been.
   */
  prune(request: { readonly keepFrom: Height; readonly atMost: number }, done: Done): void {
    const { firstBlock, firstHeader } = this.#extent;
    const keepFrom = Math.min(request.keepFrom, firstBlock + request.atMost, this.finalHeight);
    const batch: Write[] = [];
    let room: number = limits.pruneTransactions;
    let at = firstBlock;
    while (at < keepFrom && room > 0) {
      if (this.#indexes.from !== undefined) {
        const { part, isLast } = this.#unindexing.take(at, room);
        batch.push(...this.#indexes.pruneWrites(part, isLast));
        room -= part.transactions.length;
        if (!isLast) break;
      }
      batch.push(...pruneWrites(at, this.#storedHash(at)));
      at = toHeight(at + 1);
    }
    this.#writeExtent(batch, { firstHeader, firstBlock: at }, done);
  }

  /**
   * Puts a block from elsewhere, and the state after it, in the place of everything stored so far, in one
   * synced batch. Must not overlap with a commit. The fetched snapshot is forgotten; blocks before this one
   * are not read any more, and go with later commits.
   */
  install(request: InstallRequest, done: Done): void {
    const { height, hash } = request;
    const before = this.finalHeight;
    invariant(
      height > before && this.#asked === before,
      'a snapshot is of a later block, and no commit is under way',
    );
    const forget = this.#candidates.forget(request.forgetCandidates);
    const installed = installWrites(request, { forget, clearing: this.snapshot.clearing() });
    const next = toHeight(height + 1);
    this.#asked = height;
    this.#leftovers.add(this.#extent.firstHeader, toHeight(before + 1));
    this.#writeExtent(
      [...installed, ...this.#indexes.replaceWrites(next)],
      { firstHeader: height, firstBlock: next },
      (problem) => {
        if (problem === undefined) this.#final = { height, hash };
        done(problem);
      },
    );
  }

  #storedHash(height: Height): Hash {
    return defined(this.#stored(height), `the header of height ${height}, which is stored`).hash;
  }

  #writeExtent(batch: readonly Write[], extent: Extent, done: Done): void {
    // At once: the disk may show a batch a moment before it is known to be durable, and the next one starts
    // from this.
    this.#extent = extent;
    this.#store.write([...batch, extentWrite(extent)], done);
  }

  #found(request: CommitRequest): Parameters<typeof commitWrites>[0][number]['found'] {
    const { height, hash } = request;
    invariant(height === this.#asked + 1, `height ${this.#asked + 1} is committed next, not ${height}`);
    this.#asked = height;
    return {
      wasCandidate: this.#candidates.finalize(hash),
      forget: this.#candidates.forget(request.forgetCandidates),
      indexes: this.#indexes.commitWrites(request),
      chainId: height === 0 ? this.#chainId : undefined,
    };
  }

  /** Finishes what was asked, and closes the store. */
  close(): Promise<void> {
    return this.#store.close();
  }

  #position(): FinalPosition {
    invariant(this.#final !== undefined, 'a store without blocks has no final block');
    return this.#final;
  }

  #isFinal(height: Height): boolean {
    return this.#final !== undefined && height >= 0 && height <= this.#final.height;
  }

  /** It is final, and no snapshot took its place. */
  #isHere(height: Height): boolean {
    return this.#isFinal(height) && (height === 0 || height >= this.#extent.firstHeader);
  }

  #stored(height: Height): { header: BlockHeader; hash: Hash } | undefined {
    return this.#isHere(height) ? readHeader(this.#store, height) : undefined;
  }
}
