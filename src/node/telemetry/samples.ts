import type { SampleView } from '../../api/telemetry-views.ts';
import { limits } from '../../base/limits.ts';
import type { MonotonicMs } from '../../consensus/engine.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import { Ring } from './ring.ts';
import { Spread } from './spread.ts';

/** What is so at one moment, and not counted over a time. */
export type Moment = Pick<
  SampleView,
  'at' | 'pending' | 'view' | 'memoryBytes' | 'heapBytes' | 'diskBytes'
> & { readonly now: MonotonicMs; readonly viewChanges: number };

/** Samples of one length, the last ones of them; one of them is always being filled. */
export class Samples {
  readonly everyMs: number;
  readonly #samples: Ring<SampleView>;
  #filling: Filling;

  constructor(options: { readonly everyMs: number; readonly kept: number; readonly begin: Began }) {
    this.everyMs = options.everyMs;
    this.#samples = new Ring(options.kept);
    this.#filling = new Filling(options.begin);
  }

  block(block: { readonly transactions: number; readonly bytes: number; readonly waits: readonly number[] }) {
    this.#filling.block(block);
  }

  vote(validator: PublicKey, ms: number): void {
    this.#filling.vote(validator, ms);
  }

  /** Ends the one that is being filled, when it has its length. */
  look(moment: Moment): void {
    if (moment.now - this.#filling.began.now < this.everyMs) return;
    this.#samples.push(this.#filling.sample(moment));
    this.#filling = new Filling(moment);
  }

  /** The oldest first. */
  all(): readonly SampleView[] {
    return this.#samples.all();
  }
}

type Began = Pick<Moment, 'now' | 'viewChanges'>;

class Filling {
  readonly began: Began;
  readonly #waits = new Spread(limits.waitsPerSample);
  readonly #votes = new Map<PublicKey, { count: number; sum: number }>();
  #blocks = 0;
  #transactions = 0;
  #bytes = 0;

  constructor({ now, viewChanges }: Began) {
    this.began = { now, viewChanges };
  }

  block({ transactions, bytes, waits }: Parameters<Samples['block']>[0]): void {
    this.#blocks += 1;
    this.#transactions += transactions;
    this.#bytes += bytes;
    for (const wait of waits) this.#waits.add(wait);
  }

  vote(validator: PublicKey, ms: number): void {
    const so = this.#votes.get(validator) ?? { count: 0, sum: 0 };
    // Keys come from the rosters of this time, of which a change of the validators makes one more.
    this.#votes.set(validator, { count: so.count + 1, sum: so.sum + ms });
  }

  sample({ now, viewChanges, ...moment }: Moment): SampleView {
    const [p50, p90, p99] = this.#waits.percentiles([0.5, 0.9, 0.99]);
    return {
      ...moment,
      ms: now - this.began.now,
      blocks: this.#blocks,
      transactions: this.#transactions,
      blockBytes: this.#bytes,
      latencyMs: { p50: p50 ?? null, p90: p90 ?? null, p99: p99 ?? null },
      viewChanges: viewChanges - this.began.viewChanges,
      votes: [...this.#votes].map(([validator, { count, sum }]) => ({ validator, ms: sum / count })),
    };
  }
}
