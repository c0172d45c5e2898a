import assert from 'node:assert/strict';
import { encode } from '../../src/base/codec.ts';
import { defined } from '../../src/base/invariant.ts';
import type { Problem } from '../../src/base/problem.ts';
import { hashHeader, headerCodec, toHeight } from '../../src/ledger/block.ts';
import { encodeBlock } from '../../src/ledger/block-body.ts';
import { zeroHash } from '../../src/crypto/hash.ts';
import type { State } from '../../src/ledger/state.ts';
import type { Transaction } from '../../src/ledger/transaction.ts';
import { indexDifference, type ScannedBlock } from '../../src/simulator/checkers/index-checker.ts';
import { ChainStore } from '../../src/storage/chain-store.ts';
import { heightIn, indexKinds, rangeOf } from '../../src/storage/keys.ts';
import { type MemoryEntries, MemoryStore } from '../../src/storage/memory-store.ts';
import type { ScanRange } from '../../src/storage/port.ts';
import { chainId } from './chain-samples.ts';
import { execute, headerWith, stateWith } from '../ledger/samples.ts';

const done = (call: (done: (problem: Problem | undefined) => void) => void): Promise<void> =>
  new Promise((resolve, reject) => call((problem) => (problem === undefined ? resolve() : reject(problem))));

/** A chain of executed blocks on a disk that outlives the store, with all that was ever in it. */
export class IndexedChain {
  readonly entries: MemoryEntries = new Map();
  readonly blocks: ScannedBlock[] = [];
  /** All scans of the store. */
  readonly scanned: ScanRange[] = [];
  chain!: ChainStore;
  #raw!: MemoryStore;
  #state: State = stateWith({ alice: 1_000n, bob: 1_000n, carol: 1_000n });
  #parentHash = zeroHash;

  /** Opens what is on disk, as a node does; `indexes` null leaves them as they are. */
  async open(indexes: boolean | null = true): Promise<ChainStore> {
    this.#raw = new MemoryStore(setImmediate, this.entries);
    const scan = this.#raw.scan.bind(this.#raw);
    this.#raw.scan = (range) => {
      this.scanned.push(range);
      return scan(range);
    };
    this.chain = await ChainStore.open(this.#raw, { chainId });
    if (indexes !== null) await this.chain.keepIndexes(indexes);
    if (this.chain.isEmpty) await this.add([]);
    return this.chain;
  }

  /** After the last block made. */
  get state(): State {
    return this.#state;
  }

  get nextHeight(): number {
    return this.blocks.length;
  }

  /** Makes the next block, and stores it unless told otherwise. */
  async add(transactions: readonly Transaction[], isStored = true): Promise<void> {
    const height = toHeight(this.blocks.length);
    const execution = execute(this.#state, transactions, height);
    const header = headerWith({ height, parentHash: this.#parentHash, stateRoot: execution.state.root });
    const hash = hashHeader(header);
    const { receipts, receiptsBytes, touched, changes } = execution;
    this.blocks.push({ height, transactions, receipts });
    this.#state = execution.state;
    this.#parentHash = hash;
    const headerBytes = encode(headerCodec, header);
    this.#last = { height, hash, headerBytes, certificate: new Uint8Array([1]) };
    if (!isStored) return;
    await done((finish) =>
      this.chain.commit(
        {
          ...defined(this.#last, 'a block'),
          blockBytes: encodeBlock({ header, transactions }),
          transactions,
          touched,
          receiptsBytes,
          stateChanges: changes,
          forgetRecords: [],
          forgetCandidates: [],
        },
        finish,
      ),
    );
  }

  #last:
    | Pick<Parameters<ChainStore['install']>[0], 'height' | 'hash' | 'headerBytes' | 'certificate'>
    | undefined;

  /** The last block made comes as a snapshot. */
  install(): Promise<void> {
    const last = defined(this.#last, 'a block');
    return done((finish) => this.chain.install({ ...last, stateChanges: [], forgetCandidates: [] }, finish));
  }

  prune(keepFrom: number, atMost = 100): Promise<void> {
    return done((finish) => this.chain.prune({ keepFrom: toHeight(keepFrom), atMost }, finish));
  }

  /** Fails with the first name of which the indexes say something else than the blocks. */
  async check(): Promise<void> {
    const { indexedFrom, finalHeight } = this.chain;
    const blocks = this.blocks.filter(
      ({ height }) => height >= defined(indexedFrom, 'indexes') && height <= finalHeight,
    );
    assert.equal(await indexDifference(this.#raw, blocks, ['oldest first', 'newest first']), undefined);
  }

  /** Heights of all entries on disk, each once. */
  async indexedHeights(): Promise<number[]> {
    const heights = new Set<number>();
    for (const kind of indexKinds) {
      for (const [key] of await this.#raw.scan(rangeOf(kind))) heights.add(heightIn(key));
    }
    return [...heights].sort((a, b) => a - b);
  }
}
