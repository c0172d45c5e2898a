import { decode } from '../base/codec.ts';
import { unwrap } from '../base/problem.ts';
import type { Effect, Input, LoadedBlock } from '../consensus/engine.ts';
import type { Hash } from '../crypto/hash.ts';
import { type Block, decodeBlock, proposalOf } from '../ledger/block-body.ts';
import { finalityCodec } from '../ledger/certificate.ts';
import type { ChainStore } from '../storage/chain-store.ts';
import type { Chain } from './chain.ts';

type LoadEffect = Extract<Effect<never>, { type: 'load' }>;
type LoadedInput = Extract<Input<never>, { type: 'loaded' }>;
type ReadStore = Pick<ChainStore, 'hashAt' | 'blockBytes' | 'certificateAt'>;

/** The `load` effect: blocks from storage, for a peer that is far behind. */
export function load(chain: Chain, store: ReadStore, effect: LoadEffect): LoadedInput {
  const blocks = effect.blocks.map(({ height, blockHash }): LoadedBlock => {
    const finalHash = store.hashAt(height);
    const hash = blockHash ?? finalHash;
    const block = hash === undefined ? undefined : find(chain, store, hash);
    if (hash === undefined || block === undefined) return { height, block: null };
    const bytes = hash === finalHash ? store.certificateAt(height) : undefined;
    const certificate = bytes === undefined ? null : unwrap(decode(finalityCodec, bytes, 'certificate'));
    return { height, block: { blockHash: hash, proposal: proposalOf(block), certificate } };
  });
  return { type: 'loaded', blocks };
}

function find(chain: Chain, store: ReadStore, hash: Hash): Block | undefined {
  const candidate = chain.get(hash);
  if (candidate !== undefined) return candidate.block;
  const bytes = store.blockBytes(hash);
  return bytes === undefined ? undefined : unwrap(decodeBlock(bytes));
}
