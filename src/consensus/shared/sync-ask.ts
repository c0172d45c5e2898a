import { type Height, toHeight } from '../../ledger/block.ts';
import type { Effect, MonotonicMs, ValidatorIndex } from '../engine.ts';

/** The last `sync` that was asked for: many messages show the same need, and one effect answers it. */
export interface SyncAsk {
  height: Height;
  at: MonotonicMs;
}

export const neverAsked = (): SyncAsk => ({ height: toHeight(0), at: Number.NEGATIVE_INFINITY });

/** The `sync` effect; null when as much was asked for within the last `everyMs`. */
export function askSync(
  last: SyncAsk,
  {
    height,
    holders,
    now,
    everyMs,
  }: {
    readonly height: Height;
    readonly holders: readonly ValidatorIndex[];
    readonly now: MonotonicMs;
    readonly everyMs: number;
  },
): Extract<Effect<never>, { readonly type: 'sync' }> | null {
  if (height <= last.height && now - last.at < everyMs) return null;
  last.height = height;
  last.at = now;
  return { type: 'sync', height, holders };
}
