import { toHex } from '../base/bytes.ts';
import { encode } from '../base/codec.ts';
import { invariant } from '../base/invariant.ts';
import type { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import { type BlockHeader, type Height, toHeight } from '../ledger/block.ts';
import {
  chainRecord,
  checkChain,
  decodeOwn,
  type Extent,
  extentCodec,
  foreign,
  placeCodec,
  type Position,
  positionCodec,
  readExtent,
  readFinal,
  readHeader,
  type TransactionPlace,
  wholeChain,
} from './chain-records.ts';
import { EvidenceTable } from './evidence-table.ts';
import { keys, rangeOf, restOf, wholeSpace } from './keys.ts';
import type { Store, Write } from './port.ts';
import { damaged, readChecksummed, scanChecksummed, checksummedWrite } from './checksummed.ts';
import { SnapshotTable } from './snapshot-table.ts';

/** What an engine asks to have on disk before it speaks. */
export interface PersistRequest {
  /** Records of the consensus log; null removes one. */
  readonly records: readonly { readonly key: string; readonly value: Uint8Array | null }[];
  /** Blocks that are not final yet. One that is stored already is not written again. */
  readonly blocks: readonly { readonly hash: Hash; readonly bytes: Uint8Array }[];
  /** Stored blocks that are not final and will not be. */
  readonly forget?: readonly Hash[];
}

/** A final block with all that follows from it. */
export interface CommitRequest {
  readonly height: Height;
  readonly hash: Hash;
  readonly headerBytes: Uint8Array;
  /** The block, unless `persist` stored it before. Not needed for height 0, which has no transactions. */
  readonly blockBytes?: Uint8Array | undefined;
  readonly certificate: Uint8Array | null;
  /** In the block's order. */
  readonly transactionHashes: readonly Hash[];
  readonly receiptsBytes: Uint8Array;
  readonly stateChanges: readonly { readonly key: Uint8Array; readonly value: Uint8Array | null }[];
  /** Keys of the consensus log that this block makes superfluous. */
  readonly forgetRecords: readonly string[];
  /** Stored blocks that can no longer become final. */
  readonly forgetCandidates: readonly Hash[];
}

/** The state after a final block from elsewhere, which takes the place of everything up to that block. */
export interface InstallRequest {
  readonly height: Height;
  readonly hash: Hash;
  readonly headerBytes: Uint8Array;
  readonly certificate: Uint8Array;
  /** What turns the stored state into the new one. */
  readonly stateChanges: CommitRequest['stateChanges'];
  readonly forgetCandidates: readonly Hash[];
}

export interface StoredBlock {
  readonly hash: Hash;
  readonly bytes: Uint8Array;
}

/** How many of the last final blocks are known by hash: far more than are ever under way at once. */
const recentBlocks = 256;

type Done = (problem: Problem | undefined) => void;

/**
 * The chain on disk: final blocks with their certificates and receipts, the index of transactions, the state, and what consensus
 * must remember. A block becomes final in one synced batch, so that after a crash either all of it is there or nothing.
 *
 * What is read is as of the last finished write, without what is about to be pruned. Reading throws the problem `storage/damaged`, with the
 * key in words, when what is stored is not what was written.
 */
export class ChainStore {
  readonly #store: Store;
  readonly #chainId: Hash;
  #final: Position | undefined;
  /** What is stored when all that was asked for is done: what is to go is not read any more. */
  #extent: Extent;
  /** Height of the last commit that was asked for: commits come in order, and may overlap. */
  #asked: number;
  /** Blocks that are stored, or asked to be, and not final. */
  readonly #candidateHashes: Set<Hash>;
  /** Blocks that became final last, or were asked to. One that comes late as a candidate is none. */
  readonly #recentFinal: Set<Hash>;
  /** The consensus log: every record by key. It follows the finished writes. */
  readonly logRecords: ReadonlyMap<string, Uint8Array>;
  readonly #logRecords: Map<string, Uint8Array>;
  /** The stored blocks that were not final when the store was opened. */
  readonly candidates: readonly StoredBlock[];
  readonly evidence: EvidenceTable;
  /** A snapshot that is being fetched. */
  readonly snapshot: SnapshotTable;

  private constructor(opened: {
    store: Store;
    chainId: Hash;
    final: readonly Position[];
    logRecords: Map<string, Uint8Array>;
    candidates: readonly StoredBlock[];
    evidence: EvidenceTable;
    snapshot: SnapshotTable;
    extent: Extent;
  }) {
    this.#store = opened.store;
    this.#extent = opened.extent;
    this.snapshot = opened.snapshot;
    this.#chainId = opened.chainId;
    this.#final = opened.final.at(-1);
    this.#asked = this.#final?.height ?? -1;
    this.#recentFinal = new Set(opened.final.map(({ hash }) => hash));
    this.#logRecords = opened.logRecords;
    this.logRecords = opened.logRecords;
    this.candidates = opened.candidates;
    this.#candidateHashes = new Set(opened.candidates.map(({ hash }) => hash));
    this.evidence = opened.evidence;
  }

  /**
   * Opens a chain's data, or a store without any (`isEmpty`). Throws a problem for another chain (`storage/other-chain`),
   * another format (`storage/format`), another program's data (`storage/foreign`), and damage. `checkedHeights` tells how many
   * of the last blocks must be there, whole and linked to each other; the others are checked when they are read.
   */
  static async open(
    store: Store,
    options: { readonly chainId: Hash; readonly checkedHeights?: number },
  ): Promise<ChainStore> {
    const stored = readChecksummed(store, keys.chain);
    if (stored === undefined) {
      const [first] = await store.scan({ ...wholeSpace, limit: 1 });
      if (first !== undefined) throw foreign();
    } else {
      checkChain(stored, options.chainId);
    }
    const extent = stored === undefined ? wholeChain : readExtent(store);
    const final =
      stored === undefined ? [] : readFinal(store, options.checkedHeights ?? recentBlocks, extent);
    const logRecords = new Map<string, Uint8Array>();
    for await (const [key, value] of scanChecksummed(store, rangeOf('log'))) {
      logRecords.set(Buffer.from(restOf(key)).toString('utf8'), value);
    }
    const candidates: StoredBlock[] = [];
    for await (const [key] of scanChecksummed(store, rangeOf('candidate'))) {
      const hash = toHex(restOf(key)) as Hash;
      const bytes = readChecksummed(store, keys.block(hash));
      if (bytes === undefined) throw damaged(`block ${hash}`, 'is missing');
      candidates.push({ hash, bytes });
    }
    const evidence = await EvidenceTable.open(store);
    const snapshot = await SnapshotTable.open(store);
    const { chainId } = options;
    return new ChainStore({ store, chainId, final, logRecords, candidates, evidence, snapshot, extent });
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

  /** The lowest height above 0 that this store knows headers and transactions of, without a gap up to the final one. */
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

  /** The final block at a height. Undefined where none is stored: above the final height, pruned, and for a height 0 that was committed without a block. */
  blockBytesAt(height: Height): Uint8Array | undefined {
    const stored = this.#stored(height);
    if (stored === undefined) return undefined;
    const bytes = this.blockBytes(stored.hash);
    if (bytes === undefined && height >= this.firstBlock)
      throw damaged(`block of height ${height}`, 'is missing');
    return bytes;
  }

  /** Undefined above the final height, for height 0, and for a block that is final through a descendant's certificate. */
  certificateAt(height: Height): Uint8Array | undefined {
    if (!this.#isFinal(height)) return undefined;
    return readChecksummed(this.#store, keys.certificate(height));
  }

  /** The certificate that makes this height final: its own, or that of the first descendant that has one. */
  nearestCertificate(height: Height): { readonly height: Height; readonly bytes: Uint8Array } | undefined {
    for (let at = height; this.#isFinal(at); at = toHeight(at + 1)) {
      const bytes = readChecksummed(this.#store, keys.certificate(at));
      if (bytes !== undefined) return { height: at, bytes };
    }
    return undefined;
  }

  /** Undefined above the final height, and for a block that was pruned. */
  receiptsBytesAt(height: Height): Uint8Array | undefined {
    if (!this.#isFinal(height)) return undefined;
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
    // The disk may show a batch a moment before it is known to be durable; until then its block is not final here.
    return this.#isFinal(place.height) ? place : undefined;
  }

  /** All entries of the state at the final height, in key order. */
  async stateEntries(): Promise<[Uint8Array, Uint8Array][]> {
    const entries: [Uint8Array, Uint8Array][] = [];
    for await (const [key, value] of scanChecksummed(this.#store, rangeOf('state'))) {
      entries.push([restOf(key), value]);
    }
    return entries;
  }

  /** Makes records and blocks durable in one synced batch. */
  persist(request: PersistRequest, done: Done): void {
    invariant(this.#asked >= 0, 'the block of height 0 is committed before anything else is stored');
    const batch: Write[] = [];
    for (const { key, value } of request.records) batch.push(checksummedWrite(keys.log(key), value));
    for (const { hash, bytes } of request.blocks) {
      if (this.#candidateHashes.has(hash) || this.#recentFinal.has(hash)) continue;
      this.#candidateHashes.add(hash);
      batch.push(checksummedWrite(keys.block(hash), bytes));
      batch.push(checksummedWrite(keys.candidate(hash), new Uint8Array()));
    }
    batch.push(...this.#forgetWrites(request.forget ?? []));
    this.#store.write(batch, (problem) => {
      if (problem === undefined) {
        for (const { key, value } of request.records) this.#remember(key, value);
      }
      done(problem);
    });
  }

  /** Makes a final block durable with everything that follows from it, in one synced batch. Heights come in order. */
  commit(request: CommitRequest, done: Done): void {
    this.commitRun([request], done);
  }

  /**
   * The same for several blocks in one batch: those that one certificate, of the last of them, makes final together. So a
   * store never ends at a block without the proof that it is final.
   */
  commitRun(requests: readonly CommitRequest[], done: Done): void {
    const batch = requests.flatMap((request) => this.#commitWrites(request));
    this.#store.write(batch, (problem) => {
      if (problem === undefined) {
        for (const { height, hash, forgetRecords } of requests) {
          this.#final = { height, hash };
          for (const key of forgetRecords) this.#remember(key, null);
        }
      }
      done(problem);
    });
  }

  /**
   * Deletes the lowest blocks, with their receipts and certificates, up to `keepFrom`, at most so many in this batch. Headers and the index of
   * transactions stay: what was final is still known to have been.
   */
  prune(request: { readonly keepFrom: Height; readonly atMost: number }, done: Done): void {
    const { firstBlock, firstHeader } = this.#extent;
    const keepFrom = Math.min(request.keepFrom, firstBlock + request.atMost, this.finalHeight);
    const batch: Write[] = [];
    for (let at = firstBlock; at < keepFrom; at = toHeight(at + 1)) batch.push(...this.#pruneWrites(at));
    const extent = { firstHeader, firstBlock: toHeight(Math.max(firstBlock, keepFrom)) };
    this.#writeExtent(batch, extent, done);
  }

  /**
   * Puts a block from elsewhere, and the state after it, in the place of everything stored so far, in one synced batch. Must not overlap
   * with a commit. The fetched snapshot is forgotten.
   */
  install(request: InstallRequest, done: Done): void {
    const { height, hash } = request;
    const before = this.finalHeight;
    invariant(
      height > before && this.#asked === before,
      'a snapshot is of a later block, and no commit is under way',
    );
    const batch: Write[] = [];
    const { firstHeader, firstBlock } = this.#extent;
    for (let at = firstHeader; at <= before; at = toHeight(at + 1)) {
      if (at >= firstBlock) batch.push(...this.#pruneWrites(at));
      batch.push(checksummedWrite(keys.header(at), null), checksummedWrite(keys.certificate(at), null));
    }
    batch.push(
      checksummedWrite(keys.header(height), request.headerBytes),
      checksummedWrite(keys.certificate(height), request.certificate),
    );
    for (const { key, value } of request.stateChanges) batch.push(checksummedWrite(keys.state(key), value));
    batch.push(...this.#forgetWrites(request.forgetCandidates));
    batch.push(...this.snapshot.clearing());
    batch.push(checksummedWrite(keys.final, encode(positionCodec, { height, hash })));
    this.#asked = height;
    this.#writeExtent(batch, { firstHeader: height, firstBlock: toHeight(height + 1) }, (problem) => {
      if (problem === undefined) this.#final = { height, hash };
      done(problem);
    });
  }

  #pruneWrites(height: Height): Write[] {
    const stored = this.#stored(height);
    invariant(stored !== undefined, `the header of height ${height} is stored`);
    return [
      checksummedWrite(keys.block(stored.hash), null),
      checksummedWrite(keys.receipts(height), null),
      checksummedWrite(keys.certificate(height), null),
    ];
  }

  #writeExtent(batch: Write[], extent: Extent, done: Done): void {
    batch.push(checksummedWrite(keys.pruned, encode(extentCodec, extent)));
    // At once: the disk may show a batch a moment before it is known to be durable, and the next one starts from this.
    this.#extent = extent;
    this.#store.write(batch, done);
  }

  #commitWrites(request: CommitRequest): Write[] {
    const { height, hash } = request;
    invariant(height === this.#asked + 1, `height ${this.#asked + 1} is committed next, not ${height}`);
    const batch: Write[] = [];
    if (height === 0) {
      batch.push(checksummedWrite(keys.chain, chainRecord(this.#chainId)));
    }
    if (this.#candidateHashes.delete(hash)) {
      batch.push(checksummedWrite(keys.candidate(hash), null));
    } else if (request.blockBytes !== undefined) {
      batch.push(checksummedWrite(keys.block(hash), request.blockBytes));
    } else {
      invariant(height === 0, `the block of height ${height} is stored or given`);
    }
    batch.push(
      checksummedWrite(keys.header(height), request.headerBytes),
      checksummedWrite(keys.receipts(height), request.receiptsBytes),
    );
    if (request.certificate !== null) {
      batch.push(checksummedWrite(keys.certificate(height), request.certificate));
    }
    for (const [index, transactionHash] of request.transactionHashes.entries()) {
      batch.push(checksummedWrite(keys.transaction(transactionHash), encode(placeCodec, { height, index })));
    }
    for (const { key, value } of request.stateChanges) batch.push(checksummedWrite(keys.state(key), value));
    for (const key of request.forgetRecords) batch.push(checksummedWrite(keys.log(key), null));
    batch.push(...this.#forgetWrites(request.forgetCandidates));
    batch.push(checksummedWrite(keys.final, encode(positionCodec, { height, hash })));
    this.#asked = height;
    this.#recentFinal.add(hash);
    for (const oldest of this.#recentFinal) {
      if (this.#recentFinal.size <= recentBlocks) break;
      this.#recentFinal.delete(oldest);
    }
    return batch;
  }

  /** Finishes what was asked, and closes the store. */
  close(): Promise<void> {
    return this.#store.close();
  }

  #forgetWrites(candidates: readonly Hash[]): Write[] {
    return (
      candidates
        // One that became final is no candidate any more, and must stay.
        .filter((hash) => this.#candidateHashes.delete(hash))
        .flatMap((hash) => [
          checksummedWrite(keys.candidate(hash), null),
          checksummedWrite(keys.block(hash), null),
        ])
    );
  }

  #remember(key: string, value: Uint8Array | null): void {
    if (value === null) this.#logRecords.delete(key);
    else this.#logRecords.set(key, value);
  }

  #position(): Position {
    invariant(this.#final !== undefined, 'a store without blocks has no final block');
    return this.#final;
  }

  #isFinal(height: Height): boolean {
    return this.#final !== undefined && height >= 0 && height <= this.#final.height;
  }

  #stored(height: Height): { header: BlockHeader; hash: Hash } | undefined {
    const isHere = this.#isFinal(height) && (height === 0 || height >= this.#extent.firstHeader);
    return isHere ? readHeader(this.#store, height) : undefined;
  }
}
