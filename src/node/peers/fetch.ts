import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import type { Network, PeerId, RequestProtocol } from '../../network/port.ts';
import type { Cancel, Clock } from '../process/clock.ts';

interface FetchPorts {
  readonly network: Pick<Network, 'request'>;
  readonly clock: Clock;
}

interface FetchOrder {
  readonly protocol: RequestProtocol;
  readonly request: Uint8Array;
  /** Who is asked, in this order, each once. */
  readonly peers: readonly PeerId[];
  /** Judges one answer. True ends the fetch. */
  readonly accept: (response: Uint8Array, peer: PeerId) => boolean;
  /** Called once, later or (without peers) at once: whether an answer was accepted. */
  readonly done: (found: boolean) => void;
}

/**
 * Asks one peer after the other until an answer is accepted. A peer that refuses is followed by the next at
 * once, and one that is slow gets company after `fetchHedgeMs`. Ends in any case after `fetchDeadlineMs`.
 */
export function fetchFrom(ports: FetchPorts, order: FetchOrder): Cancel {
  const waiting = [...order.peers];
  let asked = 0;
  let ended = false;
  let cancelHedge: Cancel = () => {};

  const end = (found: boolean | undefined): void => {
    if (ended) return;
    ended = true;
    cancelHedge();
    cancelDeadline();
    if (found !== undefined) order.done(found);
  };
  const askNext = (): void => {
    cancelHedge();
    const peer = waiting.shift();
    if (peer === undefined) {
      if (asked === 0) end(false);
      return;
    }
    asked += 1;
    ports.network.request(peer, order.protocol, order.request, (response) => {
      asked -= 1;
      if (ended) return;
      if (!(response instanceof Problem) && order.accept(response, peer)) end(true);
      else askNext();
    });
    hedge();
  };
  const hedge = (): void => {
    if (ended || waiting.length === 0) return;
    cancelHedge = ports.clock.after(limits.fetchHedgeMs, () => {
      if (asked < limits.fetchParallel) askNext();
      else hedge();
    });
  };
  const cancelDeadline = ports.clock.after(limits.fetchDeadlineMs, () => end(false));

  askNext();
  return () => end(undefined);
}
