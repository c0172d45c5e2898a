import type { IncomingMessage } from 'node:http';

/** How many of each kind a lane has. */
interface Tally {
  queued: number;
  placed: number;
  aside: number;
  asideBytes: number;
}

/** The requests of each client by lane: its reads and what it submits count apart. */
export class RequestLanes {
  readonly #lanes = new Map<string, Tally>();
  #asideBytes = 0;

  of(lane: string): Tally {
    const there = this.#lanes.get(lane) ?? { queued: 0, placed: 0, aside: 0, asideBytes: 0 };
    this.#lanes.set(lane, there);
    return there;
  }

  /** What all requests that are aside keep in memory. */
  get asideBytes(): number {
    return this.#asideBytes;
  }

  stepAside(lane: string, bytes: number): void {
    this.#aside(lane, 1, bytes);
  }

  returnFromAside(lane: string, bytes: number): void {
    this.#aside(lane, -1, -bytes);
  }

  #aside(lane: string, requests: number, bytes: number): void {
    const tally = this.of(lane);
    tally.aside += requests;
    tally.asideBytes += bytes;
    this.#asideBytes += bytes;
  }

  /** Keeps nothing of a lane without requests. */
  forget(lane: string): void {
    const { queued, placed, aside } = this.of(lane);
    if (queued + placed + aside === 0) this.#lanes.delete(lane);
  }
}

/** The lane of a request of this client. */
export function laneOf(request: IncomingMessage, client: string): string {
  return request.method === 'POST' ? client + submitting : client;
}

/** Behind the client's name, of the lane of what it submits. */
const submitting = ' submits';

export function submits(lane: string): boolean {
  return lane.endsWith(submitting);
}

/** How many of these are reads. */
export function readsAmong(requests: Iterable<{ readonly lane: string }>): number {
  let count = 0;
  for (const { lane } of requests) if (!submits(lane)) count += 1;
  return count;
}
