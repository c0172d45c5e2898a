import type { Certificate } from '../../ledger/certificate.ts';
import type { ChainLink } from '../engine.ts';
import type { Status, Vote } from './message.ts';

/**
 * What the handlers of a step found, for `decide` to act on: they say what is new, and what follows from that
 * stands there, each rule once. Empty between steps.
 */
export interface Noted {
  /** Links that are known now, lowest first; `valid`: so that this replica may vote for them. */
  readonly links: { readonly link: ChainLink; readonly valid: boolean }[];
  /** Places with one vote more. */
  readonly places: Pick<Vote, 'view' | 'height'>[];
  /** Commit certificates that somebody showed. */
  readonly certificates: Certificate[];
  /** To be answered with what their senders lack. */
  readonly statuses: Status[];
  /** The view was opened by a NewView. */
  opened: boolean;
  /** Somebody wants to leave this view, or what was said before may count by now. */
  leaving: boolean;
  /** Somebody changes to a view, or it is time to look again who does. */
  changing: boolean;
  /** Time has passed. */
  ticked: boolean;
}

export function nothingNoted(): Noted {
  return {
    links: [],
    places: [],
    certificates: [],
    statuses: [],
    opened: false,
    leaving: false,
    changing: false,
    ticked: false,
  };
}

export function isNothing(noted: Noted): boolean {
  const { links, places, certificates, statuses, opened, leaving, changing, ticked } = noted;
  const count = links.length + places.length + certificates.length + statuses.length;
  return count === 0 && !opened && !leaving && !changing && !ticked;
}
