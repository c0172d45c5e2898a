import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/**
 * A connection whose bytes reach the HTTP parser only in small pieces, and only when they are asked for. A
 * parser that is given what came reads on to the end of it: more than a thousand requests from one packet's
 * worth of bytes, each at a cost, before anybody can say that it is enough.
 */
export class MeteredSocket extends Duplex {
  readonly #socket: Socket;
  #held: Buffer = Buffer.alloc(0);
  #ended = false;

  /**
   * `onBytes` is called when there is something to `feed`, and when the parser is ready
   * for more after it was not.
   */
  constructor(socket: Socket, onBytes: () => void) {
    super();
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      socket.pause();
      this.#held = bytes;
      onBytes();
    });
    socket.on('end', () => {
      this.#ended = true;
      // At once where nothing is held back: the end of a connection costs no work.
      if (this.#held.length === 0) this.push(null);
      else onBytes();
    });
    socket.on('timeout', () => this.emit('timeout'));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
    this.on('resume', onBytes);
    // Whoever speaks HTTP on it lets it go after CONNECT, and then nobody else would hear that it broke.
    this.on('error', () => undefined);
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get hasBytes(): boolean {
    return this.#held.length > 0;
  }

  /** The parser takes what it is fed: not while it rests, nor once it has let go (CONNECT). */
  get isRead(): boolean {
    return !this.destroyed && this.readableFlowing === true;
  }

  /** Hands the parser at most this many bytes, and says how many. */
  feed(atMost: number): number {
    const piece = this.#held.subarray(0, atMost);
    this.#held = this.#held.subarray(piece.length);
    this.push(piece);
    if (this.#held.length === 0) {
      if (this.#ended) this.push(null);
      else this.#socket.resume();
    }
    return piece.length;
  }

  setTimeout(ms: number, onTimeout?: () => void): this {
    this.#socket.setTimeout(ms);
    if (onTimeout !== undefined) this.once('timeout', onTimeout);
    return this;
  }

  setNoDelay(noDelay?: boolean): this {
    this.#socket.setNoDelay(noDelay);
    return this;
  }

  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    this.#socket.setKeepAlive(enable, initialDelay);
    return this;
  }

  override _read(): void {
    // What is there is fed when the gate says so.
  }

  /** What was written in one go, as the parts of an answer are, leaves in one. */
  override _writev(
    parts: readonly { chunk: Buffer; encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    const last = parts.length - 1;
    this.#socket.cork();
    for (const [index, { chunk, encoding }] of parts.entries()) {
      this.#socket.write(chunk, encoding, index === last ? done : undefined);
    }
    this.#socket.uncork();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#held = Buffer.alloc(0);
    this.#socket.destroy();
    done(error);
  }
}
