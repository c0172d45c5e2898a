import type { PublicKey } from '../crypto/signature.ts';
import { entryBefore } from './fair-order.ts';
import { Heap } from './heap.ts';
import type { Entry, Lane } from './lane.ts';

/** The lanes that hold anything, by sender, and in the two orders in which the pool asks for them. */
export class Lanes {
  readonly #bySender = new Map<PublicKey, Lane>();
  /** Lanes that have something for the next block, the best first. */
  readonly ready = new Heap<Lane>(
    (a, b) => entryBefore(a.next as Entry, b.next as Entry),
    (lane, position) => {
      lane.readyPosition = position;
    },
  );
  /** All lanes, the one whose last entry goes first when room is needed first. */
  readonly #cheapest = new Heap<Lane>(
    (a, b) => entryBefore(b.last as Entry, a.last as Entry),
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
    if (lane.entries.length === 0) {
      if (lane.cheapPosition >= 0) this.#cheapest.removeAt(lane.cheapPosition);
      // A lane that was emptied long ago may still have marks; the sender may have a new one by now.
      if (this.#bySender.get(lane.sender) === lane) this.#bySender.delete(lane.sender);
    } else {
      if (lane.cheapPosition >= 0) this.#cheapest.reorder(lane.cheapPosition);
      else this.#cheapest.push(lane);
      this.#bySender.set(lane.sender, lane);
    }
    if (lane.next === undefined) {
      if (lane.readyPosition >= 0) this.ready.removeAt(lane.readyPosition);
    } else if (lane.readyPosition >= 0) this.ready.reorder(lane.readyPosition);
    else this.ready.push(lane);
  }
}
