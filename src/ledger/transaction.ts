import { ByteReader } from '../base/byte-reader.ts';
import { concat, sliceHex, toHex } from '../base/bytes.ts';
import { type Codec, decode, encode, mappedBytes, problemInside, u48, u64 } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { Problem, unwrap } from '../base/problem.ts';
import { sharedCopy } from '../base/shared-copy.ts';
import { encodeAddress } from '../crypto/address.ts';
import { ClaimInBytes } from '../crypto/claim-in-bytes.ts';
import { chainIdCodec, domainPrefix, hash, type Hash } from '../crypto/hash.ts';
import {
  publicKeyCodec,
  type PublicKey,
  type SignatureClaim,
  signatureCodec,
  type Signature,
} from '../crypto/signature.ts';
import { type Height, heightCodec } from './block.ts';
import { type Condition, conditionJson } from './condition.ts';
import { checkKeys } from './named-keys.ts';
import { type Operation, sortedKeysCodec } from './operation.ts';
import { operationJson } from './operation-json.ts';
import {
  bodyCodec,
  conditionsCodec,
  operationsCodec,
  referenceCodec,
  type TransactionBody,
} from './transaction-body.ts';

/**
 * A signed transaction with the bytes and the hash that name it. Made by `decodeTransaction` or
 * `assembleTransaction` only.
 */
export interface Transaction extends TransactionBody {
  /** One for each signer, in the same order. */
  readonly signatures: readonly Signature[];
  readonly hash: Hash;
  readonly bytes: Uint8Array;
}

type Signed = Pick<Transaction, 'signatures'> & { readonly body: TransactionBody };

export const signedCodec: Codec<Signed> = {
  layout: {
    type: 'struct',
    fields: [
      ['body', bodyCodec.layout],
      ['signatures', { type: 'rest', of: signatureCodec.layout }],
    ],
  },
  write(writer, { body, signatures }) {
    bodyCodec.write(writer, body);
    for (const signature of signatures) signatureCodec.write(writer, signature);
  },
  read(reader) {
    const body = bodyCodec.read(reader);
    return { body, signatures: body.signers.map(() => signatureCodec.read(reader)) };
  },
};

/** Of what stands in its bytes: the sender behind the chain's id, and the signatures at the end. */
const sizes = { chainId: 32, key: 32, signature: 64 };

/**
 * The canonical bytes of a body. Throws a `Problem` `transaction/malformed` for a body outside its limits.
 */
export function encodeBody(body: TransactionBody): Uint8Array {
  try {
    return encode(bodyCodec, body);
  } catch (cause) {
    const own = problemInside(cause);
    if (own !== undefined) throw own;
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

/**
 * Joins a body and, for each of its signers in order, the signature over
 * `transactionSigningBytes(encodeBody(body))`. Does not check them. Throws a `Problem` when
 * there is not one for each.
 */
export function assembleTransaction(body: TransactionBody, signatures: readonly Signature[]): Transaction {
  if (signatures.length !== body.signers.length) {
    throw new Problem(
      'transaction/malformed',
      `the transaction has ${body.signers.length} signers and ${signatures.length} signatures`,
      { remedy: 'Give one signature for each signer, in the order of the signers.' },
    );
  }
  const bytes = concat(encodeBody(body), ...signatures.map((signature) => encode(signatureCodec, signature)));
  return new SignedTransaction(body, bytes);
}

/** A transaction from its bytes, or a problem. Checks form and limits; not signatures, chain or state. */
export function decodeTransaction(bytes: Uint8Array): Transaction | Problem {
  // Not `slice`: that of a Buffer is a view, and would keep the whole frame alive.
  return decodeOwnTransaction(new Uint8Array(bytes));
}

/** The same of bytes that do not change, and keep no more in memory than they may: no copy is made. */
export function decodeOwnTransaction(bytes: Uint8Array): Transaction | Problem {
  if (bytes.length > limits.maxTransactionBytes) {
    return new Problem('transaction/oversize', `the transaction has ${bytes.length} bytes`, {
      remedy: `Keep it within ${limits.maxTransactionBytes} bytes.`,
      details: { size: bytes.length, limit: limits.maxTransactionBytes },
    });
  }
  try {
    const usual = readUsual(bytes);
    if (usual !== undefined) return usual;
  } catch {
    // The codec finds the same, and where.
  }
  const signed = decode(signedCodec, bytes, 'transaction');
  return signed instanceof Problem ? signed : new SignedTransaction(signed.body, bytes);
}

/**
 * What the codec would read, without what it makes on its way; undefined, or an error, for what is left to
 * it: it alone says what is a transaction, and what is wrong with anything else.
 */
function readUsual(bytes: Uint8Array): Transaction | undefined {
  const reader = new ByteReader(bytes);
  const chainId = chainIdCodec.read(reader);
  const sender = publicKeyCodec.read(reader);
  const nonce = u48.read(reader);
  const fee = u64.read(reader);
  const expiryHeight = heightCodec.read(reader);
  const reference = referenceCodec.read(reader);
  const conditions = conditionsCodec.read(reader);
  const operations = operationsCodec.read(reader);
  const listed = sortedKeysCodec.read(reader);
  if (listed.length === 1 && listed[0] === sender) return undefined;
  const signers = listed.length === 0 ? [sender] : listed;
  if (reader.left !== signers.length * sizes.signature) return undefined;
  const body = { chainId, sender, nonce, fee, expiryHeight, reference, conditions, operations, signers };
  return checkKeys(new SignedTransaction(body, bytes));
}

class SignedTransaction implements Transaction {
  readonly chainId: Hash;
  readonly sender: PublicKey;
  readonly nonce: number;
  readonly fee: bigint;
  readonly expiryHeight: Height;
  readonly reference: Uint8Array;
  readonly conditions: readonly Condition[];
  readonly operations: readonly Operation[];
  readonly signers: readonly PublicKey[];
  readonly bytes: Uint8Array;
  readonly hash: Hash;

  constructor(body: TransactionBody, bytes: Uint8Array) {
    this.chainId = body.chainId;
    this.sender = body.sender;
    this.nonce = body.nonce;
    this.fee = body.fee;
    this.expiryHeight = body.expiryHeight;
    this.reference = body.reference;
    this.conditions = body.conditions;
    this.operations = body.operations;
    this.signers = body.signers;
    this.bytes = bytes;
    this.hash = hashOfTransactionBytes(bytes);
  }

  /** Read from the bytes by those who show them: to be checked they stay bytes (`transactionClaims`). */
  get signatures(): readonly Signature[] {
    const { bytes, signers } = this;
    const start = bytes.length - signers.length * sizes.signature;
    return signers.map((_, index) => {
      const at = start + index * sizes.signature;
      return sliceHex(bytes, at, at + sizes.signature) as Signature;
    });
  }

  /** What `JSON.stringify` shows: without it, it fails on the amounts. */
  toJSON(): TransactionJson {
    return transactionJson(this);
  }
}

/**
 * A transaction as the API shows it: amounts as decimal text, because JSON readers round past 2^53; accounts
 * as addresses; bytes in hex.
 */
export type TransactionJson = ReturnType<typeof transactionJson>;

export function transactionJson(transaction: Transaction) {
  const { hash, chainId, sender, nonce, fee, expiryHeight, reference, signatures, bytes } = transaction;
  return {
    hash,
    chainId,
    sender: encodeAddress(sender),
    nonce,
    fee: `${fee}`,
    expiryHeight,
    reference: toHex(reference),
    conditions: transaction.conditions.map(conditionJson),
    operations: transaction.operations.map(operationJson),
    signatures: transaction.signers.map((signer, index) => ({
      signer: encodeAddress(signer),
      signature: signatures[index] as Signature,
    })),
    bytes: toHex(bytes),
  };
}

/** The hash of a transaction by its bytes, which are not looked at otherwise. */
export function hashOfTransactionBytes(bytes: Uint8Array): Hash {
  return hash('quorate/v1/transaction', bytes);
}

/** What a transaction is to be paid for: one for each operation, and for each signature after the first. */
export function unitsOf({ operations, signers }: TransactionBody): number {
  return operations.length + signers.length - 1;
}

/** A transaction inside something larger, behind its length. */
export const transactionCodec: Codec<Transaction> = mappedBytes(limits.maxTransactionBytes, 'transaction', {
  toMemory: (bytes) => unwrap(decodeOwnTransaction(sharedCopy(bytes))),
  toBytes: (transaction: Transaction) => transaction.bytes,
});

/** Its bytes alone, for who decodes them: `decodeOwnTransaction`. */
export const transactionBytesCodec: Codec<Uint8Array> = mappedBytes(
  limits.maxTransactionBytes,
  'transaction',
  { toMemory: sharedCopy, toBytes: (bytes) => bytes },
);

const signaturePrefix = domainPrefix('quorate/v1/transaction-signature');

/** What must be checked to know that its signers signed it, one claim for each; added to `claims`. */
export function transactionClaims(
  { bytes, sender, signers }: Transaction,
  claims: SignatureClaim[] = [],
): SignatureClaim[] {
  const count = signers.length;
  const signed = bytes.length - count * sizes.signature;
  // Where the sender alone signs, its key is not said again; otherwise all keys stand at the body's end.
  const isSenders = count === 1 && signers[0] === sender;
  for (let index = 0; index < count; index++) {
    const key = isSenders ? sizes.chainId : signed - (count - index) * sizes.key;
    const signature = signed + index * sizes.signature;
    claims.push(new ClaimInBytes(signaturePrefix, bytes, { signed, key, signature }));
  }
  return claims;
}
