import { BoundedMap } from '../../base/bounded-map.ts';
import { encode } from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import type { MonotonicMs } from '../../consensus/engine.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import type { Network } from '../../network/port.ts';
import type { Cancel, Clock } from '../process/clock.ts';
import { transactionFrameCodec } from './wire.ts';

interface OutboxOptions {
  readonly network: Pick<Network, 'publish'>;
  readonly clock: Clock;
  /** Differs between runs of a node, so that its frames do too. */
  readonly salt: number;
  readonly onFrame: () => void;
}

/** Transactions on their way to the other nodes: they gather here, and leave together in frames. */
export class TransactionOutbox {
  readonly #options: OutboxOptions;
  /** Transactions whose frame left here or was passed on, with when that was the last time. */
  readonly #passedOn = new BoundedMap<Hash, MonotonicMs>(limits.mempoolTransactions);
  readonly #gathered = new Map<Hash, Uint8Array>();
  #bytes = 0;
  #cancelFlush: Cancel | undefined;
  #flushedAt: MonotonicMs = -Infinity;
  /** How far the next frame is behind the last. */
  #flushMs = 0;
  #frames: number;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#frames = options.salt;
  }

  add(transaction: Transaction): void {
    if (this.#gathered.has(transaction.hash)) return;
    if (this.#bytes + transaction.bytes.length > limits.gossipFrameBytes) this.flush();
    this.#gathered.set(transaction.hash, transaction.bytes);
    this.#bytes += transaction.bytes.length;
    if (this.#cancelFlush !== undefined) return;
    const { clock } = this.#options;
    const waited = clock.monotonicMs() - this.#flushedAt;
    // After a pause in gossip nothing waits for company.
    this.#cancelFlush = clock.after(Math.max(this.#flushMs - waited, 0), () => this.flush());
  }

  /** Gossips what waits for company. */
  flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    if (this.#gathered.size === 0) return;
    this.#frames = (this.#frames + 1) >>> 0;
    const now = this.#options.clock.monotonicMs();
    this.#flushedAt = now;
    // A frame costs each node more than the transactions in it: the more there are, the longer they gather.
    this.#flushMs = Math.min(limits.gossipFlushMs * this.#gathered.size, limits.gossipFlushMostMs);
    for (const hash of this.#gathered.keys()) this.#passedOn.set(hash, now);
    const frame = encode(transactionFrameCodec, {
      salt: this.#frames,
      transactions: [...this.#gathered.values()],
    });
    this.#gathered.clear();
    this.#bytes = 0;
    this.#options.onFrame();
    this.#options.network.publish('transactions', frame);
  }

  /**
   * The frame of another node that holds these is about to be passed on: false when all of them were lately,
   * and it is not worth its way.
   */
  passOn(transactions: readonly Transaction[]): boolean {
    const now = this.#options.clock.monotonicMs();
    let isAnyDue = false;
    for (const { hash } of transactions) {
      if (!this.#isDue(hash, now)) continue;
      this.#passedOn.set(hash, now);
      isAnyDue = true;
    }
    return isAnyDue;
  }

  /**
   * Half the time between two repetitions of its own node: frames may come early, and one that is lost must
   * not cost two.
   */
  #isDue(hash: Hash, now: MonotonicMs): boolean {
    return now - (this.#passedOn.get(hash) ?? -Infinity) >= limits.regossipMs / 2;
  }

  stop(): void {
    this.#cancelFlush?.();
  }
}
