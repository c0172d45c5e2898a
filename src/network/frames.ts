import { peerAtFault } from '../base/peer-faults.ts';
import { Problem } from '../base/problem.ts';
import { PartialBytes } from './partial-bytes.ts';

/** Every frame on a stream of ours: its length in four bytes, big-endian, then its bytes. */
export const frameHeaderBytes = 4;

/** First size of the buffer for a frame that arrives in pieces. */
const firstPartialBytes = 1_024;

/** All frames in one buffer, so that many small messages cost one write. */
export function joinFrames(frames: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const frame of frames) size += frameHeaderBytes + frame.length;
  const joined = Buffer.allocUnsafe(size);
  let at = 0;
  for (const frame of frames) {
    at = joined.writeUInt32BE(frame.length, at);
    joined.set(frame, at);
    at += frame.length;
  }
  return joined;
}

/** The same bytes as a plain Uint8Array: `slice` of a Buffer does not copy, and readers rely on copies. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array
    ? bytes
    : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Cuts a stream of bytes into frames. The length is judged before anything of it is kept, and memory
 * grows with the bytes received, never with the length promised.
 */
export class FrameReader {
  readonly #maxBytes: number;
  #headerBytes = 0;
  #length = 0;
  readonly #partial = new PartialBytes(firstPartialBytes);

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Memory that an unfinished frame takes: at most twice what came of it, and a little. */
  get heldBytes(): number {
    return this.#partial.heldBytes;
  }

  /**
   * Hands over each complete frame, in order; a frame may alias `received`. Returns a problem, once, when a
   * length is above the maximum: the stream cannot be read on from there.
   */
  read(received: Uint8Array, onFrame: (frame: Uint8Array) => void): Problem | undefined {
    const chunk = plainBytes(received);
    let at = 0;
    while (at < chunk.length) {
      if (this.#headerBytes < frameHeaderBytes) {
        this.#length = this.#length * 256 + (chunk[at] as number);
        this.#headerBytes++;
        at++;
        if (this.#headerBytes < frameHeaderBytes) continue;
        if (this.#length > this.#maxBytes) return oversize(this.#length, this.#maxBytes);
        if (this.#length > 0) continue;
        this.#reset();
        onFrame(chunk.subarray(at, at));
        continue;
      }
      const missing = this.#length - this.#partial.filled;
      const piece = chunk.subarray(at, at + missing);
      at += piece.length;
      if (this.#partial.filled === 0 && piece.length === missing) {
        this.#reset();
        onFrame(piece);
        continue;
      }
      this.#partial.append(piece, this.#length);
      if (this.#partial.filled < this.#length) continue;
      const frame = this.#partial.take();
      this.#reset();
      onFrame(frame);
    }
    return undefined;
  }

  #reset(): void {
    this.#headerBytes = 0;
    this.#length = 0;
  }
}

export function oversize(length: number, maxBytes: number): Problem {
  return new Problem('network/oversize', `a frame of ${length} bytes is above the limit of ${maxBytes}`, {
    remedy: `${peerAtFault} Both need a version with the same limits.`,
    details: { length, maxBytes },
  });
}
