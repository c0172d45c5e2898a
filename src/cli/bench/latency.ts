import { createHistogram } from 'node:perf_hooks';

/** What a histogram of times says, in ms. */
export interface Times {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** For the plot: percentiles that come ever closer to 100, each with its time. */
  readonly curve: readonly (readonly [percentile: number, ms: number])[];
}

/** Three significant digits, from 1 µs to 10 minutes. */
const precision = { lowest: 1, highest: 600_000_000, figures: 3 } as const;
/** Steps of the curve in each half of what is left to 100 per cent, as HdrHistogram prints them. */
const stepsPerHalf = 4;
const halves = 14;

/** Times in ms, in an HdrHistogram: the one that comes with Node. */
export function timesOf(times: readonly number[]): Times {
  const histogram = createHistogram(precision);
  for (const ms of times) histogram.record(Math.max(1, Math.min(precision.highest, Math.round(ms * 1_000))));
  if (times.length === 0) return { count: 0, mean: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0, curve: [] };
  const at = (percentile: number): number => histogram.percentile(percentile) / 1_000;
  const curve: [number, number][] = [];
  for (let half = 0; half < halves; half++) {
    for (let step = 0; step < stepsPerHalf; step++) {
      const percentile = 100 - 100 / 2 ** (half + step / stepsPerHalf);
      if (percentile > 100 - 100 / (2 * times.length)) break;
      if (percentile > 0) curve.push([percentile, at(percentile)]);
    }
  }
  return {
    count: times.length,
    mean: histogram.mean / 1_000,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: histogram.max / 1_000,
    curve: [...curve, [100, histogram.max / 1_000]],
  };
}
