import type { ServerResponse } from 'node:http';
import { limits } from '../base/limits.ts';
import { type Height, toHeight } from '../ledger/block.ts';
import type { Backend, FinalBlock, Pace } from './backend.ts';
import type { HeaderView } from './chain-views.ts';
import { headerViewJson } from './present.ts';
import { apiProblem } from './problem-answer.ts';

export interface EventStreamBounds {
  readonly readers: number;
  readonly readersPerClient: number;
  readonly bufferBytes: number;
  readonly stallMs: number;
  readonly pingMs: number;
}

const defaultBounds: EventStreamBounds = {
  readers: limits.httpEventReaders,
  readersPerClient: limits.httpEventReadersPerClient,
  bufferBytes: limits.httpEventBufferBytes,
  stallMs: limits.httpEventStallMs,
  pingMs: limits.httpEventPingMs,
};

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
};

interface Reader {
  readonly response: ServerResponse;
  readonly client: string;
  /**
   * Awaited before each piece that is read from the store: a long chain is read in as many turns
   * of the loop as it takes.
   */
  readonly pace: Pace;
  /** The height that it gets next. */
  next: number;
  /**
   * `live`: it gets each block as it becomes final. `behind`: it reads the store at its own pace
   * until it is live. One that reads too slowly falls behind, and costs one page of memory; one that
   * reads nothing is dropped.
   */
  mode: 'live' | 'behind';
  /** Characters written that the operating system has not taken yet. */
  waiting: number;
  /** Called when it took some. */
  onTaken: () => void;
}

/**
 * Server-sent events (HTML standard, section 9.2) of final blocks. Every reader gets
 * every height once, in order.
 */
export class EventStream {
  readonly #backend: Backend;
  readonly #bounds: EventStreamBounds;
  readonly #readers = new Set<Reader>();
  #stopListening: (() => void) | undefined;
  #pings: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(backend: Backend, bounds: Partial<EventStreamBounds> = {}) {
    this.#backend = backend;
    this.#bounds = { ...defaultBounds, ...bounds };
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** Throws a problem when there is no place for another reader of this client. */
  admit(client: string): void {
    if (this.#placeFor(client) !== 'no' && !this.#closed) return;
    throw apiProblem('api/too-many-readers', 'the event stream has as many readers as it takes', {
      remedy: 'Read from another node, or try again later.',
      details: { limit: this.#bounds.readers, retryable: true },
    });
  }

  /**
   * Answers a request that wants no events: with the same head, at once, and without a
   * place among the readers.
   */
  answerHead(response: ServerResponse): void {
    response.writeHead(200, headers).end();
  }

  /**
   * To be called once `admit` let it in. Serves a response that nothing was written to, from a height on;
   * without one, from the next block.
   */
  serve(options: {
    readonly response: ServerResponse;
    readonly from: Height | undefined;
    readonly client: string;
    readonly pace: Pace;
  }): void {
    const { response, from, client, pace } = options;
    const place = this.#placeFor(client);
    if (typeof place === 'object') this.#drop(place);
    response.writeHead(200, headers);
    response.write('retry: 2000\n\n');
    const next = this.#backend.status().finalHeight + 1;
    const reader: Reader = {
      response,
      client,
      pace,
      next: from ?? next,
      mode: 'live',
      waiting: 0,
      onTaken: () => undefined,
    };
    this.#readers.add(reader);
    response.on('close', () => this.#leave(reader));
    response.on('error', () => this.#leave(reader));
    this.#stopListening ??= this.#backend.onFinal((block) => this.#announce(block));
    this.#pings ??= setInterval(() => this.#ping(), this.#bounds.pingMs);
    if (reader.next < next) this.#catchUp(reader);
  }

  close(): void {
    this.#closed = true;
    for (const reader of this.#readers) {
      reader.response.end();
      this.#leave(reader);
    }
  }

  /**
   * Places are held for long: when all are taken, the first reader of whoever has the most gives way to a
   * client that has fewer.
   */
  #placeFor(client: string): 'yes' | 'no' | Reader {
    const { readers, readersPerClient } = this.#bounds;
    const byClient = Map.groupBy(this.#readers, (reader) => reader.client);
    const own = byClient.get(client)?.length ?? 0;
    if (own >= readersPerClient) return 'no';
    if (this.#readers.size < readers) return 'yes';
    const most = [...byClient.values()].reduce((a, b) => (b.length > a.length ? b : a), []);
    return most.length > own + 1 ? (most[0] ?? 'no') : 'no';
  }

  #announce({ hash, header, transactionCount }: FinalBlock): void {
    let text: string | undefined;
    for (const reader of this.#readers) {
      if (reader.mode === 'behind' || header.height < reader.next) continue;
      if (header.height > reader.next) {
        this.#catchUp(reader);
        continue;
      }
      text ??= this.#event({ hash, header, transactionCount });
      if (!this.#write(reader, header.height, text)) this.#catchUp(reader);
    }
  }

  #catchUp(reader: Reader): void {
    reader.mode = 'behind';
    this.#readStore(reader).catch(() => this.#drop(reader));
  }

  async #readStore(reader: Reader): Promise<void> {
    while (this.#readers.has(reader)) {
      if (!(await this.#hasRoom(reader))) {
        this.#drop(reader);
        return;
      }
      await reader.pace();
      const seen = this.#backend.status().finalHeight;
      const page =
        reader.next > seen
          ? []
          : await this.#backend.headers(toHeight(reader.next), limits.httpPieceHeaders, reader.pace);
      if (page.length === 0) {
        // Without a wait in between nothing became final since `seen`, so the reader has all of it.
        reader.mode = 'live';
        return;
      }
      for (const view of page) this.#write(reader, view.header.height, this.#event(view));
    }
  }

  /** Whether the reader has room for more, now or within the time for that. */
  async #hasRoom(reader: Reader): Promise<boolean> {
    const fits = (): boolean => reader.waiting <= this.#bounds.bufferBytes;
    if (fits()) return true;
    return new Promise((resolve) => {
      const settle = (room: boolean): void => {
        clearTimeout(timer);
        reader.onTaken = () => undefined;
        reader.response.off('close', onClose);
        resolve(room);
      };
      const onClose = (): void => settle(false);
      const timer = setTimeout(onClose, this.#bounds.stallMs);
      reader.response.on('close', onClose);
      reader.onTaken = () => {
        if (fits()) settle(true);
      };
    });
  }

  #event(view: HeaderView): string {
    const data = JSON.stringify(headerViewJson(this.#backend.identity, view));
    return `event: final\nid: ${view.header.height}\ndata: ${data}\n\n`;
  }

  /** False when the reader has more waiting than it should. */
  #write(reader: Reader, height: number, text: string): boolean {
    reader.next = height + 1;
    reader.waiting += text.length;
    reader.response.write(text, () => {
      reader.waiting -= text.length;
      reader.onTaken();
    });
    return reader.waiting <= this.#bounds.bufferBytes;
  }

  #ping(): void {
    for (const { response, mode, waiting } of this.#readers) {
      if (mode === 'live' && waiting === 0) response.write(': ping\n\n');
    }
  }

  #drop(reader: Reader): void {
    reader.response.destroy();
    this.#leave(reader);
  }

  #leave(reader: Reader): void {
    if (!this.#readers.delete(reader) || this.#readers.size > 0) return;
    this.#stopListening?.();
    this.#stopListening = undefined;
    clearInterval(this.#pings);
    this.#pings = undefined;
  }
}
