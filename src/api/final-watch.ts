import { limits } from '../base/limits.ts';
import type { Hash } from '../crypto/hash.ts';
import type { BlockHeader } from '../ledger/block.ts';
import type { Receipt } from '../ledger/receipt.ts';
import type { Backend, FinalBlock } from './backend.ts';
import { apiProblem } from './problem-answer.ts';

/** What became of a transaction: the receipt, and the block that it stands in. */
export interface FinalOutcome {
  readonly receipt: Receipt;
  readonly header: BlockHeader;
  readonly blockHash: Hash;
}

/** Watches final blocks for those who wait for their transactions. Bounded; listens only while somebody waits. */
export class FinalWatch {
  readonly #backend: Backend;
  readonly #watches = new Set<Watch>();
  #waiting = 0;
  #stopListening: () => void = () => undefined;
  #closed = false;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /**
   * Begins to watch, before the transactions are submitted: one may be final before the others are judged. Throws a problem when
   * too many wait. The caller must `end` it.
   */
  begin(count: number): Watch {
    if (this.#waiting + count > limits.httpWaiting) {
      throw apiProblem('api/too-many-waiting', 'too many clients wait for transactions to be final', {
        remedy: 'Submit without wait=final, and ask for the transactions later.',
        details: { limit: limits.httpWaiting, retryable: true },
      });
    }
    this.#waiting += count;
    if (this.#watches.size === 0) this.#listen();
    const watch = new Watch(() => {
      if (!this.#watches.delete(watch)) return;
      this.#waiting -= count;
      if (this.#watches.size === 0) this.#stopListening();
    });
    this.#watches.add(watch);
    if (this.#closed) watch.end();
    return watch;
  }

  #listen(): void {
    const endings = [
      this.#backend.onFinal((block) => {
        for (const watch of this.#watches) watch.see(block);
      }),
      this.#backend.onSteppedDown((reason) => {
        for (const watch of this.#watches) watch.giveUp(reason);
      }),
    ];
    this.#stopListening = () => {
      for (const end of endings) end();
    };
  }

  /** Lets all who wait go, with what they have. */
  close(): void {
    this.#closed = true;
    for (const watch of this.#watches) watch.end();
  }
}

class Watch {
  /** Blocks that were final before the hashes were known. */
  #early: FinalBlock[] | undefined = [];
  readonly #outcomes = new Map<Hash, FinalOutcome>();
  #missing = new Set<Hash>();
  #ended = false;
  #gaveUp: string | undefined;
  #wake: () => void = () => undefined;
  readonly #release: () => void;

  constructor(release: () => void) {
    this.#release = release;
  }

  see(block: FinalBlock): void {
    if (this.#early !== undefined) {
      this.#early.push(block);
      return;
    }
    for (const receipt of block.receipts) {
      if (!this.#missing.delete(receipt.transactionHash)) continue;
      this.#outcomes.set(receipt.transactionHash, { receipt, header: block.header, blockHash: block.hash });
    }
    if (this.#missing.size === 0) this.end();
  }

  /** Why waiting on makes no sense, when the node lost the lead meanwhile, or cannot go on. */
  get gaveUp(): string | undefined {
    return this.#gaveUp;
  }

  /** The node lost the lead, or cannot go on: what is not final yet has an unknown outcome. */
  giveUp(reason: string): void {
    this.#gaveUp ??= reason;
    this.#wake();
  }

  /** The outcomes of those that are final when all are, when time is up, when the node gave up, or when the watch is ended. */
  async until(hashes: Iterable<Hash>, timeoutMs: number): Promise<ReadonlyMap<Hash, FinalOutcome>> {
    this.#missing = new Set(hashes);
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const block of early) this.see(block);
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
    this.#early = undefined;
    this.#release();
    this.#wake();
  }
}
