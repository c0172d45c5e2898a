import { defined } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import type { Hash } from '../crypto/hash.ts';
import type { Backend, FinalBlock, FinalOutcome } from './backend.ts';
import { apiProblem } from './problem-answer.ts';

export interface WaitBounds {
  readonly waits: number;
  readonly waiting: number;
  readonly waitingPerClient: number;
}

const defaultBounds: WaitBounds = {
  waits: limits.httpWaits,
  waiting: limits.httpWaiting,
  waitingPerClient: limits.httpWaitingPerClient,
};

/** What one client waits for. */
interface Share {
  transactions: number;
  /** The longest first. */
  readonly watches: Set<Watch>;
}

/**
 * Watches final blocks for those who wait for their transactions. Bounded; listens only while somebody waits.
 *
 * Each who waits holds a connection for up to a minute, and addresses cost little: so all of them have a
 * part of the connections, and the rest is for those who ask and submit. When that part is taken, whoever
 * waits the longest of the client that waits for the most gives way, and is answered as things stand.
 */
export class FinalWatch {
  readonly #backend: Backend;
  readonly #bounds: WaitBounds;
  readonly #watches = new Set<Watch>();
  /** Who waits for which transaction: a block costs its own transactions, however many wait. */
  readonly #waitingFor = new Map<Hash, Set<Watch>>();
  #waiting = 0;
  readonly #shareOf = new Map<string, Share>();
  /** The latest final blocks, for those whose transactions are still being judged. */
  #latest: FinalBlock[] = [];
  /** Blocks seen in all. */
  #seen = 0;
  #stopListening: () => void = () => undefined;
  #closed = false;

  constructor(backend: Backend, bounds: Partial<WaitBounds> = {}) {
    this.#backend = backend;
    this.#bounds = { ...defaultBounds, ...bounds };
  }

  /**
   * Begins to watch, before the transactions are submitted: one may be final before the others are judged.
   * Throws a problem when this client waits for too many. The caller must `end` it.
   */
  begin(count: number, client: string): Watch {
    const { waits, waiting, waitingPerClient } = this.#bounds;
    const share = this.#shareOf.get(client) ?? { transactions: 0, watches: new Set() };
    if (share.transactions + count > Math.min(waiting, waitingPerClient)) {
      throw apiProblem('api/too-many-waiting', 'this client waits for too many transactions to be final', {
        remedy: 'Submit without wait=final, and ask for the transactions later.',
        details: { limitPerClient: waitingPerClient, retryable: true },
      });
    }
    while (this.#watches.size >= waits) this.#giveWay(({ watches }) => watches.size);
    while (this.#waiting + count > waiting) this.#giveWay(({ transactions }) => transactions);
    this.#waiting += count;
    share.transactions += count;
    this.#shareOf.set(client, share);
    if (this.#watches.size === 0) this.#listen();
    const before = this.#seen;
    const watch = new Watch({
      waitingFor: this.#waitingFor,
      missed: () => {
        const blocks = this.#latest.slice(Math.max(0, this.#latest.length - (this.#seen - before)));
        return { blocks, isAll: blocks.length === this.#seen - before };
      },
      release: () => {
        if (!this.#watches.delete(watch)) return;
        this.#waiting -= count;
        share.transactions -= count;
        share.watches.delete(watch);
        if (share.watches.size === 0) this.#shareOf.delete(client);
        if (this.#watches.size === 0) this.#stopListening();
      },
    });
    this.#watches.add(watch);
    share.watches.add(watch);
    if (this.#closed) watch.end();
    return watch;
  }

  /** The longest wait of the client that has most. */
  #giveWay(has: (share: Share) => number): void {
    const shares = [...this.#shareOf.values()];
    const most = shares.reduce((largest, share) => (has(share) > has(largest) ? share : largest));
    const [longest] = most.watches;
    defined(longest, 'a client with a share waits').giveWay();
  }

  #listen(): void {
    const endings = [
      this.#backend.onFinal((block) => this.#see(block)),
      this.#backend.onSteppedDown((reason) => {
        for (const watch of this.#watches) watch.giveUp(reason);
      }),
    ];
    this.#stopListening = () => {
      for (const end of endings) end();
      this.#latest = [];
    };
  }

  #see(block: FinalBlock): void {
    this.#seen += 1;
    this.#latest.push(block);
    if (this.#latest.length > limits.httpFinalBlocks) this.#latest.shift();
    const { hash: blockHash, header } = block;
    for (const receipt of block.receipts) {
      const watches = this.#waitingFor.get(receipt.transactionHash) ?? [];
      for (const watch of watches) watch.take({ receipt, height: header.height, blockHash });
    }
  }

  /** Ends all waits; each is answered as things stand. */
  close(): void {
    this.#closed = true;
    for (const watch of this.#watches) watch.end();
  }
}

/** Blocks that became final since somebody began to watch: all of them, or the latest. */
interface Missed {
  readonly blocks: readonly FinalBlock[];
  readonly isAll: boolean;
}

class Watch {
  readonly #outcomes = new Map<Hash, FinalOutcome>();
  readonly #missing = new Set<Hash>();
  readonly #waitingFor: Map<Hash, Set<Watch>>;
  readonly #missed: () => Missed;
  #ended = false;
  #gaveUp: string | undefined;
  #gaveWay = false;
  #wake: () => void = () => undefined;
  readonly #release: () => void;

  constructor(options: {
    readonly waitingFor: Map<Hash, Set<Watch>>;
    readonly missed: () => Missed;
    readonly release: () => void;
  }) {
    this.#waitingFor = options.waitingFor;
    this.#missed = options.missed;
    this.#release = options.release;
  }

  take(outcome: FinalOutcome): void {
    const { transactionHash } = outcome.receipt;
    if (!this.#missing.has(transactionHash)) return;
    this.#outcomes.set(transactionHash, outcome);
    this.#waitNoMore(transactionHash);
    if (this.#missing.size === 0) this.end();
  }

  /** Why waiting on makes no sense, when the node lost the lead meanwhile, or cannot go on. */
  get gaveUp(): string | undefined {
    return this.#gaveUp;
  }

  /** Others wait in its place: what is not final yet is to be asked for again. */
  get gaveWay(): boolean {
    return this.#gaveWay;
  }

  giveWay(): void {
    this.#gaveWay = true;
    this.end();
  }

  /** The node lost the lead, or cannot go on: what is not final yet has an unknown outcome. */
  giveUp(reason: string): void {
    this.#gaveUp ??= reason;
    this.#wake();
  }

  /**
   * The outcomes of those that are final when all are, when time is up, when the node gave up, or when
   * the watch is ended. `lookUp` is asked for them one by one when more blocks became final since the
   * watch began than are kept.
   */
  async until(
    hashes: Iterable<Hash>,
    timeoutMs: number,
    lookUp: (hash: Hash) => Promise<FinalOutcome | undefined>,
  ): Promise<ReadonlyMap<Hash, FinalOutcome>> {
    const { blocks, isAll } = this.#missed();
    if (!this.#ended) for (const hash of hashes) this.#waitFor(hash);
    for (const { hash: blockHash, header, receipts } of blocks) {
      for (const receipt of receipts) this.take({ receipt, height: header.height, blockHash });
    }
    for (const hash of isAll ? [] : [...this.#missing]) {
      const outcome = await lookUp(hash);
      if (outcome !== undefined) this.take(outcome);
    }
    if (this.#missing.size === 0) this.end();
    if (!this.#ended && this.#gaveUp === undefined) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.end();
    return this.#outcomes;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const hash of this.#missing) this.#waitNoMore(hash);
    this.#release();
    this.#wake();
  }

  #waitFor(hash: Hash): void {
    this.#missing.add(hash);
    const watches = this.#waitingFor.get(hash) ?? new Set();
    this.#waitingFor.set(hash, watches.add(this));
  }

  #waitNoMore(hash: Hash): void {
    this.#missing.delete(hash);
    const watches = this.#waitingFor.get(hash);
    if (watches?.delete(this) === true && watches.size === 0) this.#waitingFor.delete(hash);
  }
}
