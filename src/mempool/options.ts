import { limits } from '../base/limits.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { Height } from '../ledger/block.ts';
import type { ChainParameters } from '../ledger/chain-parameters.ts';
import type { Account } from '../ledger/state-entry.ts';
import type { Transaction } from '../ledger/transaction.ts';

/** Looks an account up in some state. */
export type AccountOf = (key: PublicKey) => Account;

/** Why a transaction left the pool without being final. */
export type DropReason =
  | 'replaced'
  | 'evicted'
  | 'expired'
  | 'superseded'
  | 'fee-not-payable'
  | 'fee-too-low'
  | 'wrong-signers';

export interface MempoolBounds {
  readonly transactions: number;
  readonly bytes: number;
  readonly perSender: number;
  readonly bytesPerSender: number;
  readonly nonceGap: number;
  readonly replacementPercent: number;
  readonly senderShare: number;
  /**
   * How long an executable transaction may wait before whoever leaves it out of a full block passes it over,
   * in milliseconds. What waited a quarter of it comes first in the blocks that are built here, so that an
   * honest proposer is never near it.
   */
  readonly patienceMs: number;
}

export interface MempoolOptions {
  readonly chainId: Hash;
  /** The final height, and the lookup in the state there. */
  readonly height: Height;
  readonly accountOf: AccountOf;
  /** What counts for the next block; no least fee, and protocol version 1, unless given. */
  readonly next?: NextRules;
  readonly bounds?: Partial<MempoolBounds>;
  /**
   * Told of each transaction that leaves the pool for another reason than being
   * final. Must not call the pool.
   */
  readonly dropped?: (transaction: Transaction, reason: DropReason) => void;
}

/** The chain's parameters by which transactions are judged. */
export type NextRules = Pick<ChainParameters, 'feePerOperation' | 'protocolVersion'>;

export interface CommittedBlock {
  readonly height: Height;
  readonly transactions: readonly Pick<Transaction, 'hash' | 'sender' | 'fee' | 'bytes' | 'operations'>[];
  /** Looks up in the state after the block. */
  readonly accountOf: AccountOf;
  /** What counts for the next block. */
  readonly next: NextRules;
  /** Whether another transaction of any size would have fitted into the block. */
  readonly hadRoom: boolean;
  readonly now: number;
}

/** The same shape as `PendingWork` of the engine contract. Times are the caller's, in milliseconds. */
export interface MempoolWork {
  readonly executable: number;
  readonly oldestSince: number | null;
  readonly passedOverSince: number | null;
  readonly waiting: number;
}

export const defaultBounds: MempoolBounds = {
  transactions: limits.mempoolTransactions,
  bytes: limits.mempoolBytes,
  perSender: limits.mempoolPerSender,
  bytesPerSender: limits.mempoolBytesPerSender,
  nonceGap: limits.mempoolNonceGap,
  replacementPercent: limits.mempoolReplacementPercent,
  senderShare: limits.mempoolSenderShare,
  patienceMs: limits.mempoolPatienceMs,
};
