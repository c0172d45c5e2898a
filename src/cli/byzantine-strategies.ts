import { InvalidArgumentError } from '@commander-js/extra-typings';
import { type LiarName, liarNames } from '../simulator/plan/plan.ts';

/**
 * A way to lie that one process can play: all that the simulator has but twins, which are
 * two processes with one key.
 */
export type Strategy = Exclude<LiarName, 'twin'>;

export const strategies: readonly Strategy[] = liarNames.filter((name) => name !== 'twin');

export function parseStrategy(text: string): Strategy {
  const found = strategies.find((name) => name === text);
  if (found === undefined) throw new InvalidArgumentError(`Give one of: ${strategies.join(', ')}.`);
  return found;
}

/** `2:equivocate` of `--byzantine`, as often as it is given: a node and how it lies. */
export function collectByzantine(
  text: string,
  earlier: ReadonlyMap<number, Strategy> | undefined,
): ReadonlyMap<number, Strategy> {
  const [, node, name] = /^(\d{1,2}):(.+)$/.exec(text) ?? [];
  if (node === undefined || name === undefined) {
    throw new InvalidArgumentError('Write it like 2:equivocate, with the number of a node.');
  }
  if (earlier?.has(Number(node)) === true) {
    throw new InvalidArgumentError(`Node ${Number(node)} can lie in one way only.`);
  }
  return new Map([...(earlier ?? []), [Number(node), parseStrategy(name)]]);
}
