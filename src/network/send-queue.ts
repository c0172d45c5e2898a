import { FRAME_HEADER_BYTES, joinFrames } from './frames.ts';

/** Consumed frames in front of the array are cut off after this many: amortised constant work per frame. */
const COMPACT_AFTER = 1_024;

/**
 * What waits for one peer. Bounded in bytes: the oldest frames give way to new ones, because a
 * consensus message loses its worth with age.
 */
export class SendQueue {
  readonly #maxBytes: number;
  #frames: Uint8Array[] = [];
  #head = 0;
  #bytes = 0;
  #dropped = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that wait, with their frame headers. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Frames dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  get isEmpty(): boolean {
    return this.#head === this.#frames.length;
  }

  /** False when the frame alone is larger than the queue. */
  push(frame: Uint8Array): boolean {
    const size = frame.length + FRAME_HEADER_BYTES;
    if (size > this.#maxBytes) {
      this.#dropped++;
      return false;
    }
    while (this.#bytes + size > this.#maxBytes) {
      this.#shift();
      this.#dropped++;
    }
    this.#frames.push(frame);
    this.#bytes += size;
    return true;
  }

  /** Takes the oldest frames, as many as fit in `maxBytes` but at least one, as one buffer for one write. */
  takeBatch(maxBytes: number): Uint8Array | undefined {
    if (this.isEmpty) return undefined;
    const batch: Uint8Array[] = [];
    let bytes = 0;
    while (!this.isEmpty) {
      const size = (this.#frames[this.#head] as Uint8Array).length + FRAME_HEADER_BYTES;
      if (batch.length > 0 && bytes + size > maxBytes) break;
      bytes += size;
      batch.push(this.#shift());
    }
    return joinFrames(batch);
  }

  /** Forgets everything that waits; counted as dropped. */
  clear(): void {
    this.#dropped += this.#frames.length - this.#head;
    this.#frames = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  #shift(): Uint8Array {
    const frame = this.#frames[this.#head] as Uint8Array;
    this.#frames[this.#head] = EMPTY;
    this.#head++;
    this.#bytes -= frame.length + FRAME_HEADER_BYTES;
    if (this.#head === this.#frames.length) {
      this.#frames = [];
      this.#head = 0;
    } else if (this.#head >= COMPACT_AFTER && this.#head * 2 >= this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    }
    return frame;
  }
}

const EMPTY = new Uint8Array(0);
