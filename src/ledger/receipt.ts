import { type Codec, encode, listOf, refine, struct, u64, wordOf } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import type { ProblemCode } from '../base/problem-codes.ts';
import { hash, hashCodec, hashInto, type Hash } from '../crypto/hash.ts';
import { hashSize } from '../crypto/pair-hash.ts';
import { merkleRootOf } from './merkle.ts';

/** Why a transaction that stands in a block did nothing but pay its fee. */
export const failureCodes = [
  'transaction/insufficient-balance',
  'transaction/not-owner',
  'transaction/no-such-record',
] as const satisfies readonly ProblemCode[];
export type FailureCode = (typeof failureCodes)[number];

/** What became of one transaction in its block. The header commits to the receipts in the order of the transactions. */
export interface Receipt {
  readonly transactionHash: Hash;
  readonly status: 'applied' | 'failed';
  /** Empty when it was applied. */
  readonly code: FailureCode | '';
  /** What the sender paid to the block's proposer, in the smallest unit; the same when it failed. */
  readonly fee: bigint;
}

export const receiptCodec: Codec<Receipt> = refine(
  struct<Receipt>({
    transactionHash: hashCodec,
    status: wordOf(['applied', 'failed']),
    code: wordOf(['', ...failureCodes]),
    fee: u64,
  }),
  (receipt) => {
    if ((receipt.status === 'applied') !== (receipt.code === '')) {
      throw new Error('a code stands beside failed, and only there');
    }
    return receipt;
  },
);

/** All receipts of a block. */
export const receiptsCodec: Codec<readonly Receipt[]> = listOf(receiptCodec, limits.maxBlockTransactions);

/** The leaf that stands for a receipt under `receiptsRoot`. */
export function hashReceipt(receipt: Receipt): Hash {
  return hash('quorate/v1/receipt', encode(receiptCodec, receipt));
}

export function receiptsRootOf(receipts: readonly Receipt[]): Hash {
  const leaves = new Uint8Array(receipts.length * hashSize);
  for (const [index, receipt] of receipts.entries()) {
    hashInto('quorate/v1/receipt', leaves, index * hashSize, encode(receiptCodec, receipt));
  }
  return merkleRootOf(leaves);
}
