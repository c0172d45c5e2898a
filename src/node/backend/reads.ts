import type { Backend, BlockReference, Pace } from '../../api/backend.ts';
import type { NamePage, NamespaceList, RecordList } from '../../api/record-views.ts';
import type { FinalBlock } from '../effects/chain.ts';
import { defined } from '../../base/invariant.ts';
import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import type { Height } from '../../ledger/block.ts';
import type { EpochProof } from '../../ledger/inclusion.ts';
import type { State } from '../../ledger/state.ts';
import type { StateKind, StateReading } from '../../ledger/state-reading.ts';
import type { ChainStore } from '../../storage/chain-store.ts';
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

  /** Of the final state and the block before it, both as they are at once. */
  async stateReading<Name>(kind: StateKind<Name, unknown>, name: Name): Promise<StateReading | undefined> {
    const { height, state } = this.#options.driver.chain.final;
    const finality = this.#finalBlocks.finality(height);
    return finality && { ...finality, ...kind.read(state, name) };
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

  /** Records by the beginning of their keys. */
  listRecords(...[page, consistency, pace = unpaced]: Parameters<Backend['listRecords']>) {
    const { store } = this.#options;
    return this.#list(consistency, async (state): Promise<RecordList> => {
      const { found, next } = await listed(page, pace, {
        names: (asked) => store.recordKeys(asked),
        entry: (key) => state.record(key),
      });
      return { records: found.map(([key, entry]) => ({ key, ...entry })), next };
    });
  }

  /** Namespaces by the beginning of their names. */
  listNamespaces(...[page, consistency, pace = unpaced]: Parameters<Backend['listNamespaces']>) {
    const { store } = this.#options;
    return this.#list(consistency, async (state): Promise<NamespaceList> => {
      const { found, next } = await listed(page, pace, {
        names: (asked) => store.namespaceNames(asked),
        entry: (name) => state.namespace(name),
      });
      return { namespaces: found.map(([name, entry]) => ({ name, ...entry })), next };
    });
  }

  /** From one final state, which is kept as long as this takes. */
  async #list<T>(consistency: Consistency, from: (state: State) => Promise<T>) {
    await this.#readable(consistency);
    const basis = this.#basis(consistency);
    const state = basis.state.share();
    try {
      return readOf(basis, await from(state));
    } finally {
      state.release();
    }
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

/** Where names come from, and what there is under one. */
interface Listed<Entry> {
  readonly names: ChainStore['recordKeys'];
  readonly entry: (name: string) => Entry | undefined;
}

/**
 * The names come from the store, which is never behind the final state; whether there is something under one,
 * and what, from that state.
 */
async function listed<Entry>(
  { prefix, after, limit }: NamePage,
  pace: Pace,
  { names, entry: entryOf }: Listed<Entry>,
): Promise<{ readonly found: readonly (readonly [string, Entry])[]; readonly next: string | null }> {
  const found: (readonly [string, Entry])[] = [];
  let last = after;
  for (let looked = 0; looked < limits.listedKeys;) {
    await pace();
    const most = Math.min(limits.httpPage, limits.listedKeys - looked);
    const page = await names({ prefix, after: last, limit: most });
    for (const name of page) {
      if (found.length === limit) return { found, next: last ?? null };
      last = name;
      const entry = entryOf(name);
      if (entry !== undefined) found.push([name, entry]);
    }
    if (page.length < most) return { found, next: null };
    looked += page.length;
  }
  return { found, next: last ?? null };
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
