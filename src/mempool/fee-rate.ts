import { limits } from '../base/limits.ts';
import type { Transaction } from '../ledger/transaction.ts';

/** Fractions of the smallest unit, so that rates of different sizes can be told apart. */
const scale = 2n ** 16n;

/**
 * What a transaction takes of a block: the share of one of its
 * `limits.maxBlockTransactions` places, at least one.
 */
function placesOf({ bytes, operations }: Sized): number {
  const byBytes = (bytes.length * limits.maxBlockTransactions) / limits.maxBlockBytes;
  const byOperations = (operations.length * limits.maxBlockTransactions) / limits.maxBlockOperations;
  return Math.max(1, Math.ceil(byBytes), Math.ceil(byOperations));
}

type Sized = Pick<Transaction, 'bytes' | 'operations'>;

/** The rate that was asked for last: most pay the same for the same, and then share one big integer. */
const last = { fee: 0n, places: 1, rate: 0n };

/**
 * What a transaction pays for each place that it takes, as a whole number that is above
 * another's where the pay is.
 */
export function feeRate(transaction: Sized & Pick<Transaction, 'fee'>): bigint {
  const { fee } = transaction;
  const places = placesOf(transaction);
  if (fee !== last.fee || places !== last.places) {
    last.rate = (fee * scale) / BigInt(places);
    last.fee = fee;
    last.places = places;
  }
  return last.rate;
}

/** The least fee with which a transaction of this size has a rate above another. */
export function feeAbove(rate: bigint, transaction: Sized): bigint {
  if (rate < 0n) return 0n;
  return ((rate + 1n) * BigInt(placesOf(transaction)) + scale - 1n) / scale;
}
