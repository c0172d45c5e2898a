import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import type { Network, PeerId, RequestProtocol } from '../../network/port.ts';
import type { Cancel, Clock } from '../process/clock.ts';
import { AskingTurns } from './asking-turns.ts';

interface FetchPorts {
  readonly network: Pick<Network, 'request'>;
  readonly clock: Clock;
}

interface FetchOrder {
  readonly protocol: RequestProtocol;
  readonly request: Uint8Array;
  /** Who can be asked now, the best first. */
  readonly peers: () => readonly PeerId[];
  /** Judges one answer; `before` were asked earlier. True ends the fetch. */
  readonly accept: (response: Uint8Array, peer: PeerId, before: readonly PeerId[]) => boolean;
  /** Called once, later or (without peers) at once: whether an answer was accepted. */
  readonly done: (found: boolean) => void;
}

/**
 * Asks one peer after the other until an answer is accepted. A peer that refuses is followed by the next at
 * once, and one that is slow gets company after `fetchHedgeMs`. Ends when nobody else is to be asked and all
 * have answered, and in any case after `fetchDeadlineMs`.
 */
export function fetchFrom(ports: FetchPorts, order: FetchOrder): Cancel {
  const { clock, network } = ports;
  const turns = new AskingTurns(order.peers(), order.peers);
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
    const peer = turns.next();
    if (peer !== undefined) ask(peer);
    else if (!turns.awaited) end(false);
  };
  const ask = (peer: PeerId): void => {
    turns.asks(peer, clock.monotonicMs());
    network.request(peer, order.protocol, order.request, (response) => {
      turns.answered(peer);
      if (ended) return;
      const asked = [...turns.asked.keys()];
      const before = asked.slice(0, asked.indexOf(peer));
      if (!(response instanceof Problem) && order.accept(response, peer, before)) end(true);
      else askNext();
    });
    hedge();
  };
  const hedge = (): void => {
    cancelHedge();
    if (ended) return;
    cancelHedge = clock.after(limits.fetchHedgeMs, () => {
      const company = turns.company();
      if (company === undefined) hedge();
      else ask(company);
    });
  };
  const cancelDeadline = clock.after(limits.fetchDeadlineMs, () => end(false));

  askNext();
  return () => end(undefined);
}
