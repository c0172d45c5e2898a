import { limits } from '../base/limits.ts';
import type { Pace } from './backend.ts';

/**
 * Does something with each transaction of a list, some of them in a turn of the loop: the first ones at once.
 */
export async function inPieces<T, R>(
  list: readonly T[],
  act: (item: T) => R,
  pace: Pace,
): Promise<readonly R[]> {
  const results: R[] = [];
  for (const [index, item] of list.entries()) {
    if (index > 0 && index % limits.httpPieceTransactions === 0) await pace();
    results.push(act(item));
  }
  return results;
}
