import { promise } from './breach.ts';

/** A linearizable read under way. */
interface OpenRead {
  readonly node: number;
  /** The highest height that anybody had seen when it was asked. */
  readonly atLeast: number;
}

/**
 * Histories of clients. The chain is one sequence of blocks that all agree on, so a history is linearizable
 * (Herlihy and Wing, 1990) when no read misses what anybody had seen before it was asked: a block that a node
 * showed as final, or one that an earlier read answered with. Writes are in the order of their blocks, and
 * that no block comes before one that was seen when its transactions were submitted is checked here too.
 */
export class ReadChecker {
  #seen = 0;
  readonly #submittedAt = new Map<string, number>();

  /** A node showed this height as final to its clients. */
  onShown(height: number): void {
    this.#seen = Math.max(this.#seen, height);
  }

  /** A client submits something for the first time. */
  onSubmitted(transaction: string): void {
    if (!this.#submittedAt.has(transaction)) this.#submittedAt.set(transaction, this.#seen);
  }

  /** It stands in the block at this height. */
  onFinal(transaction: string, height: number): void {
    const before = this.#submittedAt.get(transaction);
    promise(
      before === undefined || height > before,
      'linearizability',
      () =>
        `transaction ${transaction} stands at height ${height}, and ${before} was seen before it was submitted`,
    );
  }

  begin(node: number): OpenRead {
    return { node, atLeast: this.#seen };
  }

  /** The read was answered from the state at this height, which the node has applied. */
  end(read: OpenRead, height: number, applied: number): void {
    promise(
      height >= read.atLeast,
      'linearizability',
      () =>
        `node ${read.node} answers a read as of height ${height}; ${read.atLeast} was seen before it was asked`,
    );
    promise(
      applied >= height,
      'linearizability',
      () => `node ${read.node} answers a read as of height ${height} and has only ${applied} applied`,
    );
    this.onShown(height);
  }
}
