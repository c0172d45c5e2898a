import type { Condition } from './condition.ts';

/**
 * The newest version of the rules that this program knows; it knows all before it too. What a version brought
 * is said in `../versions.md`.
 */
export const newestProtocolVersion = 2;

/** The oldest of them. */
export const oldestProtocolVersion = 1;

/** The first version of the rules under which such a transaction may stand in a block. */
export function protocolVersionFor({ conditions }: { readonly conditions: readonly Condition[] }): number {
  return conditions.some(({ type }) => type === 'time-at-most') ? 2 : 1;
}
