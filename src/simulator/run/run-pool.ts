import { Worker } from 'node:worker_threads';
import { limits } from '../../base/limits.ts';
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
  /** How long one run may take, by the machine's clock; `limits.simulatedRunMs` unless it is said. */
  readonly patienceMs?: number;
  /** What a thread runs; the simulator unless it is said. */
  readonly worker?: URL;
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

type Note = (verdict: Verdict) => void;

/** Feeds one worker until there is nothing left; another one when that is stuck in a run. */
async function serve(take: () => number[], note: Note, options: PoolOptions): Promise<void> {
  let left: readonly number[] | undefined = [];
  while (left !== undefined) left = await feedWorker(left, { take, note, options });
}

/** Returns the seeds that are left when the worker gets stuck in a run; undefined when none are. */
function feedWorker(
  begun: readonly number[],
  { take, note, options }: { take: () => number[]; note: Note; options: PoolOptions },
): Promise<readonly number[] | undefined> {
  const { engine, signatures, patienceMs = limits.simulatedRunMs } = options;
  const worker = new Worker(options.worker ?? new URL('run-worker.ts', import.meta.url));
  return new Promise((resolve, reject) => {
    let open = begun;
    let timer: NodeJS.Timeout | undefined;
    const end = (left: readonly number[] | undefined): void => {
      clearTimeout(timer);
      void worker.terminate().then(() => resolve(left));
    };
    const wait = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        note(endless(open[0] ?? 0, patienceMs));
        end(open.slice(1));
      }, patienceMs);
    };
    const order = (): void => {
      const seeds: WorkOrder = { seeds: open, engine, signatures };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      worker.postMessage(seeds);
      wait();
    };
    const feed = (): void => {
      open = take();
      if (open.length === 0) end(undefined);
      else order();
    };
    worker.on('message', (verdict: Verdict) => {
      note(verdict);
      open = open.slice(1);
      if (open.length === 0) feed();
      else wait();
    });
    worker.on('error', reject);
    if (open.length === 0) feed();
    else order();
  });
}

/** Of a run in which one step never ends: nothing in it can tell. */
function endless(seed: number, patienceMs: number): Verdict {
  const message = `it did not come to its end within ${patienceMs} ms of the machine's time: a step in it never ends`;
  return { outcome: 'stuck', seed, trace: '', breach: { guarantee: 'progress', message, at: 0 }, counts: {} };
}
