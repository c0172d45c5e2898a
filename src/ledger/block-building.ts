import type { IneligibleCode } from './eligibility.ts';
import { BlockExecution, type Execution, type ExecutionContext } from './execution.ts';
import type { State } from './state.ts';
import type { Transaction } from './transaction.ts';

/** What `buildBlock` passed over, and why. Only one behind a nonce gap may still be executed later. */
interface Skipped {
  readonly transaction: Transaction;
  readonly code: IneligibleCode;
}

/**
 * Takes candidates in their order into a block until the next one does not fit, passes over those
 * that may not stand in it, and gives the same execution as `executeBlock` on the result. Asks for
 * no candidate beyond those, and says with each question why the one before was passed over, if so;
 * `isFull` says that there was one that did not fit.
 */
export function buildBlock(
  parent: State,
  context: ExecutionContext,
  candidates: Iterable<Transaction, unknown, IneligibleCode | undefined>,
  room?: { readonly maxCount: number; readonly maxBytes: number },
): {
  transactions: readonly Transaction[];
  execution: Execution;
  skipped: readonly Skipped[];
  isFull: boolean;
} {
  const block = new BlockExecution(parent, context, room);
  const transactions: Transaction[] = [];
  const skipped: Skipped[] = [];
  let isFull = false;
  const next = candidates[Symbol.iterator]();
  for (let step = next.next(); step.done !== true;) {
    const transaction = step.value;
    isFull = !block.fits(transaction);
    if (isFull) break;
    const code = block.add(transaction);
    if (code === undefined) transactions.push(transaction);
    else skipped.push({ transaction, code });
    step = next.next(code);
  }
  if (isFull) next.return?.();
  return { transactions, execution: block.finish(), skipped, isFull };
}
