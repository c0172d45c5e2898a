import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { MessageStream } from '@libp2p/interface';
import { socketOf, takeUnread } from './libp2p-internals.ts';

/**
 * What TLS reads from and writes to: the socket under a line of libp2p. In between stood the line itself and
 * a stream of Node, which is two more queues, and two more events for each message; neither does anything
 * once TLS speaks. The line still hears how the socket ends, and ends it.
 */
export class LineSocket extends EventEmitter {
  readonly #line: MessageStream;
  readonly #socket: Socket;
  #destroyed = false;
  /** Asked for each piece before anybody hears of it. */
  admits: (piece: Uint8Array) => boolean = () => true;

  /** Nobody else hears what comes on the line from now on. */
  constructor(line: MessageStream) {
    super();
    this.#line = line;
    this.#socket = socketOf(line);
    this.#socket.pause();
    this.#socket.removeAllListeners('data');
    // What came along with the end of what was said before TLS.
    const unread = takeUnread(line);
    if (unread.length > 0) this.#socket.unshift(unread);
    this.#socket.on('data', (piece: Uint8Array) => {
      if (!this.#destroyed && this.admits(piece)) this.emit('data', piece);
    });
    line.addEventListener('close', ({ error }) => this.destroy(error));
  }

  /** For TLS, which asks of a stream no more than what is here. */
  asDuplex(): Duplex {
    return this as unknown as Duplex;
  }

  get readable(): boolean {
    return !this.#destroyed;
  }

  get writable(): boolean {
    return !this.#destroyed;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  write(bytes: Uint8Array, done: (error?: Error | null) => void): boolean {
    return this.#socket.write(bytes, done);
  }

  end(done: (error?: unknown) => void): void {
    void this.#end(done);
  }

  destroy(error?: Error): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    process.nextTick(() => {
      if (error !== undefined) this.emit('error', error);
      this.emit('close');
    });
  }

  async #end(done: (error?: unknown) => void): Promise<void> {
    let problem: unknown;
    try {
      await this.#line.close();
    } catch (error) {
      problem = error;
    }
    done(problem);
  }
}
