import { limits } from '../base/limits.ts';
import type { Link } from './link.ts';

/** What decides about a place. */
export type Placed = Pick<Link, 'member' | 'invited' | 'block'>;

/**
 * Whether there is a place for a connection whose hello was accepted, beside those that are (oldest first):
 * `yes`, `no`, or the one that has to go for it. Members have places by key, whatever their peer id and
 * address, and so have the peers that we dialled ourselves: strangers are the first to go. These share a
 * part, and when that is taken a place goes to where fewer of them come from.
 */
export function placeFor<L extends Placed>(newcomer: Placed, accepted: readonly L[]): 'yes' | 'no' | L {
  const { member, block } = newcomer;
  const isFull = accepted.length >= limits.maxConnections;
  const strangers = accepted.filter(isStranger);
  if (!isStranger(newcomer)) {
    const same = accepted.filter((link) => member !== undefined && link.member === member);
    if (same.length >= limits.linksPerMember) return same[0] ?? 'no';
    return isFull ? (largestBlock(strangers).at(-1) ?? 'no') : 'yes';
  }
  if (strangers.length < limits.strangerConnections && !isFull) return 'yes';
  const most = largestBlock(strangers);
  const own = strangers.filter((link) => link.block === block).length;
  return most.length > own + 1 ? (most.at(-1) ?? 'no') : 'no';
}

export function isStranger({ member, invited }: Pick<Placed, 'member' | 'invited'>): boolean {
  return member === undefined && !invited;
}

/** Those of the address block from which most of them come. */
function largestBlock<L extends Placed>(strangers: readonly L[]): readonly L[] {
  const perBlock = new Map<string, L[]>();
  for (const link of strangers) perBlock.set(link.block, [...(perBlock.get(link.block) ?? []), link]);
  return [...perBlock.values()].reduce((most, links) => (links.length > most.length ? links : most), []);
}
