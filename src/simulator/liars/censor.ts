import { decode } from '../../base/codec.ts';
import { Problem } from '../../base/problem.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import { decodeTransaction } from '../../ledger/transaction.ts';
import { transactionFrameCodec } from '../../node/peers/wire.ts';
import type { Liar, LiarTools } from './liar.ts';

/**
 * Passes the transactions of some senders on, but never lets its own node see them: its blocks have
 * room, and not for those.
 */
export function censor(tools: LiarTools): Liar {
  const censored = new Map<PublicKey, boolean>();
  return {
    accepts: (bytes) => !isCensored(bytes),
    hears: (topic, bytes) => {
      if (topic !== 'transactions') return undefined;
      const frame = decode(transactionFrameCodec, bytes, 'frame');
      if (frame instanceof Problem || !frame.transactions.some(isCensored)) return undefined;
      tools.lied();
      return 'accept';
    },
  };

  function isCensored(bytes: Uint8Array): boolean {
    const transaction = decodeTransaction(bytes);
    if (transaction instanceof Problem) return false;
    let is = censored.get(transaction.sender);
    if (is === undefined) {
      is = tools.chance.happens(0.6);
      censored.set(transaction.sender, is);
    }
    return is;
  }
}
