import { FairRoom } from '../../base/fair-room.ts';
import { limits } from '../../base/limits.ts';
import type { MonotonicMs } from '../../consensus/engine.ts';
import type { PeerId, RequestProtocol } from '../../network/port.ts';
import type { Clock } from '../process/clock.ts';
import { ServedRate } from './served-rate.ts';
import type { Serving } from './serving.ts';
import type { Standing } from '../peers/standing.ts';

interface ServingQueueOptions {
  readonly serving: Pick<Serving, 'serve'>;
  readonly standingOf: (peer: PeerId) => Standing;
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>;
}

interface Order {
  readonly peer: PeerId;
  readonly protocol: RequestProtocol;
  readonly request: Uint8Array;
  readonly respond: (response: Uint8Array | null) => void;
  /** It is refused when its turn has not come by then. */
  readonly deadline: MonotonicMs;
}

/** A place of a stranger's request that waits. */
interface Waiting {
  readonly refuse: () => void;
}

/** A peer is answered when its turn comes: at once, or a little later when it had much already. */
export class ServingQueue {
  readonly #options: ServingQueueOptions;
  readonly #rate: ServedRate;
  /**
   * Requests of strangers that wait for their turn, by address block. When all places are taken the last one
   * of the block that has most is refused.
   */
  readonly #waitingOf = new Map<string, Set<Waiting>>();
  readonly #room = new FairRoom<string>(limits.servedWaiting, (block) => {
    [...(this.#waitingOf.get(block) ?? [])].at(-1)?.refuse();
  });
  readonly counters = { served: 0, refused: 0 };

  constructor(options: ServingQueueOptions) {
    this.#options = options;
    this.#rate = new ServedRate(options.standingOf, options.clock.monotonicMs());
  }

  /** Null when there is no answer, or when its turn is too far off. */
  answer(
    peer: PeerId,
    protocol: RequestProtocol,
    request: Uint8Array,
    respond: (response: Uint8Array | null) => void,
  ): void {
    const deadline = this.#options.clock.monotonicMs() + limits.servedWaitMs;
    this.#serveInTurn({ peer, protocol, request, respond, deadline });
  }

  /** Looks again when its time has come: others of the same peer may have been first. */
  #serveInTurn(order: Order): void {
    const { clock } = this.#options;
    const now = clock.monotonicMs();
    const wait = this.#rate.waitFor(order.peer, now);
    if (wait === 0) return order.respond(this.#serve(order));
    if (now + wait > order.deadline) return this.#refuse(order);
    const standing = this.#options.standingOf(order.peer);
    const leave = standing.type === 'stranger' ? this.#wait(standing.block, order) : () => true;
    // A whole millisecond more, so that rounding never makes it come before its time.
    clock.after(Math.ceil(wait) + 1, () => {
      if (leave()) this.#serveInTurn(order);
    });
  }

  #refuse(order: Order): void {
    this.counters.refused += 1;
    order.respond(null);
  }

  /** Takes a place among those who wait. What it gives leaves it: false when it was refused meanwhile. */
  #wait(block: string, order: Order): () => boolean {
    const waiting = this.#waitingOf.get(block) ?? new Set();
    this.#waitingOf.set(block, waiting);
    const leave = (): boolean => {
      if (!waiting.delete(place)) return false;
      if (waiting.size === 0) this.#waitingOf.delete(block);
      this.#room.change(block, -1);
      return true;
    };
    const place: Waiting = {
      refuse: () => {
        if (leave()) this.#refuse(order);
      },
    };
    waiting.add(place);
    this.#room.change(block, 1);
    return leave;
  }

  #serve({ peer, protocol, request }: Order): Uint8Array | null {
    const { serving, clock } = this.#options;
    const start = clock.monotonicMs();
    const response = serving.serve(protocol, request);
    const now = clock.monotonicMs();
    const bytes = request.length + (response?.length ?? 0) + limits.servedRequestBytes;
    this.#rate.served(peer, { bytes, busyMs: Math.min(now - start, limits.pieceCountedMs) }, now);
    this.counters.served += 1;
    return response;
  }
}
