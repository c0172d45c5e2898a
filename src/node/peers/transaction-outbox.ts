import { encode } from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import type { MonotonicMs } from '../../consensus/engine.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { Pooled } from '../../mempool/lane.ts';
import type { Mempool } from '../../mempool/mempool.ts';
import type { Network } from '../../network/port.ts';
import type { Cancel, Clock } from '../process/clock.ts';
import { transactionFrameCodec } from './wire.ts';

interface OutboxOptions {
  /** Keeps with each when it was gossiped last. */
  readonly mempool: Pick<Mempool, 'gossiped'>;
  readonly network: Pick<Network, 'publish'>;
  readonly clock: Clock;
  /** Differs between runs of a node, so that its frames do too. */
  readonly salt: number;
  readonly onFrame: () => void;
}

/** Transactions on their way to the other nodes: they gather here, and leave together in frames. */
export class TransactionOutbox {
  readonly #options: OutboxOptions;
  readonly #gathered = new Map<Hash, Pooled>();
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

  add(pooled: Pooled): void {
    const { transaction } = pooled;
    if (this.#gathered.has(transaction.hash)) return;
    if (this.#bytes + transaction.bytes.length > limits.gossipFrameBytes) this.flush();
    this.#gathered.set(transaction.hash, pooled);
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
    const transactions: Uint8Array[] = [];
    for (const pooled of this.#gathered.values()) {
      this.#options.mempool.gossiped(pooled, now);
      transactions.push(pooled.transaction.bytes);
    }
    const frame = encode(transactionFrameCodec, { salt: this.#frames, transactions });
    this.#gathered.clear();
    this.#bytes = 0;
    this.#options.onFrame();
    this.#options.network.publish('transactions', frame);
  }

  /**
   * The frame of another node that holds these is about to be passed on: false when all of them were lately,
   * and it is not worth its way.
   */
  passOn(waiting: readonly Pooled[]): boolean {
    const { mempool, clock } = this.#options;
    const now = clock.monotonicMs();
    let isAnyDue = false;
    for (let index = 0; index < waiting.length; index++) {
      const pooled = waiting[index] as Pooled;
      if (!isDue(pooled, now)) continue;
      mempool.gossiped(pooled, now);
      isAnyDue = true;
    }
    return isAnyDue;
  }

  stop(): void {
    this.#cancelFlush?.();
  }
}

/**
 * Half the time between two repetitions of its own node: frames may come early, and one that is lost must
 * not cost two.
 */
function isDue({ gossipedAt }: Pooled, now: MonotonicMs): boolean {
  return gossipedAt === null || now - gossipedAt >= limits.regossipMs / 2;
}
