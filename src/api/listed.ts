import type { PublicKey } from '../crypto/signature.ts';
import type { Height } from '../ledger/block.ts';
import type { Receipt } from '../ledger/receipt.ts';
import type { Place } from '../ledger/state-entry.ts';
import type { VersionView } from '../ledger/state-json.ts';
import type { Transaction } from '../ledger/transaction.ts';

/** The part of a node that lists, in pages, by its indexes; `pace` as elsewhere in the backend. */
export interface ListBackend {
  /** Final transactions of an account, or with a reference. */
  transactions(
    list: TransactionList,
    page: Page,
    pace?: () => Promise<void>,
  ): Promise<ListPage<ListedTransaction>>;
  /** The versions of a record that blocks made. */
  history(key: string, page: Page, pace?: () => Promise<void>): Promise<ListPage<VersionView>>;
  /** What a record was after a final block. */
  recordAt(key: string, height: Height, pace?: () => Promise<void>): Promise<RecordAt>;
}

/** Which transactions. */
export type TransactionList =
  | { readonly by: 'account'; readonly account: PublicKey }
  | { readonly by: 'reference'; readonly reference: Uint8Array };

/** A part of a list. */
export interface Page {
  readonly order: 'newest' | 'oldest';
  readonly limit: number;
  /** From the page before; the list's beginning without one. */
  readonly cursor?: string | undefined;
}

export interface ListPage<T> {
  /** The final height here when it was read. */
  readonly height: Height;
  /** From this height on nothing is left out; what is below is not known here. */
  readonly completeFrom: Height;
  readonly items: readonly T[];
  /** The cursor of the next page; null where the list ends. */
  readonly next: string | null;
}

/** A final transaction in a list. */
export interface ListedTransaction {
  readonly height: Height;
  /** In the block. */
  readonly index: number;
  /** Of the block, milliseconds since 1970. */
  readonly timestamp: number;
  /**
   * In a list of an account: whether it sent the transaction, or was touched by it or named in it. Elsewhere
   * undefined.
   */
  readonly role?: 'sender' | 'touched';
  readonly transaction: Transaction;
  readonly receipt: Receipt;
}

/** What a record was at a height. */
export interface RecordAt {
  readonly height: Height;
  /** 0 where it was never written up to then. */
  readonly version: number;
  readonly made: Place | undefined;
  /** Undefined where it is not there, or not any more. */
  readonly value: Uint8Array | undefined;
}
