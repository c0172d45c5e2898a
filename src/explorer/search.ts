import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import { node } from './node.ts';
import { linkTo } from './router.ts';

/**
 * Where what somebody typed leads: digits are a height, 64 hex digits a hash, qr1… an account, and all else a
 * record's key.
 */
export async function find(text: string): Promise<string> {
  const wanted = text.trim();
  if (/^\d{1,15}$/.test(wanted)) return linkTo('block', wanted);
  if (/^qr1/i.test(wanted)) return linkTo('account', wanted);
  if (/^[0-9a-f]{64}$/.test(wanted)) {
    const block = await node.finality(wanted as Hash);
    return linkTo(block instanceof Problem ? 'transaction' : 'block', wanted);
  }
  return linkTo('record', wanted);
}
