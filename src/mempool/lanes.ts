import type { PublicKey } from '../crypto/signature.ts';
import { isBefore } from './fair-order.ts';
import { Heap } from './heap.ts';
import type { Lane } from './lane.ts';

/** The lanes that hold anything, by sender, and in the two orders in which the pool asks for them. */
export class Lanes {
  readonly #bySender = new Map<PublicKey, Lane>();
  /** Lanes that have something for the next block, the best first. */
  readonly ready = new Heap<Lane>(
    (a, b) => isBefore(a.nextWorth, a.nextStamp, b.nextWorth, b.nextStamp),
    (lane, position) => {
      lane.readyPosition = position;
    },
  );
  /** All lanes, the one whose last entry goes first first; only while room is needed. */
  #cheapest: Heap<Lane> | undefined;
  #version = 0;

  /** Changes with every change, so that an order under way notices. */
  get version(): number {
    return this.#version;
  }

  get(sender: PublicKey): Lane | undefined {
    return this.#bySender.get(sender);
  }

  all(): Iterable<Lane> {
    return this.#bySender.values();
  }

  /** The lane whose last entry goes first when room is needed. */
  get cheapest(): Lane | undefined {
    if (this.#cheapest === undefined) {
      this.#cheapest = cheapestFirst();
      for (const lane of this.all()) this.#cheapest.push(lane);
    }
    return this.#cheapest.peek();
  }

  /** For a while nobody will ask for the cheapest: a place among them costs more than all else in a lane. */
  isRoom(): void {
    this.#cheapest = undefined;
  }

  /**
   * To be called after every change of a lane: gives it its place in the heaps, or takes it from the pool.
   */
  place(lane: Lane): void {
    this.#version += 1;
    this.#placeLast(lane);
    this.#placeNext(lane);
  }

  #placeLast(lane: Lane): void {
    const { last } = lane;
    if (last === undefined) {
      // A lane that was emptied long ago may still have marks; the sender may have a new one by now.
      if (!lane.listed) return;
      lane.listed = false;
      this.#bySender.delete(lane.sender);
      this.#cheapest?.removeAt(lane.cheapPosition);
      return;
    }
    const { stamp } = last;
    const worth = lane.lastKeptFor;
    const stays = worth === lane.lastWorth && stamp === lane.lastStamp;
    lane.lastWorth = worth;
    lane.lastStamp = stamp;
    if (!lane.listed) {
      lane.listed = true;
      this.#bySender.set(lane.sender, lane);
      this.#cheapest?.push(lane);
    } else if (!stays) this.#cheapest?.reorder(lane.cheapPosition);
  }

  #placeNext(lane: Lane): void {
    const { next, readyPosition } = lane;
    if (next === undefined) {
      if (readyPosition >= 0) this.ready.removeAt(readyPosition);
      return;
    }
    const { worth, stamp } = next;
    const stays = worth === lane.nextWorth && stamp === lane.nextStamp;
    lane.nextWorth = worth;
    lane.nextStamp = stamp;
    if (readyPosition < 0) this.ready.push(lane);
    else if (!stays) this.ready.reorder(readyPosition);
  }
}

function cheapestFirst(): Heap<Lane> {
  return new Heap<Lane>(
    (a, b) => isBefore(b.lastWorth, b.lastStamp, a.lastWorth, a.lastStamp),
    (lane, position) => {
      lane.cheapPosition = position;
    },
  );
}
