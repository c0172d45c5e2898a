import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import { type KeyPair, sign } from '../crypto/keys.ts';
import type { PublicKey, Signature } from '../crypto/signature.ts';
import type { Height } from '../ledger/block.ts';
import type { Condition } from '../ledger/condition.ts';
import type { Operation } from '../ledger/operation.ts';
import {
  assembleTransaction,
  encodeBody,
  type Transaction,
  transactionSigningBytes,
} from '../ledger/transaction.ts';
import type { TransactionBody } from '../ledger/transaction-body.ts';

/** Signs a message with one key (RFC 8032: the same bytes for the same message, always). */
export type Signer = (message: Uint8Array) => Signature;

/** What each transaction needs besides what it does. */
export interface Terms {
  /** How many transactions of this sender were executed before. Each number is used once. */
  readonly nonce: number;
  /** In the smallest unit; paid also when the transaction fails. */
  readonly fee: bigint;
  /** The last height at which it may stand in a block. */
  readonly expiryHeight: Height;
}

/** What a transaction does: all its operations in their order, when all conditions hold, or nothing. */
export interface Content {
  readonly operations: readonly Operation[];
  /** None unless given. */
  readonly conditions?: readonly Condition[];
  /** The application's own, up to 32 bytes, by which it can be found later; empty unless given. */
  readonly reference?: Uint8Array;
}

export interface WalletOptions {
  readonly chainId: Hash;
  readonly keyPair: KeyPair;
  /** Replaces the portable signing function by a faster one, or one that keeps the key elsewhere. */
  readonly signer?: Signer;
  /**
   * The account that sends, where it is not the key's own: one whose keys were changed, or that has several.
   */
  readonly account?: PublicKey;
  /** Other keys that sign everything too: of an account with several, or to prove that a new key is held. */
  readonly cosigners?: readonly KeyPair[];
}

/**
 * Builds and signs transactions of one account for one chain. It keeps no count and asks nobody:
 * nonce, fee and expiry come with each call, so that the same call gives the same bytes, and a retry
 * is the same transaction.
 */
export class Wallet {
  readonly chainId: Hash;
  /** The account that sends. */
  readonly publicKey: PublicKey;
  /** In ascending order of the keys, as a transaction lists them. */
  readonly #signers: readonly { readonly publicKey: PublicKey; readonly sign: Signer }[];

  constructor(options: WalletOptions) {
    const { chainId, keyPair, signer, account, cosigners = [] } = options;
    this.chainId = chainId;
    this.publicKey = account ?? keyPair.publicKey;
    const own = { publicKey: keyPair.publicKey, sign: signer ?? signerOf(keyPair) };
    const others = cosigners.map((pair) => ({ publicKey: pair.publicKey, sign: signerOf(pair) }));
    const byKey = new Map([...others, own].map((one) => [one.publicKey, one]));
    this.#signers = [...byKey.values()].toSorted((a, b) => (a.publicKey < b.publicKey ? -1 : 1));
  }

  /** Whoever signs, in ascending order. */
  get signers(): readonly PublicKey[] {
    return this.#signers.map(({ publicKey }) => publicKey);
  }

  /** Moves `amount` (smallest unit, at least 1) to another account. */
  transfer(to: PublicKey, amount: bigint, terms: Terms & { readonly memo?: string }): Transaction | Problem {
    return this.build({ type: 'transfer', to, amount, memo: given(terms).memo ?? '' }, terms);
  }

  /** Writes a record; the first writer of a key owns it. */
  put(key: string, value: Uint8Array, terms: Terms): Transaction | Problem {
    return this.build({ type: 'put', key, value }, terms);
  }

  /** Removes a record that this account owns. */
  delete(key: string, terms: Terms): Transaction | Problem {
    return this.build({ type: 'delete', key }, terms);
  }

  /** What it is to be paid for: one for each operation, and for each signature after the first. */
  unitsOf(what: Operation | Content): number {
    return contentOf(given(what)).operations.length + this.#signers.length - 1;
  }

  /**
   * Signs one operation, or several with their conditions. A field outside its limits is the problem
   * `transaction/malformed`.
   */
  build(what: Operation | Content, terms: Terms): Transaction | Problem {
    const { nonce, fee, expiryHeight } = given(terms);
    const { operations, conditions = [], reference = new Uint8Array() } = contentOf(given(what));
    const body: TransactionBody = {
      chainId: this.chainId,
      sender: this.publicKey,
      nonce,
      fee,
      expiryHeight,
      reference,
      conditions,
      operations,
      signers: this.signers,
    };
    try {
      const message = transactionSigningBytes(encodeBody(body));
      return assembleTransaction(
        body,
        this.#signers.map((one) => one.sign(message)),
      );
    } catch (error) {
      if (error instanceof Problem) return error;
      throw error;
    }
  }
}

/** One operation is a content too. */
export function contentOf(what: Operation | Content): Content {
  return 'operations' in what ? what : { operations: [what] };
}

/** Callers without types may leave an argument out: then each field is named as missing. */
function given<T extends object>(argument: T | undefined): T {
  return typeof argument === 'object' ? argument : ({} as T);
}

function signerOf({ secretKey }: KeyPair): Signer {
  return (message) => sign(secretKey, message);
}
