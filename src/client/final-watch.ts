import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { Height } from '../ledger/block.ts';
import type { ReceiptAnswer } from './answers.ts';
import { type FinalBlockEvent, finalBlocks } from './events.ts';
import type { FinalOutcome, FinalProofs } from './final-proofs.ts';
import type { Nodes } from './nodes.ts';
import { unseen } from './outcomes.ts';

/** So many transactions are read as fast as their names. */
const fullAtOnce = 16;

type Settle = (outcome: FinalOutcome | Problem) => void;

/**
 * One reader of final blocks for all who wait for transactions, however many: it follows the stream of one
 * node, and of the next one when that breaks. It reads only while somebody waits.
 */
export class FinalWatch {
  /** What of it may be believed. */
  readonly proofs: FinalProofs;
  readonly #nodes: Nodes;
  readonly #chainId: Hash;
  /** Called when the stream broke and goes on elsewhere: what was given to that node alone may be lost. */
  readonly #onMoved: () => void;
  readonly #waiting = new Map<Hash, Settle>();
  #stop: AbortController | undefined;
  #opening: Promise<Problem | undefined> | undefined;
  #height = 0;

  constructor(options: { nodes: Nodes; chainId: Hash; proofs: FinalProofs; onMoved: () => void }) {
    this.#nodes = options.nodes;
    this.proofs = options.proofs;
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
    const height = await this.proofs.height({ ...(deadlineMs !== undefined && { deadlineMs }) });
    if (!(height instanceof Problem)) this.#height = Math.max(this.#height, height);
    // Closed meanwhile, and perhaps opened again by another: a second reader would never end.
    if (this.#stop !== stop) return height instanceof Problem ? height : undefined;
    if (height instanceof Problem) {
      this.#close();
      return height;
    }
    void this.#read(height, stop);
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
        admit: (event, url) => this.#admit(event, url, stop.signal),
      });
      // Whatever is to be done with a block is done before it counts as seen.
      for await (const { header } of blocks) this.#height = Math.max(this.#height, header.height);
    } catch (failure) {
      if (stop.signal.aborted) return;
      this.#close();
      const problem = failure instanceof Problem ? failure : unreadable(failure);
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      for (const [hash, settle] of waiting) settle(unseen(problem, hash));
    }
  }

  /** Tells those whose transactions stand in the block. A problem when nobody proves it, or gives it. */
  async #admit(event: FinalBlockEvent, url: string, signal: AbortSignal): Promise<Problem | undefined> {
    const unwanted = new AbortController();
    // Both are asked for at once: who reads must not fall behind a chain of many blocks a second.
    const proof = this.proofs.block(event, url);
    const asked = this.#receiptsOf(event, AbortSignal.any([signal, unwanted.signal]));
    const unproven = await proof;
    if (unproven !== undefined) {
      unwanted.abort();
      return notGiven(event, unproven);
    }
    const receipts = await asked;
    if (receipts instanceof Problem) return notGiven(event, receipts);
    for (const receipt of receipts) {
      const hash = receipt.transactionHash;
      const settle = this.#waiting.get(hash);
      this.#waiting.delete(hash);
      settle?.({ hash, height: event.header.height, blockHash: event.hash, receipt });
    }
    this.rest();
    return undefined;
  }

  /** None of a block that nobody waits for. */
  async #receiptsOf(
    event: FinalBlockEvent,
    signal: AbortSignal,
  ): Promise<readonly ReceiptAnswer[] | Problem> {
    if (event.transactionCount === 0 || this.#waiting.size === 0) return [];
    // What a small block holds is asked for at once, and not first whether it matters.
    if (event.transactionCount > fullAtOnce) {
      const hashes = await this.proofs.hashes(event, signal);
      if (hashes instanceof Problem) return hashes;
      if (!hashes.some((hash) => this.#waiting.has(hash))) return [];
    }
    return this.proofs.receipts(event, signal);
  }
}

function notGiven({ hash, header }: FinalBlockEvent, problem: Problem): Problem {
  if (problem.code === 'storage/pruned' || problem.code.startsWith('proof/')) return problem;
  return problem.restated(`no node gives block ${header.height} (${hash}), of which one told`, {
    remedy: 'It is tried again by itself, at another node. Check that all of them are on one chain.',
    details: { ...problem.details, retryable: true },
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
