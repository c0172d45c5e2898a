import type { Problem } from '../base/problem.ts';
import type { Link } from './link.ts';
import type { NetworkLog } from './log.ts';
import type { Penalties } from './penalties.ts';
import type { PeerTable } from './peer-table.ts';
import { isStranger } from './places.ts';
import type { PeerId } from './port.ts';

/** The weight of a broken framing or size rule: no version of ours does that. */
const faultWeight = 5;

interface DisciplineOptions {
  readonly penalties: Penalties;
  readonly peers: Pick<PeerTable, 'linksOf'>;
  /** All connections, greeted or not. */
  readonly links: ReadonlyMap<string, Link>;
  readonly now: () => number;
  readonly log: NetworkLog;
  readonly drop: (link: Link, cause: Error) => void;
}

/** Counts what peers do wrong, and disconnects those who did too much. */
export class Discipline {
  readonly #options: DisciplineOptions;

  constructor(options: DisciplineOptions) {
    this.#options = options;
  }

  fault(peer: PeerId, problem: Problem): void {
    this.penalise(peer, problem.message, faultWeight);
  }

  /** Strangers answer for their address block as well: keys are free. */
  penalise(peer: PeerId, reason: string, weight = 1): void {
    const { penalties, peers, links, log, now, drop } = this.#options;
    log.debug('peer penalised', { peer, reason });
    const own = peers.linksOf(peer);
    if (penalties.add(peer, now(), weight)) {
      log.warn('peer disconnected: too many penalties', { peer, reason });
      for (const link of own) drop(link, new Error('penalised'));
    }
    const stranger = own.find(isStranger);
    if (stranger === undefined || !penalties.add(stranger.block, now(), weight)) return;
    log.warn('strangers disconnected: too many penalties', { block: stranger.block, reason });
    for (const link of links.values()) {
      if (link.block === stranger.block && isStranger(link)) drop(link, new Error('penalised'));
    }
  }

  ban(peer: PeerId, reason: string, banMs: number): void {
    const { penalties, peers, log, now, drop } = this.#options;
    penalties.ban(peer, now(), banMs);
    const links = peers.linksOf(peer);
    if (links.length > 0) log.warn('peer disconnected', { peer, reason });
    for (const link of links) drop(link, new Error(reason));
  }
}
