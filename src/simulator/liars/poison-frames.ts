import { decode, encode } from '../../base/codec.ts';
import { Problem } from '../../base/problem.ts';
import type { Signature } from '../../crypto/signature.ts';
import { assembleTransaction, decodeTransaction, type Transaction } from '../../ledger/transaction.ts';
import { transactionFrameCodec } from '../../node/peers/wire.ts';
import type { Liar, LiarTools } from './liar.ts';

const everyMs = 20;
const remembered = 60;

/**
 * Mixes what others made into frames of its own: a transaction that waits, beside one that nobody signed and
 * whose nonce was used a moment ago. A node that is up to date need not look at the second; one that is a
 * block behind does, and would blame whoever passed it on.
 */
export function poisonFrames(tools: LiarTools): Liar {
  const { chance } = tools;
  const heard: Transaction[] = [];
  let salt = 0;
  return {
    hears: (topic, bytes) => {
      if (topic !== 'transactions') return undefined;
      const frame = decode(transactionFrameCodec, bytes, 'frame');
      if (frame instanceof Problem) return undefined;
      for (const encoded of frame.transactions) {
        const transaction = decodeTransaction(encoded);
        if (!(transaction instanceof Problem)) heard.push(transaction);
      }
      if (heard.length > remembered) heard.splice(0, heard.length - remembered);
      return undefined;
    },
    start: () => tools.after(everyMs, poison),
  };

  function poison(): void {
    const newest = heard.at(-1);
    if (newest !== undefined) {
      const { signatures: _signatures, bytes: _bytes, hash: _hash, ...body } = chance.pick(heard);
      const forged = assembleTransaction(
        { ...body, fee: body.fee + 1n },
        body.signers.map(() => '77'.repeat(64) as Signature),
      );
      const good = chance.happens(0.7) ? newest : chance.pick(heard);
      tools.lied();
      salt += 1;
      const transactions = chance.happens(0.8) ? [good.bytes, forged.bytes] : [good.bytes, good.bytes];
      tools.publish('transactions', encode(transactionFrameCodec, { salt, transactions }));
    }
    tools.after(everyMs, poison);
  }
}
