import { peerAtFault } from '../base/peer-faults.ts';
import { Problem } from '../base/problem.ts';
import { plainBytes } from './frames.ts';

/** What a yamux header says; its specification numbers the kinds and flags. */
export interface MuxerHeader {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  /** Of a data frame: the bytes that follow. Of the others: a number with a meaning of its own. */
  readonly length: number;
}

export const muxerFrame = { data: 0, windowUpdate: 1, ping: 2, goAway: 3, syn: 1, rst: 8 } as const;
const headerBytes = 12;
/** First size of the buffer for a frame that comes in pieces; it doubles as the bytes really come. */
const firstHeldBytes = 256;

/**
 * Stands in front of the muxer: looks at each header as soon as it is there, and hands frames on when they
 * are whole. So a frame is refused before anything of it is kept, and one that comes byte by byte takes the
 * memory that it says, and no more.
 */
export class FrameGuard {
  readonly #onHeader: (header: MuxerHeader) => Problem | undefined;
  readonly #onFrames: (frames: Uint8Array) => void;
  #held = new Uint8Array(firstHeldBytes);
  #filled = 0;
  /** Of the frame that is held, with its header; unknown until that is whole. */
  #size = 0;

  constructor(options: {
    /** A problem refuses the frame, and nothing is read any more. */
    readonly onHeader: (header: MuxerHeader) => Problem | undefined;
    /** One or more whole frames. */
    readonly onFrames: (frames: Uint8Array) => void;
  }) {
    this.#onHeader = options.onHeader;
    this.#onFrames = options.onFrames;
  }

  /** Reads on. The problem of a header that was refused: the caller has to end the connection. */
  read(bytes: Uint8Array): Problem | undefined {
    const chunk = plainBytes(bytes);
    let at = 0;
    while (at < chunk.length) {
      if (this.#filled === 0) {
        const end = this.#wholeFrames(chunk, at);
        if (end instanceof Problem) return end;
        if (end > at) this.#onFrames(chunk.subarray(at, end));
        at = end;
        // What is left is less than a frame, and its header has been looked at if it is there.
      }
      const wanted = this.#size === 0 ? headerBytes : this.#size;
      const piece = chunk.subarray(at, at + wanted - this.#filled);
      this.#hold(piece, wanted);
      at += piece.length;
      if (this.#filled < wanted) return undefined;
      if (this.#size === 0) {
        const size = this.#judge(this.#held, 0);
        if (size instanceof Problem) return size;
        this.#size = size;
        if (this.#filled < size) continue;
      }
      this.#onFrames(this.#release());
    }
    return undefined;
  }

  /** The frame that is held, which is whole. Whoever gets it may keep it. */
  #release(): Uint8Array {
    const frame = this.#held.subarray(0, this.#filled);
    this.#held = new Uint8Array(firstHeldBytes);
    this.#filled = 0;
    this.#size = 0;
    return frame;
  }

  /** Where the last whole frame ends. Of the one behind it `#size` is set when its header is there. */
  #wholeFrames(chunk: Uint8Array, from: number): number | Problem {
    let at = from;
    while (chunk.length - at >= headerBytes) {
      const size = this.#judge(chunk, at);
      if (size instanceof Problem) return size;
      if (chunk.length - at < size) {
        this.#size = size;
        break;
      }
      at += size;
    }
    return at;
  }

  /** The size of the frame with its header, or why it is refused. */
  #judge(bytes: Uint8Array, at: number): number | Problem {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, headerBytes);
    const header = {
      type: view.getUint8(1),
      flags: view.getUint16(2),
      stream: view.getUint32(4),
      length: view.getUint32(8),
    };
    if (view.getUint8(0) !== 0 || header.type > muxerFrame.goAway) return malformed();
    const problem = this.#onHeader(header);
    if (problem !== undefined) return problem;
    return headerBytes + (header.type === muxerFrame.data ? header.length : 0);
  }

  #hold(piece: Uint8Array, wanted: number): void {
    const needed = this.#filled + piece.length;
    if (this.#held.length < needed) {
      const larger = new Uint8Array(Math.min(wanted, Math.max(needed, this.#held.length * 2)));
      larger.set(this.#held.subarray(0, this.#filled));
      this.#held = larger;
    }
    this.#held.set(piece, this.#filled);
    this.#filled = needed;
  }
}

function malformed(): Problem {
  return new Problem('network/muxer', 'a frame of the muxer is of no known version or kind', {
    remedy: `${peerAtFault} It has to speak yamux 1.0.0.`,
  });
}
