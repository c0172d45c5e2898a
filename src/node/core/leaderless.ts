import { Problem } from '../../base/problem.ts';
import type { Engine } from '../../consensus/engine.ts';
import type { Capabilities } from '../../consensus/protocol.ts';

interface Asked {
  readonly capabilities: Pick<Capabilities, 'leaderTakesAll'>;
  readonly engine: Pick<Engine<never>, 'status'>;
  /** Undefined for an observer, which hears no leader and passes transactions on. */
  readonly validatorIndex: number | undefined;
}

/**
 * Where one member leads there must be one before anything is taken: what a node without a majority takes may
 * wait forever.
 */
export function lacksLeader({ capabilities, engine, validatorIndex }: Asked): boolean {
  return capabilities.leaderTakesAll && validatorIndex !== undefined && engine.status().primary === null;
}

export function noLeader(waitedMs: number): Problem {
  return new Problem('consensus/no-leader', 'no leader is known: nothing was taken', {
    remedy: 'Try again in a second or at another node; ask "why" what it waits for.',
    details: { waitedMs, retryable: true },
  });
}
