import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { Height } from '../ledger/block.ts';
import { hasItsSigners, leastFee } from '../ledger/eligibility.ts';
import { protocolVersionFor } from '../ledger/protocol-version.ts';
import { type Account, keySetOf } from '../ledger/state-entry.ts';
import type { Operation } from '../ledger/operation.ts';
import type { Transaction } from '../ledger/transaction.ts';
import { feeAbove, feeRate } from './fee-rate.ts';

/** What transactions are judged against, beside the final state. */
export interface AdmissionTerms {
  readonly chainId: Hash;
  /** The final height. */
  readonly height: Height;
  /** Of the next block. */
  readonly feePerOperation: bigint;
  /** Of the next block. */
  readonly protocolVersion: number;
  readonly nonceGap: number;
}

/** Why a transaction could stand in no block soon, or undefined. The account is its sender's now. */
export function judgeAdmission(
  transaction: Transaction,
  account: Account,
  terms: AdmissionTerms,
): Problem | undefined {
  const { chainId, height, feePerOperation, protocolVersion, nonceGap } = terms;
  const { nonce, fee, expiryHeight } = transaction;
  if (transaction.chainId !== chainId) {
    return new Problem('transaction/wrong-chain', 'the transaction is for another chain', {
      remedy:
        'Submit it to a node of its own chain. Or, if this chain is meant, sign it with the chain id that "quorate status" shows.',
      details: { chainId: transaction.chainId, expected: chainId },
    });
  }
  if (protocolVersionFor(transaction) > protocolVersion) {
    return new Problem(
      'transaction/later-version',
      `the transaction asks for what this chain does not do under protocol version ${protocolVersion}`,
      {
        remedy: `Leave that out, or wait until the chain goes by protocol version ${protocolVersionFor(transaction)}: "quorate chain status" tells whether that is decided.`,
        details: { protocolVersion, needed: protocolVersionFor(transaction) },
      },
    );
  }
  if (expiryHeight <= height) {
    return new Problem('transaction/expired', `the transaction expired at height ${expiryHeight}`, {
      remedy:
        'Sign it again with the same nonce and a later expiry height: if it is final already, the new one is refused, and nobody pays twice.',
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
        remedy:
          'Ask whether the transaction is final already. If another one used its nonce, look at what that did ("quorate account history ACCOUNT") before this one is signed again with the next nonce: it may be for the same purpose.',
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
  const least = leastFee(transaction, feePerOperation);
  if (fee < least) {
    return new Problem('transaction/fee-too-low', `the fee is ${fee}, and this chain asks for ${least}`, {
      remedy: `Sign it again with a fee of at least ${feePerOperation} for each operation, and for each signature after the first.`,
      details: { fee: `${fee}`, least: `${least}` },
    });
  }
  if (!hasItsSigners(transaction, account)) return wrongSigners(transaction, account);
  const cost = fee + paidToOthers(transaction);
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
  // And no less for each place in a block than before, however much larger it is.
  const needed = [least, old.fee + 1n, feeAbove(feeRate(old), next)].reduce((a, b) => (a > b ? a : b));
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
  senderFull: (transaction: Transaction, count: number, bytes: number): Problem =>
    new Problem(
      'mempool/sender-full',
      `the sender has ${count} transactions of ${bytes} bytes waiting, and no more of them are kept`,
      {
        remedy: 'Wait until some of them are final, and try again.',
        details: { nonce: transaction.nonce, count, bytes, retryable: true },
      },
    ),
  /** `worth` is that of the cheapest which would have to go. */
  full: (transaction: Transaction, size: number, bytes: number, worth: bigint): Problem => {
    const lowest = worth < 0n ? 0n : feeAbove(worth, transaction) - 1n;
    return new Problem(
      'mempool/full',
      'the mempool is full of transactions that are worth at least as much for their size',
      {
        remedy: `Try again later, or sign it again with the same nonce and a fee above ${lowest}. It is worth nothing behind a gap in the nonces, or where those before it may take what should pay its fee.`,
        details: { fee: `${transaction.fee}`, lowest: `${lowest}`, size, bytes, retryable: true },
      },
    );
  },
};

/** What certainly leaves the sender's balance, beside the fee and above what comes, when all is done. */
function paidToOthers({ sender, operations }: Transaction): bigint {
  let sum = 0n;
  for (let index = 0; index < operations.length; index++) {
    const operation = operations[index] as Operation;
    const { type } = operation;
    if (type === 'transfer' || type === 'reserve') {
      if (operation.to !== sender) sum += operation.amount;
    } else if (type === 'post' || type === 'void') {
      // It may have reserved that for itself, and then what comes back is not known here.
      if (operation.reservation.sender === sender) return 0n;
      if (type === 'post') sum -= operation.amount;
    }
  }
  return sum > 0n ? sum : 0n;
}

function wrongSigners({ signers, sender }: Transaction, account: Account): Problem {
  const { keys, threshold } = keySetOf(sender, account);
  return new Problem('transaction/wrong-signers', 'the sender’s keys did not sign the transaction', {
    remedy: `Sign it with ${threshold} of the account's ${keys.length} keys, as the account's answer lists them, and with no other key, unless the transaction makes it one of the sender's keys.`,
    details: { signers: signers.length, threshold, keys: keys.length },
  });
}
