import { Worker } from 'node:worker_threads';
import type { Plan } from '../plan/plan.ts';
import { type Counts, Counters } from '../world/counters.ts';
import type { Verdict } from './verdict.ts';

interface PoolOptions {
  readonly engine: Plan['engine'];
  readonly firstSeed: number;
  readonly lastSeed: number;
  /** Worker threads. One is no thread at all slower, and keeps the caller responsive. */
  readonly jobs: number;
  readonly signatures: Plan['signatures'];
  /** Ends early at the first failure. */
  readonly stopAtFailure?: boolean;
  readonly onVerdict?: (verdict: Verdict, summary: Summary) => void;
}

/** What came of many runs. */
export interface Summary {
  readonly runs: number;
  readonly failures: readonly Verdict[];
  readonly counts: Counts;
  readonly seconds: number;
}

/** Between the pool and a worker. */
export interface WorkOrder {
  readonly seeds: readonly number[];
  readonly engine: Plan['engine'];
  readonly signatures: Plan['signatures'];
}

/** Seeds handed to a worker at once: enough to make the hand-over free, few enough to end together. */
const batch = 10;

/** Runs all seeds of a range over worker threads. The summary does not depend on who ran what. */
export async function runPool(options: PoolOptions): Promise<Summary> {
  const counters = new Counters();
  const failures: Verdict[] = [];
  const startedAt = performance.now();
  let next = options.firstSeed;
  let runs = 0;
  let stopped = false;

  const summary = (): Summary => ({
    runs,
    failures: failures.toSorted((a, b) => a.seed - b.seed),
    counts: counters.counts,
    seconds: (performance.now() - startedAt) / 1000,
  });
  const take = (): number[] => {
    const seeds: number[] = [];
    if (stopped) return seeds;
    while (seeds.length < batch && next <= options.lastSeed) seeds.push(next++);
    return seeds;
  };
  const note = (verdict: Verdict): void => {
    if (stopped) return;
    runs += 1;
    counters.merge(verdict.counts);
    if (verdict.outcome !== 'pass') {
      failures.push(verdict);
      stopped = options.stopAtFailure ?? false;
    }
    options.onVerdict?.(verdict, summary());
  };

  const size = Math.max(1, Math.min(options.jobs, options.lastSeed - options.firstSeed + 1));
  await Promise.all(Array.from({ length: size }, () => serve(take, note, options)));
  return summary();
}

/** Feeds one worker until there is nothing left. */
function serve(take: () => number[], note: (verdict: Verdict) => void, options: PoolOptions): Promise<void> {
  const worker = new Worker(new URL('run-worker.ts', import.meta.url));
  return new Promise<void>((resolve, reject) => {
    let open = 0;
    const feed = (): void => {
      const seeds = take();
      if (seeds.length === 0) {
        void worker.terminate().then(() => resolve());
        return;
      }
      open = seeds.length;
      const order: WorkOrder = { seeds, engine: options.engine, signatures: options.signatures };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      worker.postMessage(order);
    };
    worker.on('message', (verdict: Verdict) => {
      note(verdict);
      open -= 1;
      if (open === 0) feed();
    });
    worker.on('error', reject);
    feed();
  });
}
