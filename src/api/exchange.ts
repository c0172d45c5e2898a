import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BodyPieces } from './body-pieces.ts';
import type { MeteredSocket } from './metered-socket.ts';

export interface Connection {
  readonly socket: MeteredSocket;
  readonly client: string;
  /** It came when all places but the reserved ones were taken. */
  readonly isReserved: boolean;
  current: Exchange | undefined;
  /** Of the request that is being read. */
  body: BodyPieces | undefined;
  /** Pipelined requests behind the current one. */
  waiting: Exchange[];
  /** What comes behind a request that was refused with the end of the connection is not looked at. */
  isEnding: boolean;
  /** A turn to read was asked for. */
  willRead: boolean;
  /** When something was read last. */
  readAt: number;
}

/**
 * A request with its answer. `queued` for a place, `placed`, or `aside`: it waits for
 * something that is not our work.
 */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly connection: Connection;
  readonly isVital: boolean;
  /** Whose it is: a client's reads and what it submits count apart, so that neither shuts out the other. */
  readonly lane: string;
  /** When it got its place. */
  placedAt: number;
  /** What it keeps in memory while it is aside. */
  asideBytes: number;
  status: 'new' | 'queued' | 'placed' | 'aside' | 'done';
}

/** Its body is not here as a whole. */
export function isSending({ request }: Exchange): boolean {
  return !request.complete;
}

/** Its body is not here as a whole, nothing of it waits to be read, and nothing came since then. */
export function isStalled(exchange: Exchange, since: number): boolean {
  const { socket, readAt } = exchange.connection;
  return isSending(exchange) && !socket.hasBytes && readAt <= since;
}

/** It has had its place for long, and keeps it only because its client sends or takes nothing. */
export function isTooSlow(
  exchange: Exchange,
  now: number,
  { slowMs, stalledMs }: { readonly slowMs: number; readonly stalledMs: number },
): boolean {
  const { connection, placedAt, response } = exchange;
  if (isStalled(exchange, now - stalledMs) && placedAt <= now - stalledMs) return true;
  const isWaitedFor = (isSending(exchange) && !connection.socket.hasBytes) || response.writableLength > 0;
  return isWaitedFor && now - placedAt >= slowMs;
}

export function isWhole({ request }: Exchange): boolean {
  return request.complete;
}

/** A connection on which nothing was asked yet. */
export function newConnection(socket: MeteredSocket, client: string, isReserved: boolean): Connection {
  return {
    socket,
    client,
    isReserved,
    current: undefined,
    body: undefined,
    waiting: [],
    isEnding: false,
    willRead: false,
    readAt: 0,
  };
}

const vitalPaths: ReadonlySet<string> = new Set(['/v1/health', '/v1/ready', '/metrics']);

/** What says how the node is, so that it can be looked after when clients want more than it can give. */
export function isVitalPath(url: string | undefined): boolean {
  return vitalPaths.has(url?.split('?', 1)[0] ?? '');
}
