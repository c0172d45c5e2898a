import { encode } from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import { toHeight } from '../../ledger/block.ts';
import { transactionFrameCodec } from '../../node/peers/wire.ts';
import type { Liar, LiarAccount, LiarTools, OwnNode } from './liar.ts';

/** This many free transactions of its own fill a block, because each is as large as it may be. */
const perBlock = Math.ceil(limits.maxBlockBytes / (limits.maxRecordValueBytes + 150));
/** Larger frames are refused. */
const perFrame = Math.floor(limits.gossipFrameBytes / limits.maxTransactionBytes);
const refillMs = 50;

/**
 * A primary whose blocks have no room: its own node knows free transactions of its own and nobody else's, so
 * that what others pay for is never passed over by a block with room.
 */
export function fullBlocks(tools: LiarTools): Liar {
  let account: LiarAccount | null = null;
  let made = 0;
  let used = 0;
  let node: OwnNode | null = null;
  return {
    accepts: () => false,
    hears: (topic) => (topic === 'transactions' ? 'accept' : undefined),
    publishes: (topic) => topic !== 'transactions',
    start: (own) => {
      node = own;
      account = tools.account();
      fill();
    },
    outgoing: (message) => {
      if (message.kind === 'pre-prepare' && message.from === tools.self && message.height > used) {
        used = message.height;
        tools.lied();
      }
      return [message];
    },
  };

  /**
   * This much beyond what was proposed that no block ever has room. Its node hears it as from a
   * peer, so there has to be one.
   */
  function fill(): void {
    const own = account;
    if (own !== null && tools.peers().length > 0 && made < (used + 4) * perBlock) {
      for (let done = 0; done < perBlock; done += perFrame) {
        const transactions = Array.from({ length: Math.min(perFrame, perBlock - done) }, () => free(own));
        node?.hear('transactions', encode(transactionFrameCodec, { salt: made, transactions }));
      }
    }
    tools.after(refillMs, fill);
  }

  function free(from: LiarAccount): Uint8Array {
    const nonce = made++;
    const { bytes } = from.transact({
      chainId: tools.chainId,
      sender: from.publicKey,
      nonce,
      fee: 0n,
      expiryHeight: toHeight(90_000),
      reference: new Uint8Array(),
      conditions: [],
      operations: [
        { type: 'put', key: 'mine', value: new Uint8Array(limits.maxRecordValueBytes).fill(nonce) },
      ],
      signers: [from.publicKey],
    });
    return bytes;
  }
}
