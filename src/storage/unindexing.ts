import { unwrap } from '../base/problem.ts';
import { type Height } from '../ledger/block.ts';
import { decodePartsOf } from '../ledger/block-body.ts';
import { type Receipt, receiptsCodec } from '../ledger/receipt.ts';
import { Touched } from '../ledger/touched.ts';
import { decodeOwnTransaction } from '../ledger/transaction.ts';
import { decodeOwn } from './chain-records.ts';
import type { IndexedBlock } from './index-postings.ts';

/** A block on its way out of the indexes: what is left of it there. */
interface Remainder {
  readonly height: Height;
  readonly transactions: readonly Uint8Array[];
  readonly receipts: readonly Receipt[];
}

/**
 * Blocks are taken out of the indexes before they are deleted, because only the block says which entries it
 * has; a bounded number of transactions at a time.
 */
export class Unindexing {
  readonly #read: (height: Height) => { readonly block: Uint8Array; readonly receipts: Uint8Array };
  #rest: Remainder | undefined;

  constructor(read: (height: Height) => { readonly block: Uint8Array; readonly receipts: Uint8Array }) {
    this.#read = read;
  }

  /** Up to `room` of its transactions that were not taken yet, and whether these are the last ones. */
  take(height: Height, room: number): { readonly part: IndexedBlock; readonly isLast: boolean } {
    const { transactions, receipts } = this.#rest?.height === height ? this.#rest : this.#open(height);
    const part = {
      height,
      transactions: transactions.slice(0, room).map((bytes) => unwrap(decodeOwnTransaction(bytes))),
      touched: Touched.by(receipts.slice(0, room)),
    };
    const isLast = transactions.length <= room;
    this.#rest = isLast
      ? undefined
      : { height, transactions: transactions.slice(room), receipts: receipts.slice(room) };
    return { part, isLast };
  }

  #open(height: Height): Remainder {
    const { block, receipts } = this.#read(height);
    return {
      height,
      transactions: unwrap(decodePartsOf(block)).transactions,
      receipts: decodeOwn(receiptsCodec, receipts, `receipts of height ${height}`),
    };
  }
}
