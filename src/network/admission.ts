import { limits } from '../base/limits.ts';
import type { Greeting } from './handshake.ts';
import type { Link } from './link.ts';
import type { PeerTable } from './peer-table.ts';
import { placeFor } from './places.ts';

interface AdmissionOptions {
  readonly peers: Pick<PeerTable, 'linksOf'>;
  /** All connections, greeted or not. */
  readonly links: ReadonlyMap<string, Link>;
  readonly handshakeMs: number;
  readonly lotOf: (block: string) => number;
  readonly now: number;
  readonly drop: (link: Link, cause: Error) => void;
}

/**
 * Whether a link whose hellos are good may stay. What has to go for it is dropped, and so is the link itself
 * when it may not.
 */
export function isAdmitted(link: Link, greeting: Greeting, at: AdmissionOptions): boolean {
  const { peers, links, drop } = at;
  for (const old of peers.linksOf(link.peer)) {
    if (isStale(old, greeting, at)) drop(old, new Error('replaced by a new connection'));
  }
  if (peers.linksOf(link.peer).length >= limits.linksPerPeer) {
    drop(link, new Error('too many connections of one peer'));
    return false;
  }
  const accepted = [...links.values()].filter(({ status }) => status === 'accepted');
  const place = placeFor(link, accepted, at.lotOf);
  if (place === 'no') {
    drop(link, new Error('no place for another stranger'));
    return false;
  }
  if (place !== 'yes') drop(place, new Error('gave way to another connection'));
  return true;
}

/** A restarted peer, or one that has long lost the old connection and says so, leaves a dead link behind. */
function isStale(old: Link, greeting: Greeting, { now, handshakeMs }: AdmissionOptions): boolean {
  if (old.session !== greeting.session) return true;
  return greeting.links === 0 && now - old.acceptedAt > handshakeMs * 2;
}
