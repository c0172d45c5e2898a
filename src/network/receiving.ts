import { FairRoom } from '../base/fair-room.ts';
import { limits } from '../base/limits.ts';
import type { Link } from './link.ts';
import { isStranger } from './places.ts';

/** What one stream holds of a message that is not whole yet. */
export interface Meter {
  /** It holds this much now. */
  holds(bytes: number): void;
}

/** Where nobody counts. */
export const unmetered: Meter = { holds: () => {} };

type Holder = Pick<Link, 'member' | 'invited' | 'connection'>;

/**
 * What has come of messages that are not whole yet, on all streams of all connections together: their length
 * is bounded, and not the time that they take. Members and strangers have room apart; in each, when it is
 * full, whoever holds the most is cut off: an honest node holds little, and never for long.
 */
export class Receiving {
  readonly #members: FairRoom<string>;
  readonly #strangers: FairRoom<string>;
  readonly #metersOf = new Map<string, Set<StreamMeter>>();

  /** `cutOff`: all connections of the holder, as `holderOf` names it, have to end. */
  constructor(cutOff: (holder: string) => void) {
    const giveWay = (holder: string): void => {
      for (const meter of this.#metersOf.get(holder) ?? []) meter.end();
      cutOff(holder);
    };
    this.#members = new FairRoom(limits.receivingBytes.members, giveWay);
    this.#strangers = new FairRoom(limits.receivingBytes.strangers, giveWay);
  }

  /** For a new stream of a link. */
  meter(link: Holder): Meter {
    const holder = holderOf(link);
    const room = isStranger(link) ? this.#strangers : this.#members;
    return new StreamMeter((meter, by) => {
      const meters = this.#metersOf.get(holder) ?? new Set();
      if (meter.held > 0) meters.add(meter);
      else meters.delete(meter);
      if (meters.size > 0) this.#metersOf.set(holder, meters);
      else this.#metersOf.delete(holder);
      room.change(holder, by);
    });
  }
}

/** Who answers for what a link holds: a member for all of its connections, a stranger for each. */
export function holderOf({ member, connection }: Holder): string {
  return member ?? connection.id;
}

class StreamMeter implements Meter {
  readonly #onChange: (meter: StreamMeter, by: number) => void;
  held = 0;
  #hasEnded = false;

  constructor(onChange: (meter: StreamMeter, by: number) => void) {
    this.#onChange = onChange;
  }

  holds(bytes: number): void {
    if (this.#hasEnded || bytes === this.held) return;
    const by = bytes - this.held;
    this.held = bytes;
    this.#onChange(this, by);
  }

  end(): void {
    this.holds(0);
    this.#hasEnded = true;
  }
}
