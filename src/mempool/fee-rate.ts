import { limits } from '../base/limits.ts';
import type { Transaction } from '../ledger/transaction.ts';

/** Fractions of the smallest unit, so that rates of different sizes can be told apart. */
const scale = 2n ** 16n;

/**
 * What a transaction takes of a block: the share of one of its
 * `limits.maxBlockTransactions` places, at least one.
 */
function placesOf({ bytes, operations }: Sized): bigint {
  const byBytes = (bytes.length * limits.maxBlockTransactions) / limits.maxBlockBytes;
  const byOperations = (operations.length * limits.maxBlockTransactions) / limits.maxBlockOperations;
  return BigInt(Math.max(1, Math.ceil(byBytes), Math.ceil(byOperations)));
}

type Sized = Pick<Transaction, 'bytes' | 'operations'>;

/**
 * What a transaction pays for each place that it takes, as a whole number that is above
 * another's where the pay is.
 */
export function feeRate(transaction: Sized & Pick<Transaction, 'fee'>): bigint {
  return (transaction.fee * scale) / placesOf(transaction);
}

/** The least fee with which a transaction of this size has a rate above another. */
export function feeAbove(rate: bigint, transaction: Sized): bigint {
  if (rate < 0n) return 0n;
  return ((rate + 1n) * placesOf(transaction) + scale - 1n) / scale;
}
