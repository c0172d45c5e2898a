import { concat, toHex } from '../base/bytes.ts';
import {
  boundedBytes,
  boundedText,
  type Codec,
  decode,
  encode,
  mappedBytes,
  refine,
  struct,
  u48,
  u64,
  union,
} from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { Problem, unwrap } from '../base/problem.ts';
import { encodeAddress } from '../crypto/address.ts';
import { isForgeableKey } from '../crypto/forgeable-key.ts';
import { domainPrefix, hash, hashCodec, type Hash } from '../crypto/hash.ts';
import { publicKeyCodec, type PublicKey, signatureCodec, type Signature } from '../crypto/signature.ts';
import { type Height, heightCodec } from './block.ts';

/** Moves coins from the sender to another account. */
export interface Transfer {
  readonly type: 'transfer';
  readonly to: PublicKey;
  /** In the smallest unit; at least 1. */
  readonly amount: bigint;
  readonly memo: string;
}

/** Writes a record. The first writer of a key owns it, and only the owner may write or delete it. */
export interface Put {
  readonly type: 'put';
  readonly key: string;
  readonly value: Uint8Array;
}

/** Removes a record of the sender's. */
export interface Delete {
  readonly type: 'delete';
  readonly key: string;
}

export type Payload = Transfer | Put | Delete;

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
  readonly payload: Payload;
}

/** A signed transaction with the bytes and the hash that name it. Made by `decodeTransaction` or `assembleTransaction` only. */
export interface Transaction extends TransactionBody {
  readonly signature: Signature;
  readonly hash: Hash;
  readonly bytes: Uint8Array;
}

const amountCodec = refine(u64, (amount) => {
  if (amount < 1n) throw new Error('amount is zero');
  return amount;
});

const recordKeyCodec = refine(boundedText(limits.maxRecordKeyBytes), (key) => {
  if (key.length === 0) throw new Error('record key is empty');
  return key;
});

const payloadCodec = union<Payload, 'type'>('type', {
  transfer: [
    1,
    struct<Omit<Transfer, 'type'>>({
      to: publicKeyCodec,
      amount: amountCodec,
      memo: boundedText(limits.maxMemoBytes),
    }),
  ],
  put: [
    2,
    struct<Omit<Put, 'type'>>({ key: recordKeyCodec, value: boundedBytes(limits.maxRecordValueBytes) }),
  ],
  delete: [3, struct<Omit<Delete, 'type'>>({ key: recordKeyCodec })],
});

const bodyFields = {
  chainId: hashCodec,
  sender: publicKeyCodec,
  nonce: u48,
  fee: u64,
  expiryHeight: heightCodec,
  payload: payloadCodec,
};
const bodyCodec = struct<TransactionBody>(bodyFields);
const signedCodec = struct<TransactionBody & { readonly signature: Signature }>({
  ...bodyFields,
  signature: signatureCodec,
});

const signatureBytes = 64;

/** The canonical bytes of a body. Throws a `Problem` `transaction/malformed` for a body outside its limits. */
export function encodeBody(body: TransactionBody): Uint8Array {
  try {
    return encode(bodyCodec, body);
  } catch (cause) {
    throw new Problem(
      'transaction/malformed',
      `the transaction cannot be encoded: ${(cause as Error).message}`,
      {
        remedy:
          'Keep each field within its limit (see the API description). Amounts and fees are bigint (5n), accounts public keys ("parseAddress" makes one of an address), values bytes.',
        cause,
      },
    );
  }
}

/** The exact bytes that the sender signs. */
export function transactionSigningBytes(bodyBytes: Uint8Array): Uint8Array {
  return concat(domainPrefix('quorate/v1/transaction-signature'), bodyBytes);
}

/** Joins a body and the signature over `transactionSigningBytes(encodeBody(body))`. Does not check the signature. */
export function assembleTransaction(body: TransactionBody, signature: Signature): Transaction {
  const bytes = concat(encodeBody(body), encode(signatureCodec, signature));
  return withJson({ ...body, signature, bytes, hash: hashOfTransactionBytes(bytes) });
}

/** A transaction from its bytes, or a problem. Checks form and limits; not the signature, the chain or the state. */
export function decodeTransaction(bytes: Uint8Array): Transaction | Problem {
  if (bytes.length > limits.maxTransactionBytes) {
    return new Problem('transaction/oversize', `the transaction has ${bytes.length} bytes`, {
      remedy: `Keep it within ${limits.maxTransactionBytes} bytes.`,
      details: { size: bytes.length, limit: limits.maxTransactionBytes },
    });
  }
  const fields = decode(signedCodec, bytes, 'transaction');
  if (fields instanceof Problem) return fields;
  // Not `slice`: that of a Buffer is a view, and would keep the whole frame alive.
  const owned = new Uint8Array(bytes);
  return withJson({ ...fields, bytes: owned, hash: hashOfTransactionBytes(owned) });
}

/** What `JSON.stringify` shows: without it, it fails on the amounts. Not enumerable: it is no field of the transaction. */
function withJson(transaction: Transaction): Transaction {
  return Object.defineProperty(transaction, 'toJSON', jsonProperty);
}

const jsonProperty = {
  value(this: Transaction): TransactionJson {
    return transactionJson(this);
  },
};

/** A transaction as the API shows it: amounts as decimal text, because JSON readers round past 2^53; accounts as addresses; bytes in hex. */
export type TransactionJson = ReturnType<typeof transactionJson>;

export function transactionJson(transaction: Transaction) {
  const { hash, chainId, sender, nonce, fee, expiryHeight, payload, signature, bytes } = transaction;
  return {
    hash,
    chainId,
    sender: encodeAddress(sender),
    nonce,
    fee: `${fee}`,
    expiryHeight,
    payload: payloadJson(payload),
    signature,
    bytes: toHex(bytes),
  };
}

function payloadJson(payload: Payload) {
  switch (payload.type) {
    case 'transfer': {
      const { type, to, amount, memo } = payload;
      return { type, to: encodeAddress(to), amount: `${amount}`, memo };
    }
    case 'put':
      return { type: payload.type, key: payload.key, value: toHex(payload.value) };
    case 'delete':
      return { type: payload.type, key: payload.key };
  }
}

/** The hash of a transaction by its bytes, which are not looked at otherwise. */
export function hashOfTransactionBytes(bytes: Uint8Array): Hash {
  return hash('quorate/v1/transaction', bytes);
}

/**
 * It is from or to a key that is nobody's, for which anybody can sign. Such a transaction may stand in no block: from there anybody could
 * move coins, and what is sent there is lost.
 */
export function namesForgeableKey({ sender, payload }: TransactionBody): boolean {
  return isForgeableKey(sender) || (payload.type === 'transfer' && isForgeableKey(payload.to));
}

/** A transaction inside something larger, behind its length. */
export const transactionCodec: Codec<Transaction> = mappedBytes(limits.maxTransactionBytes, {
  toMemory: (bytes) => unwrap(decodeTransaction(bytes)),
  toBytes: (transaction: Transaction) => transaction.bytes,
});

/** What must be checked to know that the sender signed it. */
export function transactionSigningBytesOf(transaction: Transaction): Uint8Array {
  return transactionSigningBytes(transaction.bytes.subarray(0, transaction.bytes.length - signatureBytes));
}
