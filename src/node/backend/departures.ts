import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import type { DropReason } from '../../mempool/options.ts';
import type { ChainStore } from '../../storage/chain-store.ts';
import { BoundedMap } from '../../base/bounded-map.ts';
import type { FinalBlock } from '../effects/chain.ts';
import { askWhoKeepsBlocks } from './final-blocks.ts';

/** What is told of a transaction. The whole of it may have 32 KiB, and thousands are remembered. */
type Told = Pick<Transaction, 'hash' | 'sender' | 'nonce' | 'fee' | 'expiryHeight'>;

interface Departure {
  readonly transaction: Told;
  readonly reason: DropReason;
  /** See `ChainStore.firstHeader`: while it stays, the index of transactions has no gap since then. */
  readonly firstHeader: number;
}

/**
 * Transactions that left this node's mempool a short while ago without becoming final. That they left is this
 * node's affair: others may have them, and a block may still hold them. What makes one impossible is the
 * final chain alone, and that is the same everywhere.
 */
export class Departures {
  readonly #store: Pick<ChainStore, 'firstHeader' | 'locate'>;
  readonly #departed = new BoundedMap<Hash, Departure>(limits.droppedRemembered);

  constructor(store: Pick<ChainStore, 'firstHeader' | 'locate'>) {
    this.#store = store;
  }

  note(transaction: Transaction, reason: DropReason): void {
    const { hash, sender, nonce, fee, expiryHeight } = transaction;
    const told = { hash, sender, nonce, fee, expiryHeight };
    this.#departed.set(hash, { transaction: told, reason, firstHeader: this.#store.firstHeader });
  }

  /**
   * What the final state says of a transaction that is not in the mempool: `gone` when no block can hold it
   * any more. The caller has looked before whether it is final.
   */
  statusOf(
    hash: Hash,
    final: FinalBlock,
  ):
    | { readonly status: 'gone'; readonly problem: Problem }
    | { readonly status: 'unknown'; readonly problem: Problem | null } {
    const departure = this.#departed.get(hash);
    if (departure === undefined) return { status: 'unknown', problem: null };
    const { transaction, reason, firstHeader } = departure;
    const impossible = impossibility(transaction, final);
    if (impossible === undefined) return { status: 'unknown', problem: letGo(transaction, reason) };
    // Blocks that came inside a snapshot since then may have held it, and nobody here would know.
    const isIndexed = firstHeader === this.#store.firstHeader && this.#store.locate(hash) === undefined;
    return isIndexed
      ? { status: 'gone', problem: impossible }
      : { status: 'unknown', problem: outcomePruned(transaction) };
  }
}

function impossibility(transaction: Told, { header, state }: FinalBlock): Problem | undefined {
  const { sender, nonce, expiryHeight } = transaction;
  const next = state.account(sender).nonce;
  if (next > nonce) {
    return new Problem(
      'mempool/superseded',
      `another transaction of the sender with nonce ${nonce} is final`,
      {
        remedy: `Look at what became final in its place. If this one is still wanted as well, sign it again with the next nonce.`,
        details: { nonce, next },
      },
    );
  }
  if (header.height >= expiryHeight) {
    return new Problem(
      'mempool/expired',
      `its expiry height ${expiryHeight} is final, and it is in no block`,
      {
        remedy:
          'If it is still wanted, sign it again with a later expiry height and the same nonce: what the account sent after it waits for that one.',
        details: { nonce, expiryHeight, height: header.height },
      },
    );
  }
  return undefined;
}

const localReasons = {
  replaced: 'another one of the sender with the same nonce and a higher fee took its place here',
  evicted: 'the mempool was full, and others paid more',
  'wrong-signers': 'the keys of the sender changed, and those that signed it do not sign for it any more',
  'fee-too-low': 'the chain asks for a higher fee than it pays by now',
  'fee-not-payable': 'the sender could not pay the fees of all that it had waiting',
};

/** Only this node's word: the same bytes may be sent again, and count once. */
function letGo({ hash, nonce, fee }: Told, reason: DropReason): Problem | null {
  // Reasons that follow from the final chain are told from there.
  if (reason === 'expired' || reason === 'superseded') return null;
  return new Problem(`mempool/${reason}`, `this node let go of the transaction: ${localReasons[reason]}`, {
    remedy: `It may still become final. Ask again for ${hash}, or submit the same bytes again: they count once. Do not sign another one for the same purpose before this one is "gone" (its nonce used, or its expiry height final).`,
    details: { nonce, fee: `${fee}`, outcome: 'unknown' },
  });
}

/** Nodes that keep all blocks know whether one of the blocks that are missing here holds it. */
function outcomePruned({ hash, nonce }: Told): Problem {
  return new Problem(
    'mempool/outcome-pruned',
    'no new block can hold the transaction, and one that this node does not have may hold it',
    {
      remedy: `${askWhoKeepsBlocks} Ask it for ${hash}. Sign nothing for the same purpose before one says that it is "gone".`,
      details: { nonce, outcome: 'unknown' },
    },
  );
}
