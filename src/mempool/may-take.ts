import type { Transaction } from '../ledger/transaction.ts';

/** More than any account has. */
const everything = 2n ** 64n;

/**
 * The most that a transaction can take from what pays the fees of those behind it: its fee, and what leaves
 * its sender's balance when all of it is done. Everything, when it changes the sender's keys: others would
 * have to sign those. What comes back from the sender's own reservations is not known here, and not counted.
 */
export function mayTake({ sender, fee, operations }: Transaction): bigint {
  let leaves = 0n;
  for (const operation of operations) {
    const { type } = operation;
    if (type === 'set-keys') return everything;
    if (type === 'reserve' || (type === 'transfer' && operation.to !== sender)) leaves += operation.amount;
    else if (type === 'post' && operation.reservation.sender !== sender) leaves -= operation.amount;
  }
  return leaves > 0n ? fee + leaves : fee;
}
