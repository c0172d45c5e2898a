import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { Height } from '../ledger/block.ts';
import type { BlockAnswer, ReceiptAnswer } from './answers.ts';
import { type FinalBlockEvent, finalBlocks } from './events.ts';
import type { Nodes } from './nodes.ts';

/** What became of a final transaction. */
export interface FinalOutcome {
  readonly hash: Hash;
  readonly height: Height;
  readonly blockHash: Hash;
  readonly receipt: ReceiptAnswer;
}

type Settle = (outcome: FinalOutcome | Problem) => void;

/** How long a block that a node called final may take to be had from some node. */
const blockDeadlineMs = 30_000;

/**
 * One reader of final blocks for all who wait for transactions, however many: it follows the stream of one
 * node, and of the next one when that breaks. It reads only while somebody waits.
 */
export class FinalWatch {
  readonly #nodes: Nodes;
  readonly #chainId: Hash;
  /** Called when the stream broke and goes on elsewhere: what was given to that node alone may be lost. */
  readonly #onMoved: () => void;
  readonly #waiting = new Map<Hash, Settle>();
  #stop: AbortController | undefined;
  #opening: Promise<Problem | undefined> | undefined;
  #height = 0;

  constructor(options: { nodes: Nodes; chainId: Hash; onMoved: () => void }) {
    this.#nodes = options.nodes;
    this.#chainId = options.chainId;
    this.#onMoved = options.onMoved;
  }

  /** The highest final height seen. */
  get height(): number {
    return this.#height;
  }

  /**
   * Begins to read, unless it does already. What is submitted after this resolved cannot become final unseen.
   * A problem when no node says where its chain stands.
   */
  open(deadlineMs?: number): Promise<Problem | undefined> {
    this.#opening ??= this.#open(deadlineMs);
    return this.#opening;
  }

  async #open(deadlineMs?: number): Promise<Problem | undefined> {
    const status = await this.#nodes.ask((client) => client.status(), {
      ...(deadlineMs !== undefined && { deadlineMs }),
    });
    if (status instanceof Problem) {
      this.#opening = undefined;
      return status;
    }
    this.#height = Math.max(this.#height, status.finalHeight);
    const stop = new AbortController();
    this.#stop = stop;
    void this.#read(status.finalHeight, stop);
    return undefined;
  }

  /** What becomes of a transaction; to be called before it is submitted, after `open`. */
  expect(hash: Hash, settle: Settle): void {
    this.#waiting.set(hash, settle);
  }

  /** Nobody waits for it any more. */
  forget(hash: Hash): void {
    this.#waiting.delete(hash);
    if (this.#waiting.size === 0) this.close();
  }

  close(): void {
    this.#stop?.abort();
    this.#stop = undefined;
    this.#opening = undefined;
  }

  async #read(after: Height, stop: AbortController): Promise<void> {
    const { endpoints, surroundings } = this.#nodes;
    try {
      for await (const event of finalBlocks({
        baseUrl: endpoints,
        after,
        chainId: this.#chainId,
        signal: stop.signal,
        surroundings,
        onTrouble: () => this.#onMoved(),
      })) {
        const problem = await this.#look(event);
        if (problem !== undefined) throw problem;
      }
    } catch (failure) {
      if (stop.signal.aborted) return;
      this.close();
      const problem = failure instanceof Problem ? failure : unreadable(failure);
      const waiting = [...this.#waiting.values()];
      this.#waiting.clear();
      for (const settle of waiting) settle(problem);
    }
  }

  /** Tells those whose transactions stand in the block. A problem when no node gives it. */
  async #look(event: FinalBlockEvent): Promise<Problem | undefined> {
    this.#height = Math.max(this.#height, event.header.height);
    if (event.transactionCount === 0 || this.#waiting.size === 0) return undefined;
    const block = await this.#block(event, false);
    if (block instanceof Problem) return block;
    if (!block.transactionHashes.some((hash) => this.#waiting.has(hash))) return undefined;
    const full = await this.#block(event, true);
    if (full instanceof Problem) return full;
    for (const receipt of full.receipts ?? []) {
      const hash = receipt.transactionHash;
      const settle = this.#waiting.get(hash);
      this.#waiting.delete(hash);
      settle?.({ hash, height: event.header.height, blockHash: event.hash, receipt });
    }
    if (this.#waiting.size === 0) this.close();
    return undefined;
  }

  #block({ hash }: FinalBlockEvent, full: boolean): Promise<BlockAnswer | Problem> {
    return this.#nodes.ask((client) => client.block(hash, { full }), {
      deadlineMs: blockDeadlineMs,
      // A node that is behind the one that told of it does not have it yet; one that pruned it never will.
      elsewhere: (answer) =>
        answer instanceof Problem &&
        (answer.code === 'api/no-such-block' || answer.code === 'storage/pruned'),
    });
  }
}

function unreadable(failure: unknown): Problem {
  return new Problem(
    'api/answer',
    `final blocks cannot be read: ${failure instanceof Error ? failure.message : String(failure)}`,
    {
      remedy: 'Check that the addresses are those of Quorate nodes of this version.',
      details: { outcome: 'unknown' },
    },
  );
}
