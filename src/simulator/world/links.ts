import { limits } from '../../base/limits.ts';
import type { VirtualMs } from './scheduler.ts';
import { Chance } from './chance.ts';

/**
 * How links behave. One set for the whole network at any moment; single links can be cut or clogged besides.
 */
export interface LinkConditions {
  /** One way, from least to most. */
  readonly delayMs: readonly [VirtualMs, VirtualMs];
  /** Probability that a message never arrives. */
  readonly loss: number;
  /** Probability that it arrives twice. */
  readonly duplication: number;
  /** Probability that it may overtake those sent before it. */
  readonly reordering: number;
}

/** Drops messages of some kinds on some links: what leaves work half finished most often. */
type MessageFilter = (from: number, to: number, kind: string) => boolean;

interface Link {
  /** Cuts that hold it now: overlapping partitions each count. */
  cuts: number;
  /** Bytes per millisecond while clogged; null when it is free. */
  rate: number | null;
  busyUntil: VirtualMs;
  lastArrival: VirtualMs;
  /** Urgent messages keep their order among themselves only. */
  lastUrgentArrival: VirtualMs;
}

/**
 * How far behind a clogged link may be before its sender's queue drops; and how long one message holds it:
 * what is on its way when the link is free again must not keep the others for minutes.
 */
const queueMs = 3_000;

/** Every directed link between the nodes, what it is suffering, and when a message put on it arrives. */
export class Links {
  conditions: LinkConditions;
  /** Filters in force. */
  readonly filters = new Set<MessageFilter>();
  readonly #links: Link[];
  readonly #size: number;
  readonly #chance: Chance;
  readonly count: (fault: string) => void;

  constructor(options: {
    size: number;
    seed: number;
    conditions: LinkConditions;
    count: (fault: string) => void;
  }) {
    this.#size = options.size;
    this.conditions = options.conditions;
    this.count = options.count;
    this.#chance = new Chance(options.seed, 'links');
    this.#links = Array.from({ length: options.size * options.size }, () => ({
      cuts: 0,
      rate: null,
      busyUntil: 0,
      lastArrival: 0,
      lastUrgentArrival: 0,
    }));
  }

  cut(from: number, to: number): void {
    this.#link(from, to).cuts++;
  }

  /** Cuts a node off from all others. */
  isolate(node: number): void {
    for (let other = 0; other < this.#size; other++) {
      if (other === node) continue;
      this.cut(node, other);
      this.cut(other, node);
    }
  }

  /** For nodes that never reach each other directly. */
  cutAllBut(areLinked: (from: number, to: number) => boolean): void {
    for (let from = 0; from < this.#size; from++) {
      for (let to = 0; to < this.#size; to++) if (from !== to && !areLinked(from, to)) this.cut(from, to);
    }
  }

  mend(from: number, to: number): void {
    const link = this.#link(from, to);
    link.cuts = Math.max(0, link.cuts - 1);
  }

  clog(from: number, to: number, bytesPerMs: number | null): void {
    this.#link(from, to).rate = bytesPerMs;
  }

  isCut(from: number, to: number): boolean {
    return this.#link(from, to).cuts > 0;
  }

  /**
   * How much may wait at the sender: for as long as a clogged link is worth waiting for, and
   * otherwise as in a real node.
   */
  queueBytes(from: number, to: number): number {
    const { rate } = this.#link(from, to);
    return rate === null ? limits.peerSendQueueBytes : rate * queueMs;
  }

  /** When the next message can be put on the link. */
  freeAt(from: number, to: number): VirtualMs {
    const link = this.#link(from, to);
    return link.rate === null ? 0 : link.busyUntil;
  }

  /**
   * Moments at which a message sent now arrives: none when it is lost, two when it is duplicated. 'full'
   * when the queue refuses it.
   */
  arrivals(message: {
    from: number;
    to: number;
    size: number;
    kind: string;
    urgent?: boolean | undefined;
    now: VirtualMs;
  }): readonly VirtualMs[] | 'full' {
    const { from, to, now, urgent = false } = message;
    const link = this.#link(from, to);
    const { conditions } = this;
    const chance = this.#chance;
    if (link.cuts > 0) return this.#lost('cut');
    for (const filter of this.filters) if (filter(from, to, message.kind)) return this.#lost('filtered');
    if (chance.happens(conditions.loss)) return this.#lost('loss');
    let leaves = now;
    // What is urgent overtakes what waits for a clogged link, and is too small to hold it up.
    if (link.rate !== null && !urgent) {
      if (link.busyUntil - now > queueMs) {
        this.count('clog-drop');
        return 'full';
      }
      leaves = Math.max(now, link.busyUntil) + Math.min(Math.ceil(message.size / link.rate), queueMs);
      link.busyUntil = leaves;
      this.count('clog');
    }
    const arrivals = [this.#arrival(link, leaves, urgent)];
    if (chance.happens(conditions.duplication)) {
      this.count('duplicate');
      arrivals.push(leaves + chance.between(...conditions.delayMs));
    }
    return arrivals;
  }

  #arrival(link: Link, leaves: VirtualMs, urgent: boolean): VirtualMs {
    const { conditions } = this;
    const chance = this.#chance;
    const natural = leaves + chance.between(...conditions.delayMs);
    if (chance.happens(conditions.reordering)) {
      this.count('reorder');
      return leaves + chance.between(conditions.delayMs[0], conditions.delayMs[1] * 3);
    }
    const lane = urgent ? 'lastUrgentArrival' : 'lastArrival';
    link[lane] = Math.max(link[lane], natural);
    return link[lane];
  }

  #lost(fault: string): readonly VirtualMs[] {
    this.count(fault);
    return [];
  }

  #link(from: number, to: number): Link {
    return this.#links[from * this.#size + to] as Link;
  }
}
