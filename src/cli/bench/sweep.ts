import type { BenchOptions } from './options.ts';
import type { NamedRun } from './page.ts';
import type { Prepared, Surroundings } from './prepare.ts';
import { type Measured, run } from './run.ts';
import { closedRun, openRun } from './session.ts';

/** Shares of what a closed loop reaches, for rates that nobody named. */
const shares = [0.1, 0.25, 0.5, 0.7, 0.8, 0.9, 1, 1.1];
/** A rate is kept up when this much of it becomes final in its time. */
const kept = 0.97;

/** First a closed loop, then open loops at rising rates, until one is not kept up. */
export async function sweep(
  prepared: Prepared,
  options: BenchOptions,
  { warm, ...surroundings }: Surroundings & { readonly warm: number },
): Promise<readonly NamedRun[]> {
  const { measured: most } = await run(prepared, closedRun(options, warm), surroundings);
  const runs: NamedRun[] = [{ name: 'closed loop', measured: most }];
  const rates =
    typeof options.sweep === 'object'
      ? options.sweep.toSorted((a, b) => a - b)
      : shares.map((share) => Math.max(1, Math.round(most.transactionsPerSecond * share)));
  for (const rate of rates) {
    const { measured } = await run(prepared, openRun(options, rate), surroundings);
    const isKept = keepsUp(measured);
    runs.push({ name: isKept ? 'kept up' : 'not kept up', measured });
    if (!isKept) break;
  }
  return runs;
}

/** Whether as much became final as was due. */
export function keepsUp({
  pace,
  transactionsPerSecond,
}: Pick<Measured, 'pace' | 'transactionsPerSecond'>): boolean {
  return pace.kind === 'closed' || transactionsPerSecond >= pace.perSecond * kept;
}

/** The highest rate that was kept up: saturation lies between it and the next. */
export function saturation(runs: readonly NamedRun[]): number | undefined {
  const rates = runs.flatMap(({ measured }) =>
    measured.pace.kind === 'open' && keepsUp(measured) ? [measured.pace.perSecond] : [],
  );
  return rates.length === 0 ? undefined : Math.max(...rates);
}
