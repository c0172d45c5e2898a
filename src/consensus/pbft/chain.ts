import type { Hash } from '../../crypto/hash.ts';
import { type Height, toHeight } from '../../ledger/block.ts';
import type { ChainLink } from '../engine.ts';
import { endsEpoch, type Replica } from './replica.ts';

/**
 * The blocks from just above the final one up to this one, lowest first, all valid; empty for the final block
 * itself; null when a link is missing, when the chain does not start at the final block, or when it goes on
 * past the last block of the epoch.
 */
export function chainTo(replica: Replica, blockHash: Hash): ChainLink[] | null {
  const { state } = replica;
  const chain: ChainLink[] = [];
  let next = blockHash;
  while (next !== state.final.blockHash) {
    const link = state.valid.get(next);
    if (link === undefined || link.height <= state.final.height) return null;
    if (link.isLast && chain.length > 0) return null;
    chain.push(link);
    next = link.parentHash;
  }
  if (state.final.isLast && chain.length > 0) return null;
  return chain.toReversed();
}

/**
 * The highest block that a new one may be built on in this view: the end of the accepted chain. Null while
 * the view's start is not reached here, or the chain is not known to be valid up to its end, or that is the
 * end of the epoch.
 */
export function buildingTip(replica: Replica): { readonly height: Height; readonly blockHash: Hash } | null {
  const { state } = replica;
  let tip: { height: Height; blockHash: Hash } = state.final;
  if (state.final.height < state.viewBase.height) {
    const slot = state.slots.get(state.viewBase.height);
    if (slot === undefined || slot.validity !== 'valid') return null;
    tip = slot;
  }
  for (;;) {
    const slot = state.slots.get(toHeight(tip.height + 1));
    if (slot === undefined) return endsEpoch(replica, tip.blockHash) ? null : tip;
    if (slot.validity !== 'valid' || slot.parentHash !== tip.blockHash) return null;
    tip = slot;
  }
}
