import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../../base/problem.ts';

/** Waits; at most until the user stops the program, which is thrown as a problem. */
export async function pause(ms: number, stop: AbortSignal): Promise<void> {
  if (!stop.aborted) await sleep(ms, undefined, { signal: stop }).catch(() => {});
  throwIfStopped(stop);
}

function throwIfStopped(stop: AbortSignal): void {
  if (!stop.aborted) return;
  throw new Problem('cli/interrupted', 'the benchmark was stopped before its end', {
    remedy: 'Run it again. What it started has ended, and its data is removed.',
  });
}

/** Asks until the answer is undefined; an answer says what is missing, for the problem past the deadline. */
export async function waitUntil(options: {
  readonly what: string;
  readonly deadlineMs: number;
  readonly stop: AbortSignal;
  readonly missing: () => Promise<string | undefined>;
}): Promise<void> {
  const until = performance.now() + options.deadlineMs;
  for (;;) {
    const reason = await options.missing();
    if (reason === undefined) return;
    if (performance.now() > until) throw stalled(options.what, options.deadlineMs, reason);
    await pause(pollMs, options.stop);
  }
}

const pollMs = 50;

export function stalled(what: string, deadlineMs: number, reason: string): Problem {
  return new Problem('cli/bench-stalled', `${what} for ${Math.round(deadlineMs / 1000)} s: ${reason}`, {
    remedy: 'Ask a node what it waits for ("quorate why"), and look at the logs, which --keep keeps.',
    details: { deadlineMs },
  });
}
