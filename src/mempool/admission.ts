import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { Height } from '../ledger/block.ts';
import type { Account } from '../ledger/state-entry.ts';
import { namesForgeableKey, type Transaction } from '../ledger/transaction.ts';

/** What a transaction is judged against: the final state of the chain, and the pool's bound on gaps. */
export interface AdmissionContext {
  readonly chainId: Hash;
  /** The final height. */
  readonly height: Height;
  readonly account: Account;
  readonly nonceGap: number;
}

/** Why a transaction could stand in no block soon, or undefined. */
export function judgeAdmission(transaction: Transaction, context: AdmissionContext): Problem | undefined {
  const { chainId, height, account, nonceGap } = context;
  const { nonce, fee, expiryHeight, payload } = transaction;
  if (transaction.chainId !== chainId) {
    return new Problem('transaction/wrong-chain', 'the transaction is for another chain', {
      remedy: 'Sign it again with the chain id of this chain (see the status of a node).',
      details: { chainId: transaction.chainId, expected: chainId },
    });
  }
  if (namesForgeableKey(transaction)) return forgeableKey(transaction);
  if (expiryHeight <= height) {
    return new Problem('transaction/expired', `the transaction expired at height ${expiryHeight}`, {
      remedy:
        'Ask whether it is final already (at a node that keeps all blocks); if it is not, sign it again with a later expiry height.',
      details: { expiryHeight, height },
    });
  }
  if (expiryHeight > height + limits.maxExpiryAhead) {
    return new Problem('transaction/expiry-too-far', `the expiry height ${expiryHeight} is too far ahead`, {
      remedy: `Sign it again with an expiry of at most ${limits.maxExpiryAhead} above the final height.`,
      details: { expiryHeight, height, limit: limits.maxExpiryAhead },
    });
  }
  if (nonce < account.nonce) {
    return new Problem(
      'transaction/nonce-used',
      `nonce ${nonce} was used; the next one is ${account.nonce}`,
      {
        remedy: 'Ask whether the transaction is final already; if another one used its nonce, sign it again.',
        details: { nonce, next: account.nonce },
      },
    );
  }
  if (nonce >= account.nonce + nonceGap) {
    return new Problem(
      'mempool/nonce-gap',
      `nonce ${nonce} is too far above the next one, ${account.nonce}`,
      {
        remedy:
          'Submit the transactions with the nonces before it, wait until they are final, and try again.',
        details: { nonce, next: account.nonce, limit: nonceGap, retryable: true },
      },
    );
  }
  const cost = fee + (payload.type === 'transfer' ? payload.amount : 0n);
  if (cost > account.balance) {
    return new Problem(
      'transaction/insufficient-balance',
      `the transaction costs ${cost}, and the sender has ${account.balance}`,
      {
        remedy: 'Lower the amount, or wait until the account has received more.',
        details: { cost: `${cost}`, balance: `${account.balance}` },
      },
    );
  }
  return undefined;
}

/** Why a transaction may not take the place of another of the same sender and nonce, or undefined. */
export function judgeReplacement(next: Transaction, old: Transaction, percent: number): Problem | undefined {
  const least = old.fee + (old.fee * BigInt(percent) + 99n) / 100n;
  const needed = least > old.fee ? least : old.fee + 1n;
  if (next.fee >= needed) return undefined;
  return new Problem(
    'mempool/replacement-underpriced',
    `another transaction with nonce ${next.nonce} waits, and to replace it takes a fee of ${needed}`,
    {
      remedy: `If that one is for the same purpose, wait for it: ${old.hash}. To replace it, pay at least ${needed} (${percent} % more). For another purpose, use the next nonce.`,
      details: { nonce: next.nonce, hash: old.hash, fee: `${old.fee}`, needed: `${needed}` },
    },
  );
}

export function forgeableKey({ sender }: Transaction): Problem {
  return new Problem('transaction/forgeable-key', 'the transaction names a key that anybody can sign for', {
    remedy: 'Use the address of an account that somebody holds; no key that was made is one of these.',
    details: { sender },
  });
}

/** Refusals by the pool's bounds. */
export const problems = {
  feesNotPayable: (transaction: Transaction, fees: bigint, balance: bigint): Problem =>
    new Problem(
      'transaction/fee-not-payable',
      `the sender has ${balance}, which does not pay the fees of all that it has waiting`,
      {
        remedy: 'Wait until some of them are final or the account has received more, or pay lower fees.',
        details: { fee: `${transaction.fee}`, waiting: `${fees}`, balance: `${balance}`, retryable: true },
      },
    ),
  senderFull: (transaction: Transaction, limit: number): Problem =>
    new Problem('mempool/sender-full', `the sender has ${limit} transactions waiting`, {
      remedy: 'Wait until some of them are final, and try again.',
      details: { nonce: transaction.nonce, limit, retryable: true },
    }),
  full: (transaction: Transaction, size: number, bytes: number, lowest: bigint): Problem =>
    new Problem('mempool/full', 'the mempool is full of transactions that are worth at least as much', {
      remedy: `Try again later, or pay a fee above ${lowest < 0n ? 0n : lowest}; a gap in the nonces makes it worth nothing.`,
      details: {
        fee: `${transaction.fee}`,
        lowest: `${lowest < 0n ? 0n : lowest}`,
        size,
        bytes,
        retryable: true,
      },
    }),
};
