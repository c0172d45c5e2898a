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

/**
 * How long nodes may be behind the one that told of a block. What is not had by then may be made up: the
 * stream of another node is read, in which those who wait may find theirs.
 */
const behindMs = 10_000;

/** So many transactions are read as fast as their names. */
const fullAtOnce = 16;

type Settle = (outcome: FinalOutcome | Problem) => void;

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
   * Begins to read, unless it does already. What is expected before this is called and submitted after it
   * resolved cannot become final unseen. A problem when no node says where its chain stands.
   */
  open(deadlineMs?: number): Promise<Problem | undefined> {
    this.#opening ??= this.#open(deadlineMs);
    return this.#opening;
  }

  async #open(deadlineMs?: number): Promise<Problem | undefined> {
    const stop = new AbortController();
    this.#stop = stop;
    const status = await this.#nodes.ask((client) => client.status(), {
      ...(deadlineMs !== undefined && { deadlineMs }),
    });
    if (!(status instanceof Problem)) this.#height = Math.max(this.#height, status.finalHeight);
    // Closed meanwhile, and perhaps opened again by another: a second reader would never end.
    if (this.#stop !== stop) return status instanceof Problem ? status : undefined;
    if (status instanceof Problem) {
      this.#close();
      return status;
    }
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
    this.rest();
  }

  /** Reads no more, unless somebody waits. */
  rest(): void {
    if (this.#waiting.size === 0) this.#close();
  }

  #close(): void {
    this.#stop?.abort();
    this.#stop = undefined;
    this.#opening = undefined;
  }

  async #read(after: Height, stop: AbortController): Promise<void> {
    const { inOrder, surroundings } = this.#nodes;
    try {
      const blocks = finalBlocks({
        baseUrl: inOrder,
        after,
        chainId: this.#chainId,
        signal: stop.signal,
        surroundings,
        onTrouble: ({ code, details: { url } }) => {
          if (code === 'api/timeout' && typeof url === 'string') this.#nodes.late(url);
          this.#onMoved();
        },
        admit: (event) => this.#look(event, stop.signal),
      });
      // Whatever is to be done with a block is done before it counts as seen.
      for await (const { header } of blocks) this.#height = Math.max(this.#height, header.height);
    } catch (failure) {
      if (stop.signal.aborted) return;
      this.#close();
      const problem = failure instanceof Problem ? failure : unreadable(failure);
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      for (const [hash, settle] of waiting) settle(leftOpen(problem, hash));
    }
  }

  /** Tells those whose transactions stand in the block. A problem when no node gives it. */
  async #look(event: FinalBlockEvent, signal: AbortSignal): Promise<Problem | undefined> {
    if (event.transactionCount === 0 || this.#waiting.size === 0) return undefined;
    // What a small block holds is asked for at once, and not first whether it matters.
    if (event.transactionCount > fullAtOnce) {
      const block = await this.#block(event, { full: false, signal });
      if (block instanceof Problem) return block;
      if (!block.transactionHashes.some((hash) => this.#waiting.has(hash))) return undefined;
    }
    const full = await this.#block(event, { full: true, signal });
    if (full instanceof Problem) return full;
    for (const receipt of full.receipts ?? []) {
      const hash = receipt.transactionHash;
      const settle = this.#waiting.get(hash);
      this.#waiting.delete(hash);
      settle?.({ hash, height: event.header.height, blockHash: event.hash, receipt });
    }
    this.rest();
    return undefined;
  }

  async #block(
    { hash, header }: FinalBlockEvent,
    { full, signal }: { full: boolean; signal: AbortSignal },
  ): Promise<BlockAnswer | Problem> {
    const block = await this.#nodes.ask((client) => client.block(hash, { full }), {
      deadlineMs: behindMs,
      signal,
      // A node that is behind the one that announced it does not have it yet; one that pruned it never will.
      verdict: ({ code }) =>
        code === 'api/no-such-block' ? 'later' : code === 'storage/pruned' ? 'never' : 'answer',
    });
    if (!(block instanceof Problem) || block.code === 'storage/pruned') return block;
    return block.restated(`no node gives block ${header.height} (${hash}), of which one told`, {
      remedy: 'It is tried again by itself, at another node. Check that all of them are on one chain.',
      details: { ...block.details, retryable: true },
      cause: block,
    });
  }
}

/** Nobody watches what becomes of transactions any more. */
function leftOpen(problem: Problem, hash: Hash): Problem {
  const { message, details } = problem;
  return problem.restated(`${message}; what becomes of the transaction is not seen here`, {
    remedy: `Ask for transaction ${hash}, or submit the same bytes again: they count once. ${problem.remedy}`,
    details: { ...details, hash, outcome: 'unknown' },
    cause: problem,
  });
}

function unreadable(failure: unknown): Problem {
  return new Problem(
    'api/answer',
    `final blocks cannot be read: ${failure instanceof Error ? failure.message : String(failure)}`,
    { remedy: 'Check that the addresses are those of Quorate nodes of this version.' },
  );
}
