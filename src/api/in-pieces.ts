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
  for (let index = 0; index < list.length; index++) {
    if (index > 0 && index % limits.httpPieceTransactions === 0) await pace();
    results.push(act(list[index] as T));
  }
  return results;
}
