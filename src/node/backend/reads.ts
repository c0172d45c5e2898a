import type { Backend, BlockReference, Pace } from '../../api/backend.ts';
import type { RecordList, RecordPage, RecordView } from '../../api/record-views.ts';
import type { FinalBlock } from '../effects/chain.ts';
import { defined } from '../../base/invariant.ts';
import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import type { Height } from '../../ledger/block.ts';
import type { EpochProof } from '../../ledger/inclusion.ts';
import type { State } from '../../ledger/state.ts';
import { FinalBlocks } from './final-blocks.ts';
import type { NodeBackendOptions } from './options.ts';
import type { Asking } from './asking.ts';

/** For callers who are in no hurry to share the loop. */
export const unpaced: Pace = () => Promise.resolve();

type Consistency = Parameters<Backend['account']>[1];
type ReadBasis = FinalBlock & { readonly consistency: Consistency };

/** Reads of the final chain and of the state after it, so they never show what could be undone. */
export class Reads {
  readonly #options: Pick<NodeBackendOptions, 'driver' | 'genesis' | 'store'>;
  readonly #asking: Asking;
  readonly #finalBlocks: FinalBlocks;

  constructor(options: Pick<NodeBackendOptions, 'driver' | 'genesis' | 'store'>, asking: Asking) {
    this.#options = options;
    this.#asking = asking;
    this.#finalBlocks = new FinalBlocks(options.store);
  }

  async block(...[name, pace = unpaced]: Parameters<Backend['block']>) {
    const height = this.#heightOf(name);
    return height === undefined ? undefined : this.#finalBlocks.at(height, pace);
  }

  async finality(name: BlockReference) {
    const height = this.#heightOf(name);
    return height === undefined ? undefined : this.#finalBlocks.finality(height);
  }

  async epochs(from: Height): Promise<readonly EpochProof[]> {
    const epochs = await this.#options.store.epochs(from, limits.httpEpochs);
    return epochs.map(({ height, validators }) => ({
      ...defined(this.#finalBlocks.finality(height), 'the proof of a block that changed the validators'),
      validators,
    }));
  }

  async headers(from: Height, limit: number, pace: Pace = unpaced) {
    return this.#finalBlocks.headers(from, Math.min(limit, limits.httpPage), pace);
  }

  async account(...[publicKey, consistency]: Parameters<Backend['account']>) {
    await this.#readable(consistency);
    const basis = this.#basis(consistency);
    const account = basis.state.account(publicKey);
    const pendingNonce = Math.max(account.nonce, this.#options.driver.mempool.pendingNonce(publicKey));
    return readOf(basis, { publicKey, ...account, pendingNonce });
  }

  async reservation(...[id, consistency]: Parameters<Backend['reservation']>) {
    await this.#readable(consistency);
    const basis = this.#basis(consistency);
    return readOf(basis, basis.state.reservation(id));
  }

  async record(...[key, consistency]: Parameters<Backend['record']>) {
    await this.#readable(consistency);
    const basis = this.#basis(consistency);
    const entry = basis.state.record(key);
    return readOf(basis, entry && { key, ...entry });
  }

  #heightOf(name: BlockReference): Height | undefined {
    if (name === 'latest') return this.#options.driver.chain.final.height;
    return 'height' in name ? name.height : this.#finalBlocks.heightOf(name.hash);
  }

  async namespace(...[name, consistency]: Parameters<Backend['namespace']>) {
    await this.#readable(consistency);
    const basis = this.#basis(consistency);
    const entry = basis.state.namespace(name);
    return readOf(basis, entry && { name, ...entry });
  }

  /**
   * The keys come from the store, which is never behind the final state; which of them are records, and what
   * they hold, from that state, which is kept as long as this takes.
   */
  async listRecords(...[page, consistency, pace = unpaced]: Parameters<Backend['listRecords']>) {
    await this.#readable(consistency);
    const basis = this.#basis(consistency);
    const state = basis.state.share();
    try {
      return readOf(basis, await this.#recordsOf(state, page, pace));
    } finally {
      state.release();
    }
  }

  async #recordsOf(state: State, { prefix, after, limit }: RecordPage, pace: Pace): Promise<RecordList> {
    const records: RecordView[] = [];
    let last = after;
    for (let looked = 0; looked < limits.listedKeys;) {
      await pace();
      const most = Math.min(limits.httpPage, limits.listedKeys - looked);
      const keys = await this.#options.store.recordKeys({ prefix, after: last, limit: most });
      for (const key of keys) {
        if (records.length === limit) return { records, next: last ?? null };
        last = key;
        const entry = state.record(key);
        if (entry !== undefined) records.push({ key, ...entry });
      }
      if (keys.length < most) return { records, next: null };
      looked += keys.length;
    }
    return { records, next: last ?? null };
  }

  /** Waits until this node has what a read must see. */
  async #readable(consistency: Consistency): Promise<void> {
    if (consistency === 'stale') return;
    const result = await this.#asking.request({ kind: 'read', lease: consistency === 'lease' });
    const { engine } = this.#options.genesis.consensus;
    if (result instanceof Problem) throw unsupportedRead(result, engine, consistency);
  }

  /** The final block to read from, at once: its state is given back when the next block is final. */
  #basis(consistency: Consistency): ReadBasis {
    return { ...this.#options.driver.chain.final, consistency };
  }
}

function readOf<T>({ consistency, height, hash, header }: ReadBasis, value: T) {
  return { value, consistency, height, blockHash: hash, stateRoot: header.stateRoot };
}

function unsupportedRead(problem: Problem, engine: string, consistency: string): Problem {
  if (problem.code !== 'consensus/unsupported') return problem;
  return new Problem(
    'consensus/unsupported',
    `this chain runs ${engine}, which serves no ${consistency} reads`,
    {
      remedy:
        'Read with consistency=stale: a final state that may not be the newest; compare several nodes if that matters.',
      details: { engine, consistency },
    },
  );
}
