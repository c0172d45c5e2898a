import { Problem } from '../base/problem.ts';

/**
 * The problem of what is no time in milliseconds from `least` on; undefined for one, and for none.
 * Infinity has no end.
 */
export function wrongTime(name: string, ms: number | undefined, least = -Infinity): Problem | undefined {
  if (ms === undefined || (typeof ms === 'number' && ms >= least)) return undefined;
  return new Problem('api/option', `${name} is ${ms}, which is no time`, {
    remedy: `Give ${name} as a number of milliseconds. Nothing was sent.`,
    details: { option: name, sent: false },
  });
}

/** The problem of what is no number of things from 1 on; undefined for one, and for none. */
export function wrongCount(name: string, count: number | undefined): Problem | undefined {
  if (count === undefined || (Number.isInteger(count) && count >= 1)) return undefined;
  return new Problem('api/option', `${name} is ${count}, and nothing could be under way`, {
    remedy: `Give ${name} as a whole number from 1 on.`,
    details: { option: name },
  });
}
