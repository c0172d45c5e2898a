import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import { type KeyPair, sign } from '../crypto/keys.ts';
import type { PublicKey, Signature } from '../crypto/signature.ts';
import type { Height } from '../ledger/block.ts';
import {
  assembleTransaction,
  encodeBody,
  type Payload,
  type Transaction,
  transactionSigningBytes,
} from '../ledger/transaction.ts';

/** Signs a message with one key (RFC 8032: the same bytes for the same message, always). */
export type Signer = (message: Uint8Array) => Signature;

/** What each transaction needs besides its payload. */
export interface Terms {
  /** How many transactions of this sender were executed before. Each number is used once. */
  readonly nonce: number;
  /** In the smallest unit; paid also when the transaction fails. */
  readonly fee: bigint;
  /** The last height at which it may stand in a block. */
  readonly expiryHeight: Height;
}

/**
 * Builds and signs transactions of one key for one chain. It keeps no count and asks nobody: nonce, fee and expiry
 * come with each call, so that the same call gives the same bytes, and a retry is the same transaction.
 */
export class Wallet {
  readonly chainId: Hash;
  readonly publicKey: PublicKey;
  readonly #sign: Signer;

  /** `signer` replaces the portable signing function by a faster one, or one that keeps the key elsewhere. */
  constructor(options: { chainId: Hash; keyPair: KeyPair; signer?: Signer }) {
    const { chainId, keyPair, signer } = options;
    this.chainId = chainId;
    this.publicKey = keyPair.publicKey;
    this.#sign = signer ?? ((message) => sign(keyPair.secretKey, message));
  }

  /** Moves `amount` (smallest unit, at least 1) to another account. */
  transfer(to: PublicKey, amount: bigint, terms: Terms & { readonly memo?: string }): Transaction | Problem {
    return this.build({ type: 'transfer', to, amount, memo: terms.memo ?? '' }, terms);
  }

  /** Writes a record; the first writer of a key owns it. */
  put(key: string, value: Uint8Array, terms: Terms): Transaction | Problem {
    return this.build({ type: 'put', key, value }, terms);
  }

  /** Removes a record that this key owns. */
  delete(key: string, terms: Terms): Transaction | Problem {
    return this.build({ type: 'delete', key }, terms);
  }

  /** Signs any payload. A field outside its limits is the problem `transaction/malformed`. */
  build(payload: Payload, { nonce, fee, expiryHeight }: Terms): Transaction | Problem {
    const body = { chainId: this.chainId, sender: this.publicKey, nonce, fee, expiryHeight, payload };
    try {
      const signature = this.#sign(transactionSigningBytes(encodeBody(body)));
      return assembleTransaction(body, signature);
    } catch (error) {
      if (error instanceof Problem) return error;
      throw error;
    }
  }
}
