import { boundedBytes, type Codec, listOf, mapped, refine, struct, u48, u64 } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { chainIdCodec, type Hash } from '../crypto/hash.ts';
import { publicKeyCodec, type PublicKey } from '../crypto/signature.ts';
import { type Height, heightCodec } from './block.ts';
import { type Condition, conditionCodec } from './condition.ts';
import { checkKeys } from './named-keys.ts';
import { type Operation, operationCodec, sortedKeysCodec } from './operation.ts';

/** What the sender signs. */
export interface TransactionBody {
  readonly chainId: Hash;
  readonly sender: PublicKey;
  /** How many transactions of this sender were executed before. Each number is used once. */
  readonly nonce: number;
  /** Paid to the block's proposer, also when the transaction fails. In the smallest unit. */
  readonly fee: bigint;
  /** The last height at which it may stand in a block. */
  readonly expiryHeight: Height;
  /**
   * The application's own, up to `limits.maxReferenceBytes` bytes: an order's number, say. Not unique;
   * means nothing to the ledger.
   */
  readonly reference: Uint8Array;
  /** Up to `limits.maxConditions`; all are looked at before the first operation. */
  readonly conditions: readonly Condition[];
  /** 1 to `limits.maxOperations`, done in their order: all of them, or none. */
  readonly operations: readonly Operation[];
  /**
   * Whose signatures stand behind the body, in ascending order; the sender's own key alone for most. They are
   * signed with it, so nobody can add or take away a signature and make another transaction of it.
   */
  readonly signers: readonly PublicKey[];
}

export const referenceCodec = boundedBytes(limits.maxReferenceBytes);
export const conditionsCodec = listOf(conditionCodec, limits.maxConditions);
export const operationsCodec = refine(
  listOf(operationCodec, limits.maxOperations),
  'at least one',
  (operations) => {
    if (operations.length === 0) throw new Error('there is no operation');
    return operations;
  },
);

/**
 * With the signers as they are encoded: none stands for the sender's own key alone, which is
 * what most transactions have.
 */
const encodedBodyCodec = refine(
  struct<TransactionBody>({
    chainId: chainIdCodec,
    sender: publicKeyCodec,
    nonce: u48,
    fee: u64,
    expiryHeight: heightCodec,
    reference: referenceCodec,
    conditions: conditionsCodec,
    operations: operationsCodec,
    signers: sortedKeysCodec,
  }),
  'signers are empty where the sender alone signs',
  (body) => {
    if (body.signers.length === 1 && body.signers[0] === body.sender) {
      throw new Error('signers: the sender alone is not listed');
    }
    return body;
  },
);

const anyBodyCodec: Codec<TransactionBody> = mapped(encodedBodyCodec, {
  toMemory: (body) => (body.signers.length === 0 ? { ...body, signers: [body.sender] } : body),
  toBytes: (body) => {
    const { sender, signers } = body;
    if (signers.length === 1 && signers[0] === sender) return { ...body, signers: [] };
    if (signers.length === 0) throw new Error('signers: nobody signs');
    return body;
  },
});

export const bodyCodec: Codec<TransactionBody> = refine(
  anyBodyCodec,
  'no key is forgeable, and those in operations are points',
  checkKeys,
);
