import { hash, randomBytes } from 'node:crypto';
import { limits } from '../base/limits.ts';
import type { Link } from './link.ts';

/** What decides about a place. */
export type Placed = Pick<Link, 'member' | 'invited' | 'block'>;

/**
 * Whether there is a place for a connection whose hello was accepted, beside those that are (oldest first):
 * `yes`, `no`, or the one that has to go for it. Members have places by key, whatever their peer id and
 * address, and so have the peers that we dialled ourselves: strangers are the first to go. These share a
 * part, and when that is taken a place goes to where fewer of them come from. Where nobody has more than the
 * newcomer would have, those who are there longest stay, and among the others lots decide: so it takes many
 * times as many address blocks as there are places to keep a newcomer out, and whoever is here has it again
 * and again only as often as its lot is good.
 */
export function placeFor<L extends Placed>(
  newcomer: Placed,
  accepted: readonly L[],
  lotOf: (block: string) => number,
): 'yes' | 'no' | L {
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
  if (most.length > own + 1) return most.at(-1) ?? 'no';
  if (own > 0) return 'no';
  const least = strangers
    .slice(limits.strangersStay)
    .reduce<L | undefined>(
      (worst, link) => (worst === undefined || lotOf(link.block) < lotOf(worst.block) ? link : worst),
      undefined,
    );
  return least !== undefined && lotOf(least.block) < lotOf(block) ? least : 'no';
}

/**
 * Lots of address blocks, which nobody else can know: each keeps its own for `lotMs`. So places change hands
 * seldom, and who lost one cannot have it back by calling again.
 */
export class Lots {
  readonly #secret: Uint8Array;
  readonly #now: () => number;

  /** `now` gives milliseconds of a monotonic clock. `secret`: one of its own for each process. */
  constructor(now: () => number, secret: Uint8Array = randomBytes(32)) {
    this.#now = now;
    this.#secret = secret;
  }

  /** A number in [0, 2^48). */
  of(block: string): number {
    const period = Math.floor(this.#now() / limits.lotMs);
    const digest = hash('sha256', Buffer.concat([this.#secret, Buffer.from(`${period} ${block}`)]), 'buffer');
    return digest.readUIntBE(0, 6);
  }
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
