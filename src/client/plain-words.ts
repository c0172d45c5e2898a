import { fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { harmless } from '../base/harmless.ts';
import type { FoundAnswer, ReceiptAnswer } from './answers.ts';

/** 1234567 as 1,234,567. */
export function grouped(value: number | bigint | string): string {
  return BigInt(value).toLocaleString('en-US');
}

/** A moment as people write it, in UTC; a number that no calendar reaches stays one. */
export function moment(timestamp: number): string {
  const date = new Date(timestamp);
  if (Number.isNaN(date.getTime())) return `${timestamp} ms`;
  return date.toISOString().replace('T', ' ').replace('Z', ' UTC');
}

/** The part of it after the day. */
export function timeOfDay(timestamp: number): string {
  return moment(timestamp).replace(/^\S+ (?=.* UTC$)/, '');
}

/** A record's value or a reference: text where that shows all of it as what it is, and hex otherwise. */
export function valueText(value: Uint8Array): {
  readonly text: string;
  readonly kind: 'text' | 'hex' | 'empty';
} {
  if (value.length === 0) return { text: '(empty)', kind: 'empty' };
  const text = fromUtf8(value);
  const isAll = text !== undefined && harmless(text) === text && utf8(text).length === value.length;
  return isAll ? { text, kind: 'text' } : { text: `0x${toHex(value)}`, kind: 'hex' };
}

/** No more than the first `longest` characters of a text, and no pair of surrogates in half. */
export function shortened(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest).replace(/[\uD800-\uDBFF]$/, '')}…` : text;
}

/** What failed, why, and what was found there. Indexes are those of the transaction's JSON. */
export function failureText({ code, failure }: ReceiptAnswer): string {
  const which = failure === null ? '' : ` at ${failure.part} ${failure.index}`;
  const found = failure?.found ?? null;
  return harmless(`${code}${which}${found === null ? '' : `; found ${foundText(found)}`}`);
}

function foundText(found: FoundAnswer): string {
  switch (found.type) {
    case 'version':
      return found.version === 0 ? 'no record' : `version ${grouped(found.version)}`;
    case 'hash':
      return `a value with SHA-256 ${found.hash}`;
    case 'balance':
      return `a balance of ${grouped(found.balance)}`;
    case 'time':
      return `the time ${moment(found.time)}`;
    case 'height':
      return `height ${grouped(found.height)}`;
    case 'reserved':
      return `${grouped(found.amount)} reserved`;
    default:
      // A newer node may know more.
      return `what this program does not know (${(found as { type: string }).type})`;
  }
}
