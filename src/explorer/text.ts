import { fromHex } from '../base/bytes.ts';
import { harmless } from '../base/harmless.ts';
import type { FoundAnswer, OperationAnswer, ReceiptAnswer } from '../client/answers.ts';

export function grouped(value: number | bigint | string): string {
  return BigInt(value).toLocaleString('en-US');
}

export function moment(timestamp: number): string {
  return new Date(timestamp).toISOString().replace('T', ' ').replace('Z', ' UTC');
}

export function shortHash(hash: string): string {
  return `${hash.slice(0, 10)}…${hash.slice(-4)}`;
}

/** A record's value or a reference: text where it is text that shows as what it is, and hex otherwise. */
export function bytesText(hex: string): { readonly text: string; readonly kind: 'text' | 'hex' | 'empty' } {
  if (hex === '') return { text: '(empty)', kind: 'empty' };
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(fromHex(hex));
    if (harmless(text) === text) return { text, kind: 'text' };
  } catch {
    // Not UTF-8.
  }
  return { text: `0x${hex}`, kind: 'hex' };
}

/** What an operation is about, whatever kinds there come to be. */
export function operationText(operation: OperationAnswer): string {
  if ('key' in operation) return `${operation.type} ${harmless(operation.key)}`;
  if ('amount' in operation) return `${operation.type} ${grouped(operation.amount)}`;
  return operation.type;
}

export function failureText({ code, failure }: ReceiptAnswer): string {
  if (failure === null) return code;
  const found = failure.found === null ? '' : `; found ${foundText(failure.found)}`;
  return `${code} at ${failure.part} ${failure.index + 1}${found}`;
}

function foundText({ type, ...rest }: FoundAnswer): string {
  return `${type} ${Object.values(rest).join(' ')}`;
}
