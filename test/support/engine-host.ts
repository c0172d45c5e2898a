import { invariant } from '../../src/base/invariant.ts';
import type { BlockName, ChainLink, Effect, Engine, Input } from '../../src/consensus/engine.ts';
import { linkOf } from '../../src/consensus/shared/chain-link.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import type { Proposal } from '../../src/ledger/block.ts';

export type EffectOf<M, Type extends Effect<M>['type']> = Extract<Effect<M>, { readonly type: Type }>;
export type Validated = Extract<Input<never>, { readonly type: 'validated' }>['result'];

/**
 * What a driver is to one engine, without ledger, network and real signatures: it keeps what is durable, answers
 * what the engine asks for as the driver would, and holds the engine to its contract after each step. When
 * something is done (at once, or some virtual time later) is what the hosts of the two engines differ in.
 */
export abstract class EngineHost<M extends object, E extends Engine<M>> {
  readonly index: number;
  engine: E | null = null;
  /** Processes so far. */
  starts = 0;
  /** The consensus log on its disk. */
  records = new Map<string, Uint8Array>();
  /** The blocks on its disk that are not final. */
  candidates = new Map<Hash, Proposal>();
  /** All blocks that its engine ever made final, by height, stored or not. */
  readonly finals = new Map<number, Hash>();
  /** What the engine of this process made final last, or began with. */
  #last: BlockName | undefined;
  #lastWrite = -Infinity;

  constructor(index: number) {
    this.index = index;
  }

  /** The newest final block on its disk. */
  abstract finalBlock(): BlockName;
  /** A block that it has, or that somebody gives it. */
  protected abstract blockOf(hash: Hash): Proposal | undefined;
  /** All transactions that ever came to its pool, in order. */
  protected abstract pool(): Iterable<Hash>;
  /** Of blocks that it has no more. */
  protected earlierTransactions(): Iterable<Hash> {
    return [];
  }
  /** What is wrong with a block, besides what all can see. */
  protected abstract faultOf(hash: Hash): Validated | null;

  /** A process begins with this engine. */
  protected begin(engine: E): E {
    this.starts += 1;
    this.#last = this.finalBlock();
    this.#lastWrite = -Infinity;
    return (this.engine = engine);
  }

  /** One input, and the effects that follow from it, none of which is done yet. */
  protected take(engine: E, input: Input<M>): readonly Effect<M>[] {
    if (input.type === 'installed') this.#last = { height: input.header.height, blockHash: input.blockHash };
    const effects = engine.step(input);
    for (const effect of effects) {
      if (effect.type === 'commit') this.#checkFinal(effect.link);
      if (effect.type !== 'persist') continue;
      invariant(effect.seq > this.#lastWrite, 'writes are asked for in the order of their numbers');
      this.#lastWrite = effect.seq;
    }
    return effects;
  }

  #checkFinal(link: ChainLink): void {
    const { height, blockHash, parentHash } = link;
    const known = this.finals.get(height);
    invariant(known === undefined || known === blockHash, 'a final block never changes');
    invariant(height === (this.#last?.height ?? 0) + 1, 'blocks become final in order');
    invariant(parentHash === this.#last?.blockHash, 'final blocks link');
    this.#last = link;
    this.finals.set(height, blockHash);
  }

  /** A write is on the disk. */
  protected store({ records, blocks, forget }: EffectOf<M, 'persist'>): void {
    for (const { key, value } of records) {
      if (value === null) this.records.delete(key);
      else this.records.set(key, value);
    }
    for (const hash of blocks) {
      const block = this.blockOf(hash);
      invariant(block !== undefined, 'a block that is to be stored is here');
      this.candidates.set(hash, block);
    }
    for (const hash of forget ?? []) this.candidates.delete(hash);
  }

  /** The transactions in a block and in all below it. */
  transactionsUpTo(hash: Hash): Set<Hash> {
    const found = new Set(this.earlierTransactions());
    for (let block = this.blockOf(hash); block !== undefined; block = this.blockOf(block.header.parentHash)) {
      for (const transaction of block.transactionHashes) found.add(transaction);
    }
    return found;
  }

  /** What waits in the pool for a block on top of this one. */
  protected waitingOn(parentHash: Hash): Hash[] {
    const done = this.transactionsUpTo(parentHash);
    return [...this.pool()].filter((hash) => !done.has(hash));
  }

  /** What comes of looking at a block and all below it, down to the newest final one. */
  protected validate(blockHash: Hash): Validated {
    const chain: ChainLink[] = [];
    const final = this.finalBlock();
    for (let hash = blockHash; hash !== final.blockHash;) {
      const wrong = this.faultOf(hash);
      if (wrong !== null) return wrong;
      const block = this.blockOf(hash);
      if (block === undefined) return { verdict: 'unavailable', reason: 'nobody has it' };
      const { header } = block;
      if (header.height <= final.height) {
        if (this.finals.get(header.height) === hash) break;
        return { verdict: 'unavailable', reason: 'another block is final there' };
      }
      chain.unshift(linkOf(header, hash));
      hash = header.parentHash;
    }
    return { verdict: 'valid', chain };
  }
}
