import type { IncomingMessage, ServerResponse } from 'node:http';
import { limits } from '../base/limits.ts';
import type { Connection } from './exchange.ts';
import type { LoopShare } from './loop-share.ts';

/** Gives the HTTP parser what connections bring, in small pieces, each in its client's turn. */
export class ConnectionReading {
  readonly #share: LoopShare;
  readonly #drop: (connection: Connection) => void;

  constructor(share: LoopShare, drop: (connection: Connection) => void) {
    this.#share = share;
    this.#drop = drop;
  }

  /** Reading is work for clients as well, and has its turns. */
  later(connection: Connection): void {
    if (connection.willRead || !mayRead(connection)) return;
    connection.willRead = true;
    const read = (): void => {
      connection.willRead = false;
      connection.readAt = performance.now();
      const until = connection.readAt + limits.httpReadMs;
      for (
        let left = limits.httpReadBytes;
        left > 0 && mayRead(connection);
        left -= limits.httpReadPieceBytes
      ) {
        this.#feed(connection);
        if (performance.now() >= until) break;
      }
      this.later(connection);
    };
    this.#share.addFirst(connection.client, read);
  }

  /** Gives the parser a piece; whoever sends hardly anything but the frames of chunks goes. */
  #feed(connection: Connection): void {
    const bytes = connection.socket.feed(limits.httpReadPieceBytes);
    const { body } = connection;
    if (body === undefined) return;
    body.read(bytes);
    if (body.isHollow) this.#drop(connection);
    else if (!body.join()) connection.socket.pause();
  }
}

/** One request at a time is read, with its body as far as somebody takes that. */
function mayRead({ socket, current, waiting, isEnding }: Connection): boolean {
  if (!socket.isRead || !socket.hasBytes || isEnding || waiting.length > 0) return false;
  if (current === undefined) return true;
  return !current.request.complete && current.request.readableLength < limits.httpReadBytes;
}

/**
 * Whether a request is looked at, of which the head was read. What asks for another protocol (RFC 9110,
 * section 7.8) is answered as if it did not, and is the last of its connection: the parser drops what came
 * with it for that protocol, and what follows would begin anywhere.
 */
export function takes(connection: Connection, request: IncomingMessage, response: ServerResponse): boolean {
  const before = connection.waiting.at(-1) ?? connection.current;
  if (connection.isEnding || before?.request.headers.upgrade !== undefined) return false;
  if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
  return true;
}
