import {
  assembleTransaction,
  encodeBody,
  type Transaction,
  transactionSigningBytes,
} from '../../ledger/transaction.ts';
import type { TransactionBody } from '../../ledger/transaction-body.ts';
import type { SignatureScheme } from './fast-signatures.ts';

/** A transaction that its sender alone signs. */
export function signed(scheme: SignatureScheme, secretKey: Uint8Array, body: TransactionBody): Transaction {
  return assembleTransaction(body, [scheme.sign(secretKey, transactionSigningBytes(encodeBody(body)))]);
}
