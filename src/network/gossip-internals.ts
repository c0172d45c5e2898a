import type { GossipSub } from '@libp2p/gossipsub';
import { invariant } from '../base/invariant.ts';

/** What gossipsub does not offer in public, where the pinned version keeps it. */
interface Insides {
  readonly seenCache?: {
    readonly entries?: Map<string, unknown>;
    put?: (key: string) => boolean;
  };
  acceptFrom?: (peer: string) => boolean;
}

/**
 * Bounds what others can make gossipsub do and keep, whose own bounds do not: it remembers every message for a minute, by its hash, however many
 * there are; and it works on all that a peer sends. Fails loudly when a version keeps these elsewhere.
 *
 * @param most messages that it remembers; the oldest are forgotten first, and would be taken for new.
 * @param accepts false to drop what a peer sent before any of it is looked at.
 */
export function boundGossip(router: GossipSub, most: number, accepts: (peer: string) => boolean): void {
  const insides = router as unknown as Insides;
  const { seenCache: seen, acceptFrom } = insides;
  const { entries, put } = seen ?? {};
  invariant(seen !== undefined && entries instanceof Map && put !== undefined, 'gossipsub keeps what it saw');
  invariant(acceptFrom !== undefined, 'gossipsub asks whether it accepts a peer');
  seen.put = (key) => {
    const known = put.call(seen, key);
    for (const oldest of entries.keys()) {
      if (entries.size <= most) break;
      entries.delete(oldest);
    }
    return known;
  };
  insides.acceptFrom = (peer) => accepts(peer) && acceptFrom.call(router, peer);
}
