import { limits } from '../base/limits.ts';
import type { Pace } from './backend.ts';

/** How many transactions one turn of the loop has for a client: a number of them, or of their bytes. */
export class Piece {
  #count = 0;
  #bytes = 0;

  /** Counts one more. True when a turn is full without it: then it is the first of the next. */
  isFullBefore(bytes: number): boolean {
    const isFull =
      this.#count === limits.httpPieceTransactions ||
      (this.#count > 0 && this.#bytes + bytes > limits.httpPieceBytes);
    if (isFull) this.#count = this.#bytes = 0;
    this.#count += 1;
    this.#bytes += bytes;
    return isFull;
  }
}

/**
 * Does something with each transaction of a list, in bytes or in hex, some of them in a turn of the loop: the
 * first ones at once.
 */
export async function inPieces<T extends { readonly length: number }, R>(
  list: readonly T[],
  act: (item: T) => R,
  pace: Pace,
): Promise<R[]> {
  const piece = new Piece();
  const results: R[] = [];
  for (let index = 0; index < list.length; index++) {
    const item = list[index] as T;
    if (piece.isFullBefore(item.length)) await pace();
    results.push(act(item));
  }
  return results;
}
