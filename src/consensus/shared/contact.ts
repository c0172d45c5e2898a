import type { MonotonicMs, ValidatorIndex } from '../engine.ts';

/**
 * When each other validator was last heard in a way that the engine counts. One that never was is not in it.
 */
export type Contact = Map<ValidatorIndex, MonotonicMs>;

export function hear(contact: Contact, from: ValidatorIndex, now: MonotonicMs): void {
  contact.set(from, now);
}

/** It was heard within the last `withinMs`. */
export function isHeard(
  contact: Contact,
  validator: ValidatorIndex,
  { now, withinMs }: { readonly now: MonotonicMs; readonly withinMs: number },
): boolean {
  return now - (contact.get(validator) ?? Number.NEGATIVE_INFINITY) < withinMs;
}

/** For `why`: who of these was not heard for this long, the first four by number; empty when all were. */
export function silenceOf(
  contact: Contact,
  validators: readonly ValidatorIndex[],
  {
    now,
    withinMs,
    what = 'validator',
  }: { readonly now: MonotonicMs; readonly withinMs: number; readonly what?: 'validator' | 'member' },
): string {
  const silent = validators.filter((index) => !isHeard(contact, index, { now, withinMs }));
  if (silent.length === 0) return '';
  const named = silent.slice(0, 4).map((index) => {
    const heardAt = contact.get(index);
    return heardAt === undefined
      ? `${what} ${index} never heard`
      : `${what} ${index} silent for ${Math.round((now - heardAt) / 1_000)} s`;
  });
  const rest = silent.length > named.length ? ` and ${silent.length - named.length} more` : '';
  return `; ${named.join(', ')}${rest}`;
}
