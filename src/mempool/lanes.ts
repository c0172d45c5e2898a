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
  /** All lanes, the one whose last entry goes first when room is needed first. */
  readonly #cheapest = new Heap<Lane>(
    (a, b) => isBefore(b.lastWorth, b.lastStamp, a.lastWorth, a.lastStamp),
    (lane, position) => {
      lane.cheapPosition = position;
    },
  );
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

  get cheapest(): Lane | undefined {
    return this.#cheapest.peek();
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
    const { last, cheapPosition } = lane;
    if (last === undefined) {
      if (cheapPosition >= 0) this.#cheapest.removeAt(cheapPosition);
      // A lane that was emptied long ago may still have marks; the sender may have a new one by now.
      if (this.#bySender.get(lane.sender) === lane) this.#bySender.delete(lane.sender);
      return;
    }
    const { worth, stamp } = last;
    const stays = worth === lane.lastWorth && stamp === lane.lastStamp;
    lane.lastWorth = worth;
    lane.lastStamp = stamp;
    if (cheapPosition < 0) {
      this.#cheapest.push(lane);
      this.#bySender.set(lane.sender, lane);
    } else if (!stays) this.#cheapest.reorder(cheapPosition);
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
