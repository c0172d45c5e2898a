import type { PublicKey } from '../crypto/signature.ts';
import type { Draft } from './draft.ts';
import type { FailureCode } from './failure-codes.ts';
import type { Refusal } from './receipt.ts';

/** Where the code says it all. */
export const refused = (code: FailureCode): Refusal => ({ code, found: undefined });

/** The sender has less than it wants to move. */
export function shortOf(draft: Draft, sender: PublicKey): Refusal {
  const { balance } = draft.account(sender);
  return { code: 'transaction/insufficient-balance', found: { type: 'balance', balance } };
}
