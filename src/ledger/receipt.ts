import {
  type Codec,
  encode,
  listOf,
  mapped,
  optional,
  refine,
  struct,
  u16,
  u48,
  u64,
  union,
  wordOf,
} from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { encodeAddress } from '../crypto/address.ts';
import { hash, hashCodec, type Hash } from '../crypto/hash.ts';
import { publicKeyCodec, type PublicKey } from '../crypto/signature.ts';
import { type Height, heightCodec } from './block.ts';
import { type FailureCode, failureCodes } from './failure-codes.ts';
import { merkleRoot } from './merkle.ts';
import { amountCodec } from './operation.ts';
import { type Place, placeCodec } from './state-entry.ts';

/** What a condition or an operation found instead of what it needs. */
export type Found =
  /** Of the record; 0 where there is none. */
  | { readonly type: 'version'; readonly version: number }
  /** SHA-256 of the record's value. */
  | { readonly type: 'hash'; readonly hash: Hash }
  /** Of the account, in the smallest unit. */
  | { readonly type: 'balance'; readonly balance: bigint }
  /** Of the block. */
  | { readonly type: 'height'; readonly height: Height }
  /** Of the block: its timestamp. */
  | { readonly type: 'time'; readonly time: number }
  /** What the reservation holds, in the smallest unit. */
  | { readonly type: 'reserved'; readonly amount: bigint };

/** Why a condition does not hold, or an operation cannot be done. */
export interface Refusal {
  readonly code: FailureCode;
  readonly found: Found | undefined;
}

/** Which condition or operation failed. */
export interface Failure {
  readonly part: 'condition' | 'operation';
  /** Its index in the transaction. */
  readonly index: number;
  /** Undefined where the code says it all. */
  readonly found: Found | undefined;
}

/** An account that a transaction touched. */
interface AccountEffect {
  readonly publicKey: PublicKey;
  /** After the transaction; what the block's proposer gets of fees comes after the last one of the block. */
  readonly balance: bigint;
  /** What it has reserved for others then, beside the balance. */
  readonly held: bigint;
}

/** A record that an operation changed. The operation names the key. */
export interface RecordEffect {
  /** Its index in the transaction. */
  readonly operation: number;
  /** The record's version from here on. */
  readonly version: number;
  /**
   * Where the version before it was made; undefined for the first one. So a key's history can be
   * followed back to its beginning.
   */
  readonly previous: Place | undefined;
}

/** A proposed change of the chain that an operation made or approved. */
export interface ChangeEffect {
  /** Its index in the transaction. */
  readonly operation: number;
  /** Its `proposalId`. */
  readonly proposal: Hash;
  /** How many have approved it, this one included. */
  readonly approvals: number;
  /** How many make a quorum. */
  readonly needed: number;
  /** With this approval it is decided, and counts from this height on. */
  readonly effectiveFrom: Height | undefined;
}

/**
 * What became of one transaction in its block. The header commits to the receipts in the order of the
 * transactions. It says what the transaction did, so that nobody needs to read the state again.
 */
export interface Receipt {
  readonly transactionHash: Hash;
  readonly status: 'applied' | 'failed';
  /** Empty when it was applied. */
  readonly code: FailureCode | '';
  readonly failure: Failure | undefined;
  /** What the sender paid to the block's proposer, in the smallest unit; the same when it failed. */
  readonly fee: bigint;
  /**
   * The sender first, then the others as they were touched first. Of a failed one the sender
   * alone, who paid the fee.
   */
  readonly accounts: readonly AccountEffect[];
  /** One for each operation that changed a record, in order. None of a failed one. */
  readonly records: readonly RecordEffect[];
  /** One for each operation on a change of the chain, in order. None of a failed one. */
  readonly changes: readonly ChangeEffect[];
}

/** What the operations of a transaction did, as they are done. */
export interface Effects {
  readonly records: RecordEffect[];
  readonly changes: ChangeEffect[];
}

const foundCodec: Codec<Found> = union<Found, 'type'>('type', {
  version: [1, struct<{ version: number }>({ version: u48 })],
  hash: [2, struct<{ hash: Hash }>({ hash: hashCodec })],
  balance: [3, struct<{ balance: bigint }>({ balance: u64 })],
  height: [4, struct<{ height: Height }>({ height: heightCodec })],
  time: [6, struct<{ time: number }>({ time: u48 })],
  reserved: [5, struct<{ amount: bigint }>({ amount: amountCodec })],
});

/** One byte where nothing is held, which is the usual case. */
export const heldCodec: Codec<bigint> = mapped(optional(amountCodec), {
  toMemory: (held) => held ?? 0n,
  toBytes: (held) => (held === 0n ? undefined : held),
});

export const previousCodec = optional(placeCodec);
export const changesCodec = listOf(
  struct<ChangeEffect>({
    operation: u16,
    proposal: hashCodec,
    approvals: u16,
    needed: u16,
    effectiveFrom: optional(heightCodec),
  }),
  limits.maxOperations,
);

export const receiptCodec: Codec<Receipt> = refine(
  struct<Receipt>({
    transactionHash: hashCodec,
    status: wordOf(['applied', 'failed']),
    code: wordOf(['', ...failureCodes]),
    failure: optional(
      struct<Failure>({
        part: wordOf(['condition', 'operation']),
        index: u16,
        found: optional(foundCodec),
      }),
    ),
    fee: u64,
    accounts: listOf(
      struct<AccountEffect>({ publicKey: publicKeyCodec, balance: u64, held: heldCodec }),
      limits.maxOperations + 1,
    ),
    records: listOf(
      struct<RecordEffect>({ operation: u16, version: u48, previous: previousCodec }),
      limits.maxOperations,
    ),
    changes: changesCodec,
  }),
  'code and failure are there when status is `failed`, and only then',
  (receipt) => {
    const isApplied = receipt.status === 'applied';
    if (isApplied !== (receipt.code === '')) throw new Error('a code stands beside failed, and only there');
    if (isApplied !== (receipt.failure === undefined)) {
      throw new Error('what failed stands beside failed, and only there');
    }
    return receipt;
  },
);

/**
 * A receipt as the API shows it: amounts as decimal text, because JSON readers round past 2^53; accounts as
 * addresses; null for what is not there.
 */
export function receiptJson(receipt: Receipt) {
  const { transactionHash, status, code, failure, fee, accounts, records, changes } = receipt;
  return {
    transactionHash,
    status,
    code,
    failure:
      failure === undefined
        ? null
        : { part: failure.part, index: failure.index, found: foundJson(failure.found) },
    fee: `${fee}`,
    accounts: accounts.map(({ publicKey, balance, held }) => ({
      address: encodeAddress(publicKey),
      balance: `${balance}`,
      held: `${held}`,
    })),
    records: records.map(({ operation, version, previous }) => ({
      operation,
      version,
      previous: previous ?? null,
    })),
    changes: changes.map((change) => ({ ...change, effectiveFrom: change.effectiveFrom ?? null })),
  };
}

function foundJson(found: Found | undefined) {
  if (found === undefined) return null;
  const { type } = found;
  if (type === 'balance') return { type, balance: `${found.balance}` };
  return type === 'reserved' ? { type, amount: `${found.amount}` } : found;
}

/** All receipts of a block. */
export const receiptsCodec: Codec<readonly Receipt[]> = listOf(receiptCodec, limits.maxBlockTransactions);

/** The leaf that stands for a receipt under `receiptsRoot`. */
export function hashReceipt(receipt: Receipt): Hash {
  return hash('quorate/v1/receipt', encode(receiptCodec, receipt));
}

export function receiptsRootOf(receipts: readonly Receipt[]): Hash {
  return merkleRoot(receipts.map(hashReceipt));
}
