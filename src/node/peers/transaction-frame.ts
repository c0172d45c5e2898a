import { decode } from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import { peerAtFault } from '../../base/peer-faults.ts';
import { Problem } from '../../base/problem.ts';
import type { Hash } from '../../crypto/hash.ts';
import { decodeOwnTransaction, type Transaction } from '../../ledger/transaction.ts';
import { transactionFrameCodec } from './wire.ts';

/** The transactions of a frame, at least one and each once, all of this chain; or what is wrong with it. */
export function readFrame(bytes: Uint8Array, chainId: Hash): Transaction[] | Problem {
  if (bytes.length > limits.gossipFrameBytes + limits.gossipFrameOverheadBytes) return oversize(bytes);
  const frame = decode(transactionFrameCodec, bytes, 'frame of transactions');
  if (frame instanceof Problem) return frame;
  const transactions = new Map<Hash, Transaction>();
  for (let index = 0; index < frame.transactions.length; index++) {
    const transaction = decodeOwnTransaction(frame.transactions[index] as Uint8Array);
    if (transaction instanceof Problem) return transaction;
    if (transaction.chainId !== chainId) return wrongChain(transaction.chainId, chainId);
    transactions.set(transaction.hash, transaction);
  }
  if (transactions.size === 0) return empty();
  return transactions.size === frame.transactions.length ? [...transactions.values()] : twice();
}

/** Of a transaction that is for another chain. */
export function wrongChain(theirs: Hash, ours: Hash): Problem {
  return new Problem('transaction/wrong-chain', 'the transaction is for another chain', {
    remedy:
      'Submit it to a node of its own chain. Or, if this chain is meant, sign it with the chain id that "quorate status" shows.',
    details: { chainId: theirs, expected: ours },
  });
}

function oversize({ length }: Uint8Array): Problem {
  return new Problem('network/frame-oversize', 'a frame is larger than any that is sent', {
    remedy: peerAtFault,
    details: { size: length, limit: limits.gossipFrameBytes },
  });
}

function empty(): Problem {
  return new Problem('network/frame-empty', 'a frame holds no transactions', {
    remedy: peerAtFault,
  });
}

function twice(): Problem {
  return new Problem('network/frame-twice', 'a transaction stands twice in one frame', {
    remedy: peerAtFault,
  });
}
