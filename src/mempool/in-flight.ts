import type { Height } from '../ledger/block.ts';
import type { Entry, Lane } from './lane.ts';
import type { Lanes } from './lanes.ts';

/** Entries in blocks in flight, by the block's height: each is marked, so that its lane looks behind it. */
export class InFlight {
  readonly #lanes: Lanes;
  readonly #entries = new Map<number, Entry[]>();

  constructor(lanes: Lanes) {
    this.#lanes = lanes;
  }

  /** The entries have no mark: each keeps that of the first block that holds it. */
  mark(height: Height, entries: Entry[]): void {
    const lanes = new Set<Lane>();
    for (const entry of entries) {
      entry.proposedAt = height;
      lanes.add(entry.lane);
    }
    if (entries.length > 0) this.#entries.set(height, entries);
    for (const lane of lanes) {
      lane.countProposed();
      this.#lanes.place(lane);
    }
  }

  unmark(applies: (height: number) => boolean): void {
    const lanes = new Set<Lane>();
    for (const [height, entries] of this.#entries) {
      if (!applies(height)) continue;
      this.#entries.delete(height);
      for (const entry of entries) {
        entry.proposedAt = 0;
        lanes.add(entry.lane);
      }
    }
    for (const lane of lanes) {
      lane.countProposed(0);
      this.#lanes.place(lane);
    }
  }
}
