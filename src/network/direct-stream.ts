import { limits } from '../base/limits.ts';
import type { Connection, Stream } from '@libp2p/interface';
import type { SendQueue } from './send-queue.ts';

/**
 * Bytes handed to the stream at once: one write, few TLS records, and little to lose when the stream breaks.
 */
const batchBytes = 256 * 1024;
/** A broken stream on a good connection is opened again after this long. */
const reopenMs = 200;
/** A frame without content. It shows that the link works, and carries nothing. */
const heartbeatFrame = new Uint8Array(4);

/**
 * The sending half of a link: one long-lived stream that empties the peer's queue. Everything sent
 * in one turn of the event loop leaves in one write, and nothing is handed over while the stream
 * still holds earlier bytes.
 */
export class DirectWriter {
  readonly #connection: Connection;
  readonly #protocol: string;
  readonly #onGiveUp: (cause: Error) => void;
  readonly #opening = new AbortController();
  #queue: SendQueue | undefined;
  #stream: Stream | undefined;
  #breaks = 0;
  #openedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #scheduled = false;
  #wroteSinceBeat = false;
  #closed = false;

  constructor(options: {
    connection: Connection;
    protocol: string;
    /** The stream cannot be kept open. */
    onGiveUp: (cause: Error) => void;
  }) {
    this.#connection = options.connection;
    this.#protocol = options.protocol;
    this.#onGiveUp = options.onGiveUp;
    void this.#open();
  }

  /** Bytes handed to the stream that it has not passed on. */
  get bufferedBytes(): number {
    return this.#stream?.writeBufferLength ?? 0;
  }

  /** From now on this link sends what is in the queue. */
  attach(queue: SendQueue): void {
    this.#queue = queue;
    this.wake();
  }

  /** Something was queued: it leaves at the end of this turn, together with all that is queued until then. */
  wake(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  /** Called at every heartbeat interval. */
  beat(): void {
    const stream = this.#stream;
    if (stream !== undefined && !this.#wroteSinceBeat && isIdle(stream)) this.#write(stream, heartbeatFrame);
    this.#wroteSinceBeat = false;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#opening.abort();
    this.#stream?.abort(new Error('link closed'));
    this.#stream = undefined;
  }

  async #open(): Promise<void> {
    try {
      const stream = await this.#connection.newStream(this.#protocol, {
        signal: AbortSignal.any([this.#opening.signal, AbortSignal.timeout(limits.streamOpenTimeoutMs)]),
      });
      if (this.#closed) {
        stream.abort(new Error('link closed'));
        return;
      }
      this.#stream = stream;
      this.#openedAt = performance.now();
      stream.addEventListener('drain', () => this.wake());
      stream.addEventListener('idle', () => this.wake());
      stream.addEventListener('close', () => this.#broken(stream, new Error('the direct stream closed')));
      // It may have been reset while the protocol was agreed on; then no event tells.
      if (stream.status !== 'open') this.#broken(stream, new Error('the direct stream was reset'));
      this.wake();
    } catch (cause) {
      this.#broken(undefined, cause instanceof Error ? cause : new Error('the direct stream did not open'));
    }
  }

  #broken(stream: Stream | undefined, cause: Error): void {
    if (this.#closed || this.#stream !== stream) return;
    if (stream !== undefined && performance.now() - this.#openedAt > limits.streamCalmMs) this.#breaks = 0;
    this.#stream = undefined;
    this.#breaks++;
    if (this.#breaks > limits.streamReopens || this.#connection.status !== 'open') {
      this.#onGiveUp(cause);
      return;
    }
    this.#timer = setTimeout(() => void this.#open(), reopenMs);
  }

  #pump(): void {
    let goesOn = true;
    while (goesOn && this.#stream !== undefined && isIdle(this.#stream)) {
      const batch = this.#queue?.takeBatch(batchBytes);
      goesOn = batch !== undefined && this.#write(this.#stream, batch);
    }
  }

  /** False when the stream wants no more for now. */
  #write(stream: Stream, bytes: Uint8Array): boolean {
    this.#wroteSinceBeat = true;
    try {
      return stream.send(bytes);
    } catch (cause) {
      stream.abort(cause instanceof Error ? cause : new Error('send failed'));
      return false;
    }
  }
}

/**
 * The stream holds nothing. While its connection is full, a batch is handed over all the same, and is then
 * among the first to go: whoever waits for a free connection instead never sees one, because answers and
 * gossip on other streams fill it again at each drain.
 */
function isIdle(stream: Stream): boolean {
  return stream.status === 'open' && stream.writeBufferLength === 0;
}
