import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { limits } from '../base/limits.ts';
import type { Problem } from '../base/problem.ts';
import { BodyPieces } from './body-pieces.ts';
import { clientName } from './client-name.ts';
import { ConnectionReading, takes } from './connection-reading.ts';
import {
  type Connection,
  type Exchange,
  isSending,
  isStalled,
  isTooSlow,
  isVitalPath,
  isWhole,
  newConnection,
} from './exchange.ts';
import { defaultBounds, type GateBounds } from './gate-bounds.ts';
import { IdleConnections } from './idle-connections.ts';
import { LoopShare } from './loop-share.ts';
import { MeteredSocket } from './metered-socket.ts';
import {
  answerRefused,
  clientGone,
  tooManyConnections,
  tooManyPipelined,
  tooManyRequests,
  tooManyWaiting,
} from './refusals.ts';
import { laneOf, readsAmong, RequestLanes, submits } from './request-lanes.ts';
import { Rotation } from './rotation.ts';

interface RequestGateOptions {
  /** Answers a request that was let in. */
  readonly serve: (request: IncomingMessage, response: ServerResponse) => void;
  readonly onRefused: (request: IncomingMessage, problem: Problem) => void;
  readonly bounds?: Partial<GateBounds> | undefined;
}

/**
 * Lets requests in: of each connection one at a time, of each client and of all a bounded number, and each in
 * a turn of the loop of its own. What is past a bound is answered with 503; what belongs to a closed
 * connection is dropped.
 *
 * Health, readiness and metrics need no place, come first, and have connections reserved for them. When all
 * connections are taken, an idle one gives way. They share our listener, so that probes need no second port
 * to configure and guard.
 */
export class RequestGate {
  /** For reading what came, and for submissions; reads have a smaller one of their own. */
  readonly #share = new LoopShare();
  readonly #readShare = new LoopShare(limits.httpRestPerRead);
  readonly #reading = new ConnectionReading(this.#share, (connection) => this.#drop(connection));
  readonly #serve: RequestGateOptions['serve'];
  readonly #onRefused: RequestGateOptions['onRefused'];
  readonly #bounds: GateBounds;
  readonly #connections = new Map<Duplex, Connection>();
  /** Those without a request. */
  readonly #idle: IdleConnections<Connection>;
  readonly #exchanges = new WeakMap<IncomingMessage, Exchange>();
  readonly #queue = new Rotation<Exchange>();
  readonly #placedNow = new Set<Exchange>();
  readonly #lanes = new RequestLanes();
  /** A look at who is slow is on its way. */
  #watchesSlow = false;
  #queued = 0;

  constructor(options: RequestGateOptions) {
    this.#serve = options.serve;
    this.#onRefused = options.onRefused;
    this.#bounds = { ...defaultBounds, ...options.bounds };
    this.#idle = new IdleConnections({ ...this.#bounds, isUnread: ({ socket }) => socket.hasBytes });
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Requests that have a place or wait for one. */
  get underWay(): number {
    return this.#queued + this.#placedNow.size;
  }

  /** A new connection: what HTTP is to be spoken on, or undefined when there is no place for it. */
  connected(socket: Socket): MeteredSocket | undefined {
    const { connections, reservedConnections } = this.#bounds;
    const isFull = this.#connections.size >= connections;
    const idle = isFull ? this.#idle.firstToGo(performance.now()) : undefined;
    if (idle !== undefined) this.#drop(idle);
    else if (this.#connections.size >= connections + reservedConnections) {
      socket.destroy();
      return undefined;
    }
    const metered = new MeteredSocket(socket, () => this.#reading.later(connection));
    const client = clientName(socket.remoteAddress);
    const connection = newConnection(metered, client, isFull && idle === undefined);
    this.#connections.set(metered, connection);
    this.#idle.came(connection, connection.client, performance.now());
    metered.once('close', () => this.#drop(connection));
    return metered;
  }

  /** A request of which the head was read. */
  enter(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined || !takes(connection, request, response)) return;
    connection.body = new BodyPieces(request);
    const isVital = isVitalPath(request.url);
    const lane = laneOf(request, connection.client);
    const fresh = { placedAt: 0, asideBytes: 0, status: 'new' } as const;
    const exchange: Exchange = { request, response, connection, isVital, lane, ...fresh };
    if (connection.current === undefined) return this.#begin(exchange);
    if (connection.waiting.length < this.#bounds.pipelined) return void connection.waiting.push(exchange);
    this.#refuse(exchange, tooManyPipelined(this.#bounds.pipelined), true);
  }

  /**
   * Resolves in a later turn of the loop, when it is this client's turn: to be awaited between two pieces of
   * work. Rejects when the client is gone.
   */
  turn(request: IncomingMessage): Promise<void> {
    const exchange = this.#exchanges.get(request);
    return new Promise((resolve, reject) => {
      if (exchange === undefined) return resolve();
      const { connection } = exchange;
      const goOn = (): void => (this.#isThere(connection) ? resolve() : reject(clientGone()));
      this.#addPiece(exchange, goOn);
    });
  }

  clientOf(request: IncomingMessage): string {
    return this.#exchanges.get(request)?.connection.client ?? clientName(request.socket.remoteAddress);
  }

  /**
   * From here on the request waits for others (peers, a leader, finality) and gives its place to the next
   * one; this much of it is kept until it ends. Throws a problem when too many of this client wait already,
   * or too much of what they hold: one client has half of that.
   */
  stepAside(request: IncomingMessage, bytes: number): void {
    const exchange = this.#exchanges.get(request);
    if (exchange?.status !== 'placed') return;
    const tally = this.#lanes.of(exchange.lane);
    const { waitingPerClient, asideBytes } = this.#bounds;
    if (tally.aside >= waitingPerClient) throw tooManyWaiting(waitingPerClient);
    if (this.#lanes.asideBytes + bytes > asideBytes || tally.asideBytes + bytes > asideBytes / 2)
      throw tooManyRequests();
    this.#leavePlace(exchange);
    exchange.status = 'aside';
    exchange.asideBytes = bytes;
    this.#lanes.stepAside(exchange.lane, bytes);
    this.#fillPlaces();
  }

  #begin(exchange: Exchange): void {
    const { connection, request, response, isVital } = exchange;
    const { connections, requests, requestsPerClient } = this.#bounds;
    connection.current = exchange;
    this.#idle.asked(connection);
    this.#exchanges.set(request, exchange);
    response.once('close', () => this.#end(exchange));
    if (isVital) return this.#run(exchange);
    if (connection.isReserved && this.#connections.size > connections) {
      return this.#refuse(exchange, tooManyConnections(connections), true);
    }
    const tally = this.#lanes.of(exchange.lane);
    const hasItsMost = tally.queued + tally.placed >= requestsPerClient;
    if (hasItsMost || this.underWay >= requests) {
      const other = this.#whoGivesWay(exchange.lane, hasItsMost);
      if (other === undefined) return this.#refuse(exchange, tooManyRequests(), false);
      this.#leaveQueue(other);
      other.status = 'new';
      this.#refuse(other, tooManyRequests(), isSending(other));
    }
    exchange.status = 'queued';
    tally.queued += 1;
    this.#queued += 1;
    this.#queue.push(exchange.lane, exchange);
    this.#fillPlaces();
  }

  /**
   * Of those that wait for a place: one of the same client whose body is not here; where all room is taken
   * also one that sends nothing, or the last one of whoever has more of it: some clients keep out no others.
   */
  #whoGivesWay(lane: string, hasItsMost: boolean): Exchange | undefined {
    const slower = this.#queue.take((other) => other === lane, isSending);
    if (slower !== undefined || hasItsMost) return slower;
    const before = performance.now() - this.#bounds.stalledMs;
    const stalled = this.#queue.take(undefined, (other) => isStalled(other, before));
    return stalled ?? this.#queue.takeFromLongest(this.#lanes.of(lane).queued + 1);
  }

  #fillPlaces(): void {
    const { places, placesPerClient } = this.#bounds;
    // A read keeps its place for many turns, so some are left for what clients submit.
    const mostReads = Math.ceil((3 * places) / 4);
    while (this.#placedNow.size < places) {
      const readsFit = readsAmong(this.#placedNow) < mostReads;
      const hasPlace = (lane: string): boolean =>
        this.#lanes.of(lane).placed < placesPerClient && (readsFit || submits(lane));
      // Whose body is here already keeps nobody waiting.
      const exchange = this.#queue.take(hasPlace, isWhole) ?? this.#queue.take(hasPlace);
      if (exchange === undefined) break;
      this.#leaveQueue(exchange);
      exchange.status = 'placed';
      exchange.placedAt = performance.now();
      this.#lanes.of(exchange.lane).placed += 1;
      this.#placedNow.add(exchange);
      this.#run(exchange);
    }
    if (this.#queue.isEmpty || this.#watchesSlow) return;
    this.#watchesSlow = true;
    // Behind what came while the loop was busy: that we did not read it is not their fault.
    setTimeout(() => setImmediate(() => this.#dropSlow()), this.#bounds.stalledMs).unref();
  }

  /**
   * Others wait for a place: those go who have had one for long, and keep it only because
   * they send or take nothing.
   */
  #dropSlow(): void {
    this.#watchesSlow = false;
    const now = performance.now();
    for (const exchange of this.#placedNow) {
      if (isTooSlow(exchange, now, this.#bounds)) this.#drop(exchange.connection);
    }
    this.#fillPlaces();
  }

  #run(exchange: Exchange): void {
    const { connection, request, response } = exchange;
    const serve = (): void => {
      if (!this.#isThere(connection)) return;
      this.#serve(request, response);
      // The rest of its body.
      this.#reading.later(connection);
    };
    this.#addPiece(exchange, serve);
  }

  /** Consensus goes before all of them, submissions before reads. */
  #addPiece({ isVital, lane, request }: Exchange, piece: () => void): void {
    if (isVital) this.#share.addFirst(lane, piece);
    else (request.method === 'POST' ? this.#share : this.#readShare).add(lane, piece);
  }

  #end(exchange: Exchange): void {
    const { connection, status } = exchange;
    if (status === 'done') return;
    if (status === 'queued') {
      this.#queue.remove(exchange.lane, exchange);
      this.#leaveQueue(exchange);
    }
    if (status === 'placed') this.#leavePlace(exchange);
    if (status === 'aside') this.#lanes.returnFromAside(exchange.lane, exchange.asideBytes);
    exchange.status = 'done';
    this.#lanes.forget(exchange.lane);
    connection.current = undefined;
    if (this.#isThere(connection)) {
      const next = connection.waiting.shift();
      if (next === undefined) this.#idle.rests(connection, connection.client, performance.now());
      else this.#begin(next);
      this.#reading.later(connection);
    }
    this.#fillPlaces();
  }

  #leaveQueue({ lane }: Exchange): void {
    this.#queued -= 1;
    this.#lanes.of(lane).queued -= 1;
  }

  #leavePlace(exchange: Exchange): void {
    this.#placedNow.delete(exchange);
    this.#lanes.of(exchange.lane).placed -= 1;
  }

  /** Forgets a connection with all its requests, and ends it. */
  #drop(connection: Connection): void {
    const { socket, client, current } = connection;
    if (!this.#connections.delete(socket)) return;
    connection.waiting = [];
    socket.destroy();
    if (current !== undefined) this.#end(current);
    this.#idle.left(connection, client);
  }

  #isThere(connection: Connection): boolean {
    return this.#connections.has(connection.socket) && !connection.socket.destroyed;
  }

  /** Answers without asking anybody, in the order of the connection's requests. */
  #refuse({ request, response, connection }: Exchange, problem: Problem, andClose: boolean): void {
    connection.isEnding ||= andClose;
    this.#onRefused(request, problem);
    answerRefused({ request, response, problem, andClose });
  }
}
