import { harmless } from '../base/harmless.ts';
import type { OperationAnswer, ReceiptAnswer } from '../client/answers.ts';
import { failureText, grouped } from '../client/plain-words.ts';

export function shortHash(hash: string): string {
  return `${hash.slice(0, 10)}…${hash.slice(-4)}`;
}

/** What an operation is about, whatever kinds there come to be. */
export function operationText(operation: OperationAnswer): string {
  if ('key' in operation) return harmless(`${operation.type} ${operation.key}`);
  if ('amount' in operation) return harmless(`${operation.type} ${grouped(operation.amount)}`);
  return harmless(operation.type);
}

export function becameText(receipt: ReceiptAnswer): string {
  return receipt.status === 'applied' ? 'applied' : `failed: ${failureText(receipt)}`;
}
