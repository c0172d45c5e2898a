import { hash as digest } from 'node:crypto';
import { concat, fromHex } from '../../base/bytes.ts';
import type { SignatureClaim } from '../../crypto/signature.ts';
import { type Transaction, transactionClaims } from '../../ledger/transaction.ts';

/** A claim and a hash that names exactly it: key, message and signature. */
export interface NamedClaim {
  readonly hash: string;
  readonly claim: SignatureClaim;
}

/** What is good or wrong as a whole. A transaction's hash covers its signatures, so it names its claims. */
export type Signed = NamedClaim | Transaction;

export function named(claim: SignatureClaim): NamedClaim {
  const { publicKey, signature, message } = claim;
  return { hash: digest('sha256', concat(fromHex(publicKey), fromHex(signature), message)), claim };
}

/** How many claims it has. */
export function claimCount(signed: Signed): number {
  return 'claim' in signed ? 1 : signed.signers.length;
}

export function addClaims(signed: Signed, claims: SignatureClaim[]): void {
  if ('claim' in signed) claims.push(signed.claim);
  else transactionClaims(signed, claims);
}
