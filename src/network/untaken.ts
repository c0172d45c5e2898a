import type { Connection } from '@libp2p/interface';
import { limits } from '../base/limits.ts';

/** What is looked at of a link. */
interface Line {
  readonly connection: Connection;
  /** Undefined for a stranger. */
  readonly member: string | undefined;
}

/**
 * Which links have to go because what was written to them is not taken. Below its streams each connection
 * holds at most `underMuxerBytes`, but who asks for answers, allows them all to be sent and reads nothing
 * can have that of many. So strangers and members have one room each, and whoever holds the most of it goes,
 * until the rest fits.
 */
export function untaken<L extends Line>(
  links: Iterable<L>,
  unsent: (connection: Connection) => number,
  most: { readonly strangers: number; readonly members: number } = limits.untakenBytes,
): readonly L[] {
  const held = [...links].map((link) => ({ link, bytes: unsent(link.connection) }));
  const strangers = held.filter(({ link }) => link.member === undefined);
  const members = held.filter(({ link }) => link.member !== undefined);
  return [...past(strangers, most.strangers), ...past(members, most.members)];
}

function past<L>(held: readonly { readonly link: L; readonly bytes: number }[], most: number): L[] {
  const gone: L[] = [];
  let waiting = held.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { link, bytes } of held.toSorted((a, b) => b.bytes - a.bytes)) {
    if (waiting <= most) break;
    waiting -= bytes;
    gone.push(link);
  }
  return gone;
}
