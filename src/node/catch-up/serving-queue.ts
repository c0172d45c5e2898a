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

/** A peer is answered when its turn comes: at once, or a little later when it had much already. */
export class ServingQueue {
  readonly #options: ServingQueueOptions;
  readonly #rate: ServedRate;
  /** Requests of strangers that wait for their turn. */
  #waiting = 0;
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
    const stranger = this.#rate.isStranger(order.peer) ? 1 : 0;
    if (now + wait > order.deadline || this.#waiting + stranger > limits.servedWaiting) {
      this.counters.refused += 1;
      return order.respond(null);
    }
    this.#waiting += stranger;
    // A whole millisecond more, so that rounding never makes it come before its time.
    clock.after(Math.ceil(wait) + 1, () => {
      this.#waiting -= stranger;
      this.#serveInTurn(order);
    });
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
