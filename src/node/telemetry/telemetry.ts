import type { SamplesView, SampleSpan, TelemetryBackend } from '../../api/telemetry-views.ts';
import { limits } from '../../base/limits.ts';
import { transactionBytes } from '../../ledger/block-body.ts';
import type { Driver } from '../core/driver.ts';
import type { Cancel, Clock } from '../process/clock.ts';
import type { Usage } from '../process/usage.ts';
import { type Moment, Samples } from './samples.ts';
import { ViewLog } from './view-log.ts';
import { VoteWatch } from './vote-watch.ts';

interface TelemetryOptions {
  readonly driver: Pick<Driver<object>, 'roster' | 'engine' | 'listeners' | 'mempool' | 'chain'>;
  readonly clock: Clock;
  readonly usage: Pick<Usage, 'now'>;
}

/**
 * What this node saw of itself and of the others, for people who look at it: by its own clock, from what came
 * to it, bounded, and lost with the process. Nothing goes by it.
 */
export class Telemetry implements TelemetryBackend {
  readonly #options: TelemetryOptions;
  readonly #views: ViewLog;
  readonly #votes: VoteWatch;
  readonly #samples: Readonly<Record<SampleSpan, Samples>>;
  readonly #leave: readonly (() => void)[];
  #cancel: Cancel = () => {};

  constructor(options: TelemetryOptions) {
    this.#options = options;
    const { driver, clock } = options;
    this.#views = new ViewLog(options);
    const begin = { now: clock.monotonicMs(), viewChanges: 0 };
    this.#samples = {
      minutes: new Samples({ everyMs: limits.sampleMs, kept: limits.samplesKept, begin }),
      hours: new Samples({ everyMs: limits.longSampleMs, kept: limits.longSamplesKept, begin }),
    };
    const all = Object.values(this.#samples);
    this.#votes = new VoteWatch({
      finalHeight: driver.chain.final.height,
      onDelay: (validator, ms) => all.forEach((samples) => samples.vote(validator, ms)),
    });
    this.#leave = [
      driver.listeners.view.add((change) => this.#views.told(change)),
      driver.listeners.parts.add((from, parts) => {
        const validator = driver.roster.keys[from];
        if (validator === undefined) return;
        const now = clock.monotonicMs();
        for (const part of parts) this.#votes.heard(validator, part, now);
      }),
      driver.listeners.final.add(({ hash, block, waits }) => {
        const { header, transactions } = block;
        this.#votes.final(hash, header, clock.monotonicMs());
        const seen = { transactions: transactions.length, bytes: transactionBytes(transactions), waits };
        for (const samples of all) samples.block(seen);
      }),
    ];
    this.#tick();
  }

  stop(): void {
    this.#cancel();
    for (const leave of this.#leave) leave();
  }

  viewChanges() {
    return this.#views.all();
  }

  blockVotes() {
    return this.#votes.blocks();
  }

  samples(span: SampleSpan): SamplesView {
    const samples = this.#samples[span];
    return { everyMs: samples.everyMs, samples: samples.all() };
  }

  #tick(): void {
    this.#cancel = this.#options.clock.after(limits.sampleMs, () => this.#tick());
    const moment = this.#moment();
    for (const samples of Object.values(this.#samples)) samples.look(moment);
  }

  #moment(): Moment {
    const { driver, clock, usage } = this.#options;
    const now = clock.monotonicMs();
    return {
      ...usage.now(now),
      now,
      at: clock.wallMs(),
      pending: driver.mempool.size,
      view: driver.engine.status().view,
      viewChanges: this.#views.count,
    };
  }
}
