import { boundedBytes, encode, listOf } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import type { Transaction } from '../ledger/transaction.ts';

export const batchCodec = listOf(boundedBytes(limits.maxTransactionBytes, 'transaction'), limits.httpBatch);
/** What stands before each transaction of a batch (its length), and before all of them (their count). */
const lengthBytes = 2;

/** The body of a binary submission: the count, then each transaction behind its length. */
export function encodeBatch(transactions: readonly Transaction[]): Uint8Array {
  return encode(
    batchCodec,
    transactions.map((transaction) => transaction.bytes),
  );
}

/** Cuts a list, in order, into batches that one request may carry. */
export function splitIntoBatches(transactions: readonly Transaction[]): Transaction[][] {
  const batches: Transaction[][] = [];
  let current: Transaction[] = [];
  let size = lengthBytes;
  for (const transaction of transactions) {
    const more = lengthBytes + transaction.bytes.length;
    if (current.length >= limits.httpBatch || size + more > limits.httpBodyBytes) {
      batches.push(current);
      current = [];
      size = lengthBytes;
    }
    current.push(transaction);
    size += more;
  }
  if (current.length > 0) batches.push(current);
  return batches;
}
