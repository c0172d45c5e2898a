import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { Height } from '../ledger/block.ts';
import type { StateChange, StateChanges } from '../ledger/state-entry.ts';
import type { Touched } from '../ledger/touched.ts';
import type { Transaction } from '../ledger/transaction.ts';

/** What an engine asks to have on disk before it speaks. */
export interface PersistRequest {
  /** Records of the consensus log; null removes one. */
  readonly records: readonly { readonly key: string; readonly value: Uint8Array | null }[];
  /** Blocks that are not final yet. One that is stored already is not written again. */
  readonly blocks: readonly { readonly hash: Hash; readonly bytes: Uint8Array }[];
  /** Stored blocks that are not final and will not be. */
  readonly forget?: readonly Hash[];
}

/** A final block with all that follows from it. */
export interface CommitRequest {
  readonly height: Height;
  readonly hash: Hash;
  readonly headerBytes: Uint8Array;
  /** The block, unless `persist` stored it before. Not needed for height 0, which has no transactions. */
  readonly blockBytes?: Uint8Array | undefined;
  readonly certificate: Uint8Array | null;
  /** Who agrees on the blocks above, when this one changes that. */
  readonly nextValidators?: readonly PublicKey[] | undefined;
  /** In the block's order. */
  readonly transactions: readonly Pick<Transaction, 'hash' | 'sender' | 'reference' | 'operations'>[];
  /** What they touched, as their receipts say it, which come as they are stored. */
  readonly touched: Touched;
  readonly receiptsBytes: Uint8Array;
  readonly stateChanges: StateChanges;
  /** Keys of the consensus log that this block makes superfluous. */
  readonly forgetRecords: readonly string[];
  /** Stored blocks that can no longer become final. */
  readonly forgetCandidates: readonly Hash[];
}

/** The state after a final block from elsewhere, which takes the place of everything up to that block. */
export interface InstallRequest {
  readonly height: Height;
  readonly hash: Hash;
  readonly headerBytes: Uint8Array;
  readonly certificate: Uint8Array;
  /** What turns the stored state into the new one. */
  readonly stateChanges: readonly StateChange[];
  readonly forgetCandidates: readonly Hash[];
}

export interface StoredBlock {
  readonly hash: Hash;
  readonly bytes: Uint8Array;
}
