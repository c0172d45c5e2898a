import type { Effect } from '../engine.ts';

/**
 * What the parts of a protocol work on, in either engine: the state, and the effects of the step that runs.
 */
export interface Step<M> {
  readonly state: { readonly counters: Record<string, number> };
  out: Effect<M>[];
}

/** Counts something for `status` and the metrics. */
export function count({ state }: Pick<Step<never>, 'state'>, what: string, by = 1): void {
  state.counters[what] = (state.counters[what] ?? 0) + by;
}

/** A line for the node's log. */
export function trace<M>(
  step: Step<M>,
  event: string,
  data: Readonly<Record<string, string | number | boolean>> = {},
): void {
  step.out.push({ type: 'trace', event, data });
}

/** The effects of the step that ends; the next one begins with none. */
export function takeEffects<M>(step: Step<M>): readonly Effect<M>[] {
  const { out } = step;
  step.out = [];
  return out;
}
