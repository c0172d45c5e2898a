import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { Height } from './block.ts';
import type { ChainParameters } from './chain-parameters.ts';
import type { DraftAccount } from './draft-accounts.ts';
import type { KeySet } from './operation.ts';
import { protocolVersionFor } from './protocol-version.ts';
import { type Account, keySetOf } from './state-entry.ts';
import { type Transaction, unitsOf } from './transaction.ts';
import type { TransactionBody } from './transaction-body.ts';

/** Why a transaction may not stand in a block at some place. */
export type IneligibleCode =
  /** It is for another chain. */
  | 'transaction/wrong-chain'
  /** It asks for what only a later protocol version does. */
  | 'transaction/later-version'
  /** It stands in the same block already. */
  | 'transaction/duplicate'
  /** Its nonce is below the sender's next one: it, or another with its nonce, was executed. */
  | 'transaction/nonce-used'
  /** Its nonce is above the sender's next one: others must come first. */
  | 'transaction/nonce-gap'
  /** The block's height is above its expiry height. */
  | 'transaction/expired'
  /** Its expiry height is further ahead of the block than `limits.maxExpiryAhead`. */
  | 'transaction/expiry-too-far'
  /** Too few of the sender's keys signed, or a key that has nothing to do with it. */
  | 'transaction/wrong-signers'
  /** It pays less than the chain asks for what it does. */
  | 'transaction/fee-too-low'
  /** The sender has less than the fee. */
  | 'transaction/fee-not-payable';

/** A block in the making, as far as it says who may stand in it. */
interface BlockInTheMaking {
  readonly context: { readonly chainId: Hash; readonly height: Height };
  readonly parameters: Pick<ChainParameters, 'protocolVersion' | 'feePerOperation'>;
  /** What stands in it already. */
  readonly hashes: readonly Hash[];
}

/**
 * Why a transaction of an account may not stand next in a block; undefined when it may. Whether its
 * signatures are good is not looked at.
 */
export function whyIneligible(
  transaction: Transaction,
  { before, now: account }: Pick<DraftAccount, 'before' | 'now'>,
  { context: { chainId, height }, parameters, hashes }: BlockInTheMaking,
): IneligibleCode | undefined {
  if (transaction.chainId !== chainId) return 'transaction/wrong-chain';
  if (protocolVersionFor(transaction) > parameters.protocolVersion) return 'transaction/later-version';
  if (transaction.expiryHeight < height) return 'transaction/expired';
  if (transaction.expiryHeight > height + limits.maxExpiryAhead) return 'transaction/expiry-too-far';
  if (transaction.nonce < account.nonce) {
    return hashes.includes(transaction.hash) ? 'transaction/duplicate' : 'transaction/nonce-used';
  }
  if (transaction.nonce > account.nonce) return 'transaction/nonce-gap';
  if (transaction.fee < leastFee(transaction, parameters.feePerOperation)) return 'transaction/fee-too-low';
  // By the parent's state: what else stands in the block says nothing about who may sign in it.
  if (!hasItsSigners(transaction, before)) return 'transaction/wrong-signers';
  if (account.balance < transaction.fee) return 'transaction/fee-not-payable';
  return undefined;
}

/** What a transaction has to pay at least. */
export function leastFee(transaction: TransactionBody, feePerOperation: bigint): bigint {
  return feePerOperation === 0n ? 0n : feePerOperation * BigInt(unitsOf(transaction));
}

/**
 * True when enough of the account's keys signed, and no others except keys that the transaction itself is
 * about to set: their signatures prove that somebody holds them.
 */
export function hasItsSigners(transaction: TransactionBody, account: Account): boolean {
  const { sender, signers } = transaction;
  // The common case. Apart: what a function inside another one uses is allocated when that one begins.
  if (account.keys === undefined && signers.length === 1) return signers[0] === sender;
  return hasEnoughOf(keySetOf(sender, account), transaction);
}

function hasEnoughOf({ keys, threshold }: KeySet, { signers, operations }: TransactionBody): boolean {
  const others = signers.filter((key) => !keys.includes(key));
  if (signers.length - others.length < threshold) return false;
  const coming = operations.flatMap((operation) => (operation.type === 'set-keys' ? operation.keys : []));
  return others.every((key) => coming.includes(key));
}

export function ineligible(
  code: IneligibleCode,
  transaction: Transaction,
  index: number,
  height: Height,
): Problem {
  return new Problem(code, `transaction ${index} may not stand in the block at height ${height}`, {
    remedy: 'The block is invalid: refuse it. A correct proposer leaves such a transaction out.',
    details: { height, index, transactionHash: transaction.hash, sender: transaction.sender },
  });
}
