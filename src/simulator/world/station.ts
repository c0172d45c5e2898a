import { limits } from '../../base/limits.ts';
import { othersAreAsked } from '../../base/peer-faults.ts';
import { Problem } from '../../base/problem.ts';
import type { CodeOf } from '../../base/problem-codes.ts';
import type { NetworkHandlers, PeerId, Topic } from '../../network/port.ts';
import type { LinkQueue } from './link-queue.ts';
import type { ProcessLife } from './process-life.ts';
import type { VirtualMs } from './scheduler.ts';

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
  /** Those of them that gossip reaches: some time after they were connected. */
  readonly hearers: Set<number>;
  /** Gossip that it had, with when. */
  readonly seen: Map<string, VirtualMs>;
  /** Whom it passes gossip of others on to. */
  readonly mesh: Map<Topic, Set<number>>;
  /** Members that asked it for all gossip, with when. */
  readonly askedBy: Map<number, VirtualMs>;
  /** Those that did not want to be in its mesh. */
  readonly refusedBy: Set<number>;
  /** What waits for each peer that it is connected to. */
  readonly queues: Map<number, LinkQueue>;
  readonly requests: Set<Request>;
}

export interface Request {
  readonly to: number;
  readonly finish: (result: Uint8Array | Problem) => void;
}

/** A process that has just joined: nobody is connected to it. */
export function newStation(index: number, options: JoinOptions, handlers: NetworkHandlers): Station {
  return {
    index,
    options,
    handlers,
    connected: new Set(),
    hearers: new Set(),
    seen: new Map(),
    mesh: new Map(),
    askedBy: new Map(),
    refusedBy: new Set(),
    queues: new Map(),
    requests: new Set(),
  };
}

/** True when it is news here. What is older than some time, or than so many others, is forgotten. */
export function remember({ seen }: Station, id: string, now: VirtualMs): boolean {
  for (const [oldest, at] of seen) {
    if (now - at < limits.gossipSeenMs && seen.size < limits.gossipRemembered) break;
    seen.delete(oldest);
  }
  if (seen.has(id)) return false;
  seen.set(id, now);
  return true;
}

export function networkProblem(code: CodeOf<'network'>, message: string): Problem {
  return new Problem(code, message, { remedy: othersAreAsked });
}
