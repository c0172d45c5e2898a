import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import { decodeOwnTransaction, type Transaction } from '../../ledger/transaction.ts';
import type { Clock } from '../process/clock.ts';

/**
 * Decodes transactions of blocks that were fetched, so many bytes in a turn of the loop, the first ones at
 * once. Answers with all of them, in order, or with what is wrong with the first that is none; nobody has to
 * wait for the rest then.
 */
export function decodeInTurns(
  clock: Pick<Clock, 'after'>,
  encoded: readonly Uint8Array[],
  done: (result: Transaction[] | Problem) => void,
): void {
  const transactions: Transaction[] = [];
  const goOn = (): void => {
    let bytes = 0;
    for (let at = transactions.length; at < encoded.length; at++) {
      const next = encoded[at] as Uint8Array;
      bytes += next.length;
      if (bytes > limits.decodedBytes && bytes > next.length) return void clock.after(0, goOn);
      const transaction = decodeOwnTransaction(next);
      if (transaction instanceof Problem) return done(transaction);
      transactions.push(transaction);
    }
    done(transactions);
  };
  goOn();
}
