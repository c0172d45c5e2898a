import type { PublicKey } from '../crypto/signature.ts';
import type { Lane } from './lane.ts';

/** A nonce that no transaction in the pool has, and whose sender has transactions here with later ones. */
export interface MissingNonce {
  readonly sender: PublicKey;
  readonly nonce: number;
  /** How many of the sender's transactions wait behind it. */
  readonly waiting: number;
}

export interface Gap extends MissingNonce {
  /** The lowest expiry height of those that wait. */
  readonly firstExpiry: number;
}

export function missingIn(lane: Lane): MissingNonce {
  const { sender, nonce, ready, entries } = lane;
  return { sender, nonce: nonce + ready, waiting: entries.length - ready };
}

export function gapIn(lane: Lane): Gap {
  let firstExpiry = Infinity;
  for (let at = lane.ready; at < lane.entries.length; at++) {
    firstExpiry = Math.min(firstExpiry, lane.entries[at]?.transaction.expiryHeight ?? Infinity);
  }
  return { ...missingIn(lane), firstExpiry };
}
