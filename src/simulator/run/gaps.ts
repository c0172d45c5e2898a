import type { Hash } from '../../crypto/hash.ts';
import { toHeight } from '../../ledger/block.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import type { TransactionBody } from '../../ledger/transaction-body.ts';
import type { Plan } from '../plan/plan.ts';
import type { SimulatedChain } from '../plan/simulated-chain.ts';
import { Chance } from '../world/chance.ts';
import type { SignatureScheme } from '../world/fast-signatures.ts';
import { signed } from '../world/signed.ts';
import type { Scheduler } from '../world/scheduler.ts';

interface GapsOptions {
  readonly plan: Plan;
  readonly chain: SimulatedChain;
  readonly scheme: SignatureScheme;
  readonly scheduler: Scheduler;
  /** Nodes that clients can reach now. */
  readonly reachable: () => readonly number[];
  readonly submit: (node: number, transaction: Transaction) => void;
  /** The highest final block of all. */
  readonly height: () => number;
}

/** How many blocks ahead they expire while others make blocks, and while nobody does. */
const busyAhead = [1, 30] as const;
const idleAhead = [1, 3] as const;
const retryMs = 3_000;

/**
 * Clients that lost a transaction: what they sign stands behind a nonce that never comes. No block may hold
 * it, and at its expiry height it is gone, also where nothing else makes the chain grow.
 */
export class Gaps {
  readonly #options: GapsOptions;
  readonly #chance: Chance;
  readonly #left: Transaction[] = [];
  #made = 0;

  constructor(options: GapsOptions) {
    this.#options = options;
    this.#chance = new Chance(options.plan.seed, 'gaps');
  }

  get #count(): number {
    return this.#options.plan.load.gaps ?? 0;
  }

  /** Some while the others work. */
  start(): void {
    const { plan, scheduler } = this.#options;
    for (let count = this.#count; count > 0; count--) {
      scheduler.at(this.#chance.between(0, plan.load.untilMs), () => this.#send(this.#make(busyAhead)));
    }
  }

  /** And again on a chain where nothing else is left to be done; once. */
  leave(): void {
    if (this.#left.length > 0) return;
    for (let count = this.#count; count > 0; count--) {
      const transaction = this.#make(idleAhead);
      this.#left.push(transaction);
      this.#bring(transaction);
    }
  }

  /** Whether a node that is so far has nothing of them any more. */
  areGone(height: number, holds: (hash: Hash) => boolean): boolean {
    return this.#left.every(({ hash, expiryHeight }) => height >= expiryHeight && !holds(hash));
  }

  /** To some node, and to another as long as it may help: it may have been given to one that tells nobody. */
  #bring(transaction: Transaction): void {
    if (this.#options.height() >= transaction.expiryHeight) return;
    this.#send(transaction);
    this.#options.scheduler.after(retryMs, () => this.#bring(transaction));
  }

  #send(transaction: Transaction): void {
    const nodes = this.#options.reachable();
    if (nodes.length > 0) this.#options.submit(this.#chance.pick(nodes), transaction);
  }

  #make([least, most]: readonly [number, number]): Transaction {
    const { plan, chain, scheme, height } = this.#options;
    const sender = this.#chance.pick(chain.senderKeys);
    this.#made += 1;
    const body: TransactionBody = {
      chainId: chain.genesis.chainId,
      sender: sender.publicKey,
      // No sender comes to this one.
      nonce: plan.load.transactions + this.#made,
      fee: 1n,
      expiryHeight: toHeight(height() + this.#chance.between(least, most)),
      reference: new Uint8Array(),
      conditions: [],
      operations: [{ type: 'transfer', to: sender.publicKey, amount: 1n, memo: '' }],
      signers: [sender.publicKey],
    };
    return signed(scheme, sender.secretKey, body);
  }
}
