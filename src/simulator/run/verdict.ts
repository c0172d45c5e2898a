import type { Guarantee } from '../checkers/breach.ts';
import type { Plan } from '../plan/plan.ts';
import type { VirtualMs } from '../world/scheduler.ts';
import type { Counts } from '../world/counters.ts';

/** What came of a run. `stuck` is a promise of progress that was not kept, `unsafe` any other. */
export type Outcome = 'pass' | 'unsafe' | 'stuck';

export interface Verdict {
  readonly outcome: Outcome;
  readonly seed: number;
  /** Names the run to the byte. */
  readonly trace: string;
  /** The guarantee that broke, and how; null after a pass. */
  readonly breach: { readonly guarantee: Guarantee; readonly message: string; readonly at: VirtualMs } | null;
  readonly counts: Counts;
}

export const exitCodes: Readonly<Record<Outcome, number>> = { pass: 0, unsafe: 10, stuck: 11 };

/** The command that makes the same run again. */
export function replayCommand(
  { seed, engine, signatures }: Pick<Plan, 'seed' | 'engine' | 'signatures'>,
  drawn: boolean,
): string {
  const other = engine === 'pbft' ? '' : ` --engine ${engine}`;
  const real = signatures === 'fast' ? '' : ' --real-signatures';
  return drawn
    ? `quorate simulate --seed ${seed}${other}${real} --trace`
    : 'quorate simulate --plan FILE --trace';
}

/** Where a drawn run opens in the playground of any node; nowhere, if its signatures are real. */
export function playAddress(plan: Pick<Plan, 'seed' | 'engine' | 'signatures'>): string | undefined {
  const { seed, engine, signatures } = plan;
  return signatures === 'fast' ? `#/play/plan=drawn&engine=${engine}&seed=${seed}` : undefined;
}

export function describeVerdict(verdict: Verdict): string {
  if (verdict.breach === null) return `seed ${verdict.seed}: pass`;
  const { guarantee, message, at } = verdict.breach;
  return `seed ${verdict.seed}: ${verdict.outcome} (${guarantee}) at ${at} ms: ${message}`;
}
