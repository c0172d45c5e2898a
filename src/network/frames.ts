import { Problem } from '../base/problem.ts';

/** Every frame on a stream of ours: its length in four bytes, big-endian, then its bytes. */
export const frameHeaderBytes = 4;

/** First size of the buffer for a frame that arrives in pieces; it doubles as the bytes really come. */
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
  #partial: Uint8Array | undefined;
  #filled = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Memory that an unfinished frame takes: at most twice what came of it, and a little. */
  get heldBytes(): number {
    return this.#partial?.length ?? 0;
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
      const missing = this.#length - this.#filled;
      const piece = chunk.subarray(at, at + missing);
      at += piece.length;
      if (this.#filled === 0 && piece.length === missing) {
        this.#reset();
        onFrame(piece);
        continue;
      }
      const partial = this.#append(piece);
      if (this.#filled < this.#length) continue;
      const frame = partial.subarray(0, this.#length);
      this.#reset();
      onFrame(frame);
    }
    return undefined;
  }

  #append(piece: Uint8Array): Uint8Array {
    const needed = this.#filled + piece.length;
    let partial = this.#partial;
    if (partial === undefined || partial.length < needed) {
      const size = Math.min(this.#length, Math.max(needed, (partial?.length ?? 0) * 2, firstPartialBytes));
      const larger = new Uint8Array(size);
      if (partial !== undefined) larger.set(partial.subarray(0, this.#filled));
      partial = larger;
    }
    partial.set(piece, this.#filled);
    this.#filled = needed;
    this.#partial = partial;
    return partial;
  }

  #reset(): void {
    this.#headerBytes = 0;
    this.#length = 0;
    this.#partial = undefined;
    this.#filled = 0;
  }
}

export function oversize(length: number, maxBytes: number): Problem {
  return new Problem('network/oversize', `a frame of ${length} bytes is above the limit of ${maxBytes}`, {
    remedy: 'Send smaller frames, or run a version with the same limits.',
    details: { length, maxBytes },
  });
}
