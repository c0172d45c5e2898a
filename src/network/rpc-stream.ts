import type { Stream } from '@libp2p/interface';
import { Problem } from '../base/problem.ts';
import { oversize, plainBytes } from './frames.ts';
import { PartialBytes } from './partial-bytes.ts';
import type { Meter } from './receiving.ts';

/** Four groups of seven bits: more than any limit of ours. */
const maxPrefixBytes = 4;
/** First size of the memory for a delivery that comes in pieces. */
const firstHeldBytes = 512;

/**
 * Cuts what comes on a stream of gossip into deliveries, each with its length before it. Gossipsub by itself
 * keeps each piece of an unfinished delivery as a view of what it came in: one byte of it keeps 16 KiB alive,
 * and a hundred bytes of bookkeeping at least.
 */
export class RpcReader {
  readonly #maxBytes: number;
  readonly #held = new PartialBytes(firstHeldBytes);

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Memory that an unfinished delivery takes: at most twice what came of it, and a little. */
  get heldBytes(): number {
    return this.#held.heldBytes;
  }

  /**
   * Hands over each delivery that is whole, with its length, in order: a view, to be copied by whoever keeps
   * it. Returns a problem, once: the stream cannot be read on from there.
   */
  read(received: Uint8Array, onRpc: (rpc: Uint8Array) => void): Problem | undefined {
    const bytes = plainBytes(received);
    let at = 0;
    while (at < bytes.length) {
      const { filled } = this.#held;
      const size = filled > 0 ? this.#sizeOf(this.#held.bytes, 0) : this.#sizeOf(bytes, at);
      if (size instanceof Problem) return size;
      if (filled === 0 && size !== undefined && size <= bytes.length - at) {
        onRpc(bytes.subarray(at, (at += size)));
        continue;
      }
      // Until its length is known, a byte at a time.
      const piece = bytes.subarray(at, size === undefined ? at + 1 : at + size - filled);
      at += piece.length;
      this.#held.append(piece, size ?? maxPrefixBytes);
      if (this.#held.filled === size) onRpc(this.#held.take());
    }
    return undefined;
  }

  /** Of the delivery that begins there, with its length; undefined while more of that has to come. */
  #sizeOf(bytes: Uint8Array, from: number): number | undefined | Problem {
    let length = 0;
    for (let place = 0; place < maxPrefixBytes; place++) {
      if (from + place >= bytes.length) return undefined;
      const byte = bytes[from + place] as number;
      length += (byte & 0x7f) * 0x80 ** place;
      if (byte >= 0x80) continue;
      return length > this.#maxBytes ? oversize(length, this.#maxBytes) : place + 1 + length;
    }
    return oversize(length, this.#maxBytes);
  }
}

/**
 * The receiving half of a stream for gossipsub, which reads nothing of it but what is here: deliveries come
 * whole, each in memory of its own, and only those that `admit` takes. A problem, the one of `admit` or of
 * what is no delivery, ends it; `onProblem` is called once.
 */
export function wholeRpcs(
  stream: Stream,
  options: {
    readonly maxBytes: number;
    /** Asked for each before it is looked at. */
    readonly admit: () => boolean | Problem;
    readonly onProblem: (problem: Problem) => void;
    readonly meter: Meter;
  },
): Stream {
  const reader = new RpcReader(options.maxBytes);
  const ready: Uint8Array[] = [];
  let over: { readonly error?: Error | undefined } | undefined;
  let wake = (): void => {};
  const end = (error?: Error): void => {
    over ??= { error };
    options.meter.holds(0);
    wake();
  };
  const fail = (problem: Problem): void => {
    if (over !== undefined) return;
    end(problem);
    options.onProblem(problem);
  };
  const take = (rpc: Uint8Array): void => {
    if (over !== undefined) return;
    const admitted = options.admit();
    if (admitted instanceof Problem) fail(admitted);
    else if (admitted) ready.push(rpc.slice());
  };
  const read = (bytes: Uint8Array): void => {
    if (over !== undefined) return;
    const problem = reader.read(bytes, take);
    if (problem !== undefined) fail(problem);
    if (over === undefined) options.meter.holds(reader.heldBytes);
    wake();
  };
  stream.addEventListener('message', ({ data }) => {
    if (data instanceof Uint8Array) read(data);
    else for (const piece of data) read(piece);
  });
  stream.addEventListener('remoteCloseWrite', () => end());
  stream.addEventListener('close', ({ error }) => end(error));
  if (stream.status !== 'open') end();
  async function* deliveries(): AsyncGenerator<Uint8Array> {
    for (;;) {
      for (let rpc = ready.shift(); rpc !== undefined; rpc = ready.shift()) yield rpc;
      if (over?.error !== undefined) throw over.error;
      if (over !== undefined) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  const half: Pick<Stream, 'abort' | 'close'> & AsyncIterable<Uint8Array> = {
    abort: (error) => stream.abort(error),
    close: (closing) => stream.close(closing),
    [Symbol.asyncIterator]: deliveries,
  };
  return half as Stream;
}
