import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a test waits for what must come: longer than any machine needs, and nothing when all is well. */
const patienceMs = 180_000;
/** Often at first, for what comes at once. */
const firstPauseMs = 2;
const lastPauseMs = 50;

/**
 * Asks again until the answer is there, which is anything but undefined and false; fails in the end, and says
 * what it waited for.
 */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
): Promise<Exclude<T, undefined | false>> {
  const until = performance.now() + patienceMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(lastPauseMs, 1.2 * pauseMs)) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    assert.ok(performance.now() < until, `in vain after ${patienceMs} ms: ${what}`);
    await sleep(pauseMs);
  }
}
