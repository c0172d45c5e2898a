import { limits } from '../base/limits.ts';
import { keysNamedIn, type Operation } from '../ledger/operation.ts';
import type { Transaction } from '../ledger/transaction.ts';

/**
 * What a transaction counts wherever bytes of pending ones are bounded: its own, and what it has of parts and
 * keys beyond a transfer's. As objects these take up to thirty times their bytes: the smallest put has 9.
 */
export function weightOf({
  bytes,
  conditions,
  operations,
  signers,
}: Pick<Transaction, 'bytes' | 'conditions' | 'operations' | 'signers'>): number {
  const parts = operations.length - 1 + conditions.length;
  const keys = signers.length - 1 + Math.max(0, keysNamedBy(operations) - 1);
  return bytes.length + parts * limits.partBytes + keys * limits.keyBytes;
}

/** How many keys these name. */
export function keysNamedBy(operations: readonly Operation[]): number {
  let keys = 0;
  for (let at = 0; at < operations.length; at++) {
    const operation = operations[at] as Operation;
    keys += operation.type === 'transfer' ? 1 : keysNamedIn(operation).length;
  }
  return keys;
}
