import type { SignatureClaim } from '../../crypto/signature.ts';
import { type Transaction, transactionClaims } from '../../ledger/transaction.ts';
import { ClaimChecker, type NamedClaim } from './claim-checker.ts';

export function named(claim: SignatureClaim): NamedClaim {
  return { name: ClaimChecker.nameOf(claim), claim };
}

/** A transaction's hash covers its signatures, so it names its claims. */
export function claimsOf(transactions: readonly Transaction[]): NamedClaim[] {
  const all: NamedClaim[] = [];
  for (const transaction of transactions) {
    const claims = transactionClaims(transaction);
    for (let index = 0; index < claims.length; index++) {
      all.push({ name: claimName(transaction, index), claim: claims[index] as SignatureClaim });
    }
  }
  return all;
}

export function claimNames(transaction: Transaction): string[] {
  return transaction.signers.map((_, index) => claimName(transaction, index));
}

function claimName({ hash }: Transaction, index: number): string {
  return index === 0 ? hash : `${hash}/${index}`;
}

/** Whether all claims of each transaction are valid, from one answer for each claim. */
export function eachOf(transactions: readonly Transaction[], valid: readonly boolean[]): readonly boolean[] {
  // Most have one claim each.
  if (valid.length === transactions.length) return valid;
  let at = 0;
  return transactions.map(({ signers }) => {
    at += signers.length;
    return valid.slice(at - signers.length, at).every(Boolean);
  });
}
