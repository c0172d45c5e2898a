import { FairRoom } from '../base/fair-room.ts';
import { frameHeaderBytes, joinFrames } from './frames.ts';

/** Consumed frames in front of the array are cut off after this many: amortised constant work per frame. */
const compactAfter = 1_024;

/** Room for the queues of all peers together: when it is full, the longest one loses its oldest frame. */
export function queueRoom(maxBytes: number): FairRoom<SendQueue> {
  return new FairRoom(maxBytes, (longest) => longest.dropOldest());
}

/**
 * What waits for one peer, in two lanes: urgent frames (small ones: heartbeats, votes) leave before all
 * others. Each lane keeps its order and is bounded in bytes: its oldest frames give way to new ones, because
 * a consensus message loses its worth with age.
 */
export class SendQueue {
  readonly #urgent: Lane;
  readonly #others: Lane;
  readonly #room: FairRoom<SendQueue>;
  #dropped = 0;

  constructor(bounds: {
    readonly maxBytes: number;
    readonly maxUrgentBytes: number;
    readonly room: FairRoom<SendQueue>;
  }) {
    this.#urgent = new Lane(bounds.maxUrgentBytes);
    this.#others = new Lane(bounds.maxBytes);
    this.#room = bounds.room;
  }

  /** Bytes that wait, with their frame headers. */
  get bytes(): number {
    return this.#urgent.bytes + this.#others.bytes;
  }

  /** Frames dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  get isEmpty(): boolean {
    return this.#urgent.isEmpty && this.#others.isEmpty;
  }

  /**
   * False when the frame alone is larger than the queue. One too large for its lane is not
   * urgent, whatever it is called.
   */
  push(frame: Uint8Array, urgent = false): boolean {
    const lane = urgent && this.#urgent.fits(frame) ? this.#urgent : this.#others;
    if (!lane.fits(frame)) {
      this.#dropped++;
      return false;
    }
    this.#dropped += lane.push(frame);
    this.#tell();
    return true;
  }

  /** An urgent one goes only when there are no others. */
  dropOldest(): void {
    (this.#others.isEmpty ? this.#urgent : this.#others).shift();
    this.#dropped += 1;
    this.#tell();
  }

  /**
   * All urgent frames, and of the others the oldest, as many as fit in `maxBytes` with them but at least one,
   * so that a stream of urgent ones never holds the others up. One buffer for one write.
   */
  takeBatch(maxBytes: number): Uint8Array | undefined {
    if (this.isEmpty) return undefined;
    const batch: Uint8Array[] = [];
    let bytes = this.#urgent.bytes;
    while (!this.#urgent.isEmpty) batch.push(this.#urgent.shift());
    for (let first = true; !this.#others.isEmpty; first = false) {
      bytes += this.#others.nextBytes;
      if (!first && bytes > maxBytes) break;
      batch.push(this.#others.shift());
    }
    this.#tell();
    return joinFrames(batch);
  }

  /** Forgets everything that waits; counted as dropped. */
  clear(): void {
    for (const lane of [this.#urgent, this.#others]) {
      for (; !lane.isEmpty; this.#dropped++) lane.shift();
    }
    this.#tell();
  }

  /** How much of the room it holds by now. */
  #tell(): void {
    const change = this.bytes - this.#room.heldBy(this);
    if (change !== 0) this.#room.change(this, change);
  }
}

/** Frames in order, bounded in bytes. */
class Lane {
  readonly #maxBytes: number;
  #frames: Uint8Array[] = [];
  #head = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#head === this.#frames.length;
  }

  /** Of the oldest frame. */
  get nextBytes(): number {
    return (this.#frames[this.#head] as Uint8Array).length + frameHeaderBytes;
  }

  fits(frame: Uint8Array): boolean {
    return frame.length + frameHeaderBytes <= this.#maxBytes;
  }

  /** The frame fits. Returns how many had to give way. */
  push(frame: Uint8Array): number {
    const size = frame.length + frameHeaderBytes;
    let dropped = 0;
    for (; this.#bytes + size > this.#maxBytes; dropped++) this.shift();
    this.#frames.push(frame);
    this.#bytes += size;
    return dropped;
  }

  /** Takes the oldest. */
  shift(): Uint8Array {
    const frame = this.#frames[this.#head] as Uint8Array;
    this.#frames[this.#head] = noBytes;
    this.#head++;
    this.#bytes -= frame.length + frameHeaderBytes;
    if (this.#head === this.#frames.length) {
      this.#frames = [];
      this.#head = 0;
    } else if (this.#head >= compactAfter && this.#head * 2 >= this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    }
    return frame;
  }
}

const noBytes = new Uint8Array(0);
