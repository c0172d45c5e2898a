import { toHex, utf8 } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import { node } from './node.ts';
import { linkTo } from './router.ts';

let searches = 0;

/**
 * Goes where what somebody typed leads: digits are a height, 64 hex digits a hash, qr1… an account or, with
 * the numbers behind it, a reservation, and all else a record's key, or a reference when there is no such
 * record. The last search counts, however long one before it takes.
 */
export async function search(text: string): Promise<void> {
  searches += 1;
  const mine = searches;
  const link = await find(text.trim());
  if (mine === searches && link !== undefined) location.hash = link;
}

async function find(wanted: string): Promise<string | undefined> {
  if (wanted === '') return undefined;
  if (/^\d{1,15}$/.test(wanted)) return linkTo('block', wanted);
  if (/^qr1[^:]*:\d+:\d+$/.test(wanted)) return linkTo('reservation', wanted);
  if (/^qr1/i.test(wanted)) return linkTo('account', wanted.toLowerCase());
  const hash = wanted.toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hash)) {
    const block = await node.finality(hash as Hash);
    return linkTo(block instanceof Problem ? 'transaction' : 'block', hash);
  }
  const reference = utf8(wanted);
  if (reference.length > limits.maxReferenceBytes) return linkTo('record', wanted);
  const [record, sent] = await Promise.all([
    node.record(wanted),
    node.transactionsByReference(reference, { limit: 1 }),
  ]);
  const isReference = record instanceof Problem && !(sent instanceof Problem) && sent.transactions.length > 0;
  return isReference ? linkTo('reference', toHex(reference)) : linkTo('record', wanted);
}
