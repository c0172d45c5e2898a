import { decode } from '../../base/codec.ts';
import { unwrap } from '../../base/problem.ts';
import type { Effect, Input, LoadedBlock } from '../../consensus/engine.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { Proposal } from '../../ledger/block.ts';
import { decodeProposalOf, proposalOf } from '../../ledger/block-body.ts';
import { finalityCodec } from '../../ledger/certificate.ts';
import type { ChainStore } from '../../storage/chain-store.ts';
import type { Chain } from './chain.ts';
import type { Clock } from '../process/clock.ts';

type LoadEffect = Extract<Effect<never>, { type: 'load' }>;
type LoadedInput = Extract<Input<never>, { type: 'loaded' }>;

interface LoadingOptions {
  readonly chain: Pick<Chain, 'get'>;
  readonly store: Pick<ChainStore, 'hashAt' | 'blockBytes' | 'certificateAt'>;
  readonly clock: Pick<Clock, 'after'>;
  readonly enqueue: (input: LoadedInput) => void;
}

/**
 * The `load` effect: blocks from storage, for a peer that is far behind. One in each turn, so that heartbeats
 * go out between them.
 */
export class Loading {
  readonly #options: LoadingOptions;

  constructor(options: LoadingOptions) {
    this.#options = options;
  }

  load(effect: LoadEffect): void {
    this.#next(effect, []);
  }

  #next({ blocks }: LoadEffect, loaded: readonly LoadedBlock[]): void {
    const wanted = blocks[loaded.length];
    if (wanted === undefined) return this.#options.enqueue({ type: 'loaded', blocks: loaded });
    const { clock } = this.#options;
    clock.after(0, () => this.#next({ type: 'load', blocks }, [...loaded, this.#one(wanted)]));
  }

  #one({ height, blockHash }: LoadEffect['blocks'][number]): LoadedBlock {
    const { store } = this.#options;
    const finalHash = store.hashAt(height);
    const hash = blockHash ?? finalHash;
    const proposal = hash === undefined ? undefined : this.#find(hash);
    if (hash === undefined || proposal === undefined) return { height, block: null };
    const bytes = hash === finalHash ? store.certificateAt(height) : undefined;
    const certificate = bytes === undefined ? null : unwrap(decode(finalityCodec, bytes, 'certificate'));
    return { height, block: { blockHash: hash, proposal, certificate } };
  }

  #find(hash: Hash): Proposal | undefined {
    const candidate = this.#options.chain.get(hash);
    if (candidate !== undefined) return proposalOf(candidate.block);
    const bytes = this.#options.store.blockBytes(hash);
    return bytes === undefined ? undefined : unwrap(decodeProposalOf(bytes));
  }
}
