import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { BlockHeader, Height } from '../ledger/block.ts';
import type { FinalityCertificate } from '../ledger/certificate.ts';
import type { BlockLimits, ChainChange } from '../ledger/chain-change.ts';
import type { ScheduledChange } from '../ledger/chain-parameters.ts';
import type { Receipt } from '../ledger/receipt.ts';
import type { Transaction } from '../ledger/transaction.ts';

/** All from the oldest to the newest. */
export interface ProtocolVersionsView {
  readonly oldest: number;
  readonly newest: number;
}

/** By the final state: what counts for the block after it. */
export interface ChainParametersView {
  /** The final block whose state was read. */
  readonly height: Height;
  readonly blockHash: Hash;
  readonly stateRoot: Hash;
  readonly protocolVersion: number;
  readonly feePerOperation: bigint;
  readonly limits: BlockLimits;
  /** Decided, and to count from a later height on; in the order of these. */
  readonly scheduled: readonly ScheduledChange[];
  /** The set in force, as headers name it. */
  readonly validatorsHash: Hash;
  /** Who proposes and approves changes. */
  readonly validators: readonly {
    readonly publicKey: PublicKey;
    /** From the genesis file; null for one that came later. */
    readonly name: string | null;
    /** Null while there is no connection to it. */
    readonly protocolVersions: ProtocolVersionsView | null;
  }[];
  /** Raft: the members that `validatorsHash` is of, encoded: a proposal brings them along. Else empty. */
  readonly members: Uint8Array;
  /** How many of the validators must approve a change. */
  readonly needed: number;
}

export interface ProposalView {
  readonly id: Hash;
  readonly proposer: PublicKey;
  readonly change: ChainChange;
  readonly expiryHeight: Height;
  readonly validatorsHash: Hash;
  readonly approvals: readonly PublicKey[];
  readonly needed: number;
  readonly decidedAt: Height | null;
  /** `void`: it was made for another set of validators than the one in force. */
  readonly status: 'open' | 'decided' | 'expired' | 'void';
}

export interface HeaderView {
  readonly hash: Hash;
  readonly header: BlockHeader;
  readonly transactionCount: number;
}

export interface BlockView {
  readonly hash: Hash;
  readonly header: BlockHeader;
  readonly transactions: readonly Transaction[];
  /** One per transaction, in order. */
  readonly receipts: readonly Receipt[];
  /** The block's own, or null: it was made final by that of a later block, or it is the genesis. */
  readonly certificate: FinalityCertificate | null;
}
