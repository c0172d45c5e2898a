import type { IncomingMessage } from 'node:http';
import { limits } from '../base/limits.ts';

/**
 * The body of a request as it comes. The parser hands over each chunk of a chunked body as a piece of its
 * own, which takes some hundred bytes of memory and a microsecond or two, however small it is: so what one
 * reading brought is joined, and what frames the chunks may be as large as the body, and little more.
 */
export class BodyPieces {
  readonly #push: (piece: Buffer | null) => boolean;
  #pieces: Buffer[] = [];
  #bodyBytes = 0;
  #bytes = 0;

  constructor(request: IncomingMessage) {
    this.#push = request.push.bind(request);
    request.push = (piece: Buffer | null): boolean => {
      if (piece === null) {
        this.join();
        return this.#push(null);
      }
      this.#pieces.push(piece);
      this.#bodyBytes += piece.length;
      return true;
    };
  }

  /** Hands on what came since the last time. False when the reader has enough for now. */
  join(): boolean {
    const pieces = this.#pieces;
    if (pieces.length === 0) return true;
    this.#pieces = [];
    const [first] = pieces;
    return this.#push(pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces));
  }

  /** This many bytes were read from the connection for it. */
  read(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Nearly all bytes that come are framing of chunks, and not the body. */
  get isHollow(): boolean {
    return this.#bytes > 2 * this.#bodyBytes + limits.httpFrameBytes;
  }
}
