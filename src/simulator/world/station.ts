import { othersAreAsked } from '../../base/peer-faults.ts';
import { Problem } from '../../base/problem.ts';
import type { CodeOf } from '../../base/problem-codes.ts';
import type { NetworkHandlers, PeerId } from '../../network/port.ts';
import type { LinkQueue } from './link-queue.ts';
import type { ProcessLife } from './process-life.ts';

export const peerName = (index: number): PeerId => `node-${index}`;
export const peerIndex = (peer: PeerId): number => Number(peer.slice('node-'.length));

export interface JoinOptions {
  readonly life: ProcessLife;
  readonly hello: () => Uint8Array;
  readonly onPenalise?: (peer: PeerId, reason: string) => void;
}

/** A node's process on the network, from its start to its end. */
export interface Station {
  readonly index: number;
  readonly options: JoinOptions;
  readonly handlers: NetworkHandlers;
  readonly connected: Set<number>;
  readonly seen: Set<string>;
  /** What waits for each peer that it is connected to. */
  readonly queues: Map<number, LinkQueue>;
  readonly requests: Set<Request>;
}

export interface Request {
  readonly to: number;
  readonly finish: (result: Uint8Array | Problem) => void;
}

/** Gossip that was seen is forgotten past this many, as in a real node. */
const seenMessages = 20_000;

/** True when it is news here. */
export function remember(station: Station, id: string): boolean {
  if (station.seen.has(id)) return false;
  station.seen.add(id);
  if (station.seen.size > seenMessages) {
    for (const oldest of station.seen) {
      station.seen.delete(oldest);
      break;
    }
  }
  return true;
}

export function networkProblem(code: CodeOf<'network'>, message: string): Problem {
  return new Problem(code, message, { remedy: othersAreAsked });
}
