import { invariant } from '../../base/invariant.ts';
import { type Problem, unwrap } from '../../base/problem.ts';
import type { Input, LogRecord, PersistEffect } from '../../consensus/engine.ts';
import type { Protocol } from '../../consensus/protocol.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { ChainStore } from '../../storage/chain-store.ts';
import type { WriteCount } from '../process/key-use.ts';
import { blockBytes, type Candidate, type Chain } from './chain.ts';
import type { Signer } from './signer.ts';

interface PersistingOptions<M> {
  readonly protocol: Protocol<M>;
  readonly signer: Signer;
  readonly chain: Chain;
  readonly store: Pick<ChainStore, 'persist' | 'blockBytes'>;
  readonly enqueue: (input: Extract<Input<M>, { type: 'persisted' }>) => void;
  readonly onFatal: (problem: Problem) => void;
  readonly uses?: WriteCount;
}

interface Waiting<M> {
  readonly seq: number;
  readonly signed: readonly M[];
  readonly records: readonly LogRecord[];
  /** Held here, because memory may let a block go before its turn to be written comes. */
  readonly blocks: readonly Candidate[];
  readonly forget: readonly Hash[];
}

/**
 * The `persist` effect: what the engine asked to sign is signed, written and synced, and only then given
 * back. What comes while a write is under way shares the next one.
 */
export class Persisting<M> {
  readonly #options: PersistingOptions<M>;
  #waiting: Waiting<M>[] = [];
  #writing = 0;
  #count: number;

  constructor(options: PersistingOptions<M>) {
    this.#options = options;
    this.#count = options.uses?.before ?? 0;
  }

  persist(effect: PersistEffect): void {
    const { protocol, signer, chain, store } = this.#options;
    const blocks = effect.blocks.flatMap((hash) => {
      const candidate = chain.get(hash);
      invariant(candidate ?? store.blockBytes(hash), `block ${hash}, which is to be stored, is here`);
      return candidate ?? [];
    });
    signer.recorded(effect.records);
    const { signed, records } = signer.signDurably(effect.sign);
    this.#waiting.push({
      seq: effect.seq,
      signed: signed.map((bytes) => unwrap(protocol.decode(bytes))),
      records: [...effect.records, ...records],
      blocks,
      forget: effect.forget ?? [],
    });
    chain.forget(effect.forget ?? []);
    this.#write();
  }

  /** Hands to the store now what was asked for so far: for a write that must not come before it. */
  flush(): void {
    if (this.#waiting.length > 0) this.#writeWaiting();
  }

  #write(): void {
    if (this.#writing === 0 && this.#waiting.length > 0) this.#writeWaiting();
  }

  #writeWaiting(): void {
    this.#writing += 1;
    this.#count += 1;
    const { uses } = this.#options;
    const count = this.#count;
    const batch = this.#waiting;
    this.#waiting = [];
    // A later record of the same key comes later in the batch, and counts.
    const records = [...batch.flatMap(({ records }) => records), ...(uses?.records(count) ?? [])];
    const blocks = batch.flatMap(({ blocks }) => blocks.flatMap(toStore));
    const forget = forgotten(batch);
    this.#options.store.persist({ records, blocks, forget }, (problem) => {
      if (problem !== undefined) return this.#options.onFatal(problem);
      this.#writing -= 1;
      uses?.written(count);
      for (const { seq, signed } of batch) this.#options.enqueue({ type: 'persisted', seq, signed });
      this.#write();
    });
  }
}

/** Nothing for a block that is on disk: stored before, or final by now. */
function toStore(candidate: Candidate): { hash: Hash; bytes: Uint8Array }[] {
  if (candidate.stored) return [];
  candidate.stored = true;
  return [{ hash: candidate.hash, bytes: blockBytes(candidate) }];
}

/**
 * Blocks to be deleted, by the last word on each: one that was cut off and came back stays, whether or not it
 * was on disk before.
 */
function forgotten(batch: readonly Waiting<unknown>[]): Hash[] {
  const gone = new Set<Hash>();
  for (const { blocks, forget } of batch) {
    for (const hash of forget) gone.add(hash);
    for (const { hash } of blocks) gone.delete(hash);
  }
  return [...gone];
}
