/** A message that waits to be put on a link. */
interface Waiting {
  readonly bytes: Uint8Array;
  readonly urgent: boolean;
  /** The process that it was sent to. When another one is in its place by then, it goes nowhere. */
  readonly destination?: object | undefined;
}

/**
 * What waits at a sender for one peer: as in a real node the urgent before the others, and the oldest give
 * way when there is no room.
 */
export class LinkQueue {
  readonly #urgent: Waiting[] = [];
  readonly #others: Waiting[] = [];
  #held = 0;
  #gone = 0;
  /** It is looked at later in this moment. */
  deferred = false;
  /** It is looked at when the link is free. */
  waking = false;

  get bytes(): number {
    return this.#held;
  }

  /** Messages that gave way since the connection began. */
  get dropped(): number {
    return this.#gone;
  }

  get isEmpty(): boolean {
    return this.#urgent.length === 0 && this.#others.length === 0;
  }

  /**
   * Takes a message; of the others the oldest go until no more than `maxBytes` wait, or this one
   * alone. Returns how many went.
   */
  push(message: Waiting, maxBytes: number): number {
    const urgent = this.#urgent;
    const others = this.#others;
    (message.urgent ? urgent : others).push(message);
    this.#held += message.bytes.length;
    let went = 0;
    while (this.#held > maxBytes && others.length > 1) {
      this.#held -= others.shift()?.bytes.length ?? 0;
      went += 1;
    }
    this.#gone += went;
    return went;
  }

  /** The next one; with `onlyUrgent` only if it is urgent. */
  shift(onlyUrgent: boolean): Waiting | undefined {
    const next = this.#urgent.shift() ?? (onlyUrgent ? undefined : this.#others.shift());
    this.#held -= next?.bytes.length ?? 0;
    return next;
  }
}
