import type { FinalView } from './final-view.ts';
import { type Times, timesOf } from './latency.ts';
import type { Load } from './load.ts';

/** One second of a run. */
export interface Second {
  /** Seconds since the load began. */
  readonly at: number;
  readonly final: number;
  readonly p50: number;
  readonly p99: number;
}

interface Window {
  /** In ms of `performance.now`. */
  readonly begin: number;
  readonly end: number;
}

interface Seen {
  readonly load: Load;
  readonly view: FinalView;
}

/** When each transaction that is final was due, and when its node told of it. */
export function* outcomes({ load, view }: Seen): Generator<{ index: number; due: number; told: number }> {
  for (let index = 0; index < load.transactions.length; index++) {
    const height = load.height[index] ?? 0;
    const told = height === 0 ? undefined : view.toldAt(height, load.node[index] ?? 0);
    if (told !== undefined) yield { index, due: load.dueAt[index] ?? 0, told };
  }
}

/** What a window of a run says of transactions and blocks. */
export function figures({
  load,
  view,
  window,
  operations,
}: Seen & { readonly window: Window; readonly operations: number }): {
  readonly seconds: number;
  readonly transactions: number;
  readonly transactionsPerSecond: number;
  readonly operationsPerSecond: number;
  readonly transactionBytes: number;
  readonly blocks: number;
  readonly latency: Times;
  readonly lateness: Times;
  readonly series: readonly Second[];
} {
  const seconds = (window.end - window.begin) / 1_000;
  const [waits, late]: [number[], number[]] = [[], []];
  const heights = new Set<number>();
  let transactions = 0;
  let bytes = 0;
  for (const { index, due, told } of outcomes({ load, view })) {
    if (told >= window.begin && told < window.end) {
      transactions += 1;
      heights.add(load.height[index] ?? 0);
      bytes += load.transactions[index]?.bytes.length ?? 0;
    }
    // By when they were due: what is due in a stall counts, whenever it ends.
    if (due >= window.begin && due < window.end) {
      waits.push(told - due);
      late.push((load.sentAt[index] ?? due) - due);
    }
  }
  const transactionsPerSecond = transactions / seconds;
  return {
    seconds,
    transactions,
    transactionsPerSecond,
    operationsPerSecond: transactionsPerSecond * operations,
    transactionBytes: transactions === 0 ? 0 : bytes / transactions,
    blocks: heights.size,
    latency: timesOf(waits),
    lateness: timesOf(late),
    series: perSecond({ load, view }),
  };
}

/** The run second by second: what became final in it, and how long it took. */
function perSecond(seen: Seen): Second[] {
  const seconds: (number[] | undefined)[] = [];
  for (const { due, told } of outcomes(seen)) {
    const second = Math.max(0, Math.floor((told - seen.load.beganAt) / 1_000));
    (seconds[second] ??= []).push(told - due);
  }
  return Array.from(seconds, (times, at) => {
    const { count, p50, p99 } = timesOf(times ?? []);
    return { at, final: count, p50, p99 };
  });
}
