import type { Effect, ValidatorIndex } from '../../consensus/engine.ts';
import type { BlockPart } from '../../consensus/protocol.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import type { DropReason } from '../../mempool/options.ts';
import type { Committed } from '../effects/committing.ts';
import type { Logger } from '../process/log.ts';

type Listener<A extends unknown[]> = (...args: A) => void;

/** Those who only listen. What they do wrong is not the core's fault, and does not stop it: it is logged. */
class Audience<A extends unknown[]> {
  readonly #log: Logger;
  readonly #listeners = new Set<Listener<A>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** They hear it until the returned function is called. */
  add(listener: Listener<A>): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  get isEmpty(): boolean {
    return this.#listeners.size === 0;
  }

  tell(...args: A): void {
    for (const listener of this.#listeners) {
      try {
        listener(...args);
      } catch (error) {
        this.#log.error('a listener failed', { reason: String(error) });
      }
    }
  }
}

export type ViewTold = Extract<Effect<never>, { type: 'view' }>;

export class Listeners {
  /** Each block after it became final here. */
  readonly final: Audience<[Committed]>;
  /** Each transaction that left the mempool without becoming final. */
  readonly dropped: Audience<[Transaction, DropReason]>;
  /** The reason when this node lost the lead without handing it over. */
  readonly steppedDown: Audience<[string]>;
  /** Each change of the view (Raft: of the term), or of who leads it. */
  readonly view: Audience<[ViewTold]>;
  /** What a validator said of blocks, this one included; nobody else can have said it. */
  readonly parts: Audience<[ValidatorIndex, readonly BlockPart[]]>;

  constructor(log: Logger) {
    this.final = new Audience(log);
    this.dropped = new Audience(log);
    this.steppedDown = new Audience(log);
    this.view = new Audience(log);
    this.parts = new Audience(log);
  }
}
