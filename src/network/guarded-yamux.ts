import type { Connection, MessageStream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface';
import { yamux, type YamuxMuxerInit } from '@libp2p/yamux';
import { defined, invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import { peerAtFault } from '../base/peer-faults.ts';
import { Problem } from '../base/problem.ts';
import { FrameGuard, muxerFrame, type MuxerHeader } from './frame-guard.ts';
import { muxerOf } from './libp2p-internals.ts';
import { LineBudget, type StrangersBudget } from './line-budget.ts';
import { guardNegotiation } from './negotiation-guard.ts';
import { updateWindowLate } from './window-updates.ts';

/** yamux lets either side send this much on a new stream. */
const firstWindowBytes = 256 * 1024;

/**
 * What the pinned muxer has and does not offer: where bytes come in, and how much may still come on a stream.
 */
interface Insides extends StreamMuxer {
  onData(bytes: Uint8Array | Iterable<Uint8Array>): void;
  onRemoteStream(stream: object): void;
  onCreateStream(options: object): object;
  readonly streams: (StreamMuxer['streams'][number] & {
    readonly streamId: number;
    readonly recvWindowCapacity: number;
  })[];
}

/**
 * yamux with the bounds that it lacks. By itself it keeps whatever a header announces, up to 4 GiB, before
 * it looks at the stream's window; it answers pings without end; and it opens streams as fast as they are
 * asked for and reset. All of that can be had before anybody said who they are. So each header is judged
 * before the muxer sees it, and what is said on a stream until its protocol is agreed on. Once yamux does
 * that itself, this file can go.
 */
export class GuardedYamux {
  readonly #factory: StreamMuxerFactory;
  readonly #strangers: StrangersBudget;
  readonly #isProtocol: (name: string) => boolean;
  readonly #now: () => number;
  readonly #budgets = new WeakMap<object, LineBudget>();

  constructor(options: {
    readonly init: YamuxMuxerInit;
    readonly strangers: StrangersBudget;
    /** Whether streams of this protocol are served here. */
    readonly isProtocol: (name: string) => boolean;
    /** Milliseconds of a monotonic clock. */
    readonly now: () => number;
  }) {
    this.#factory = yamux(options.init)();
    this.#strangers = options.strangers;
    this.#isProtocol = options.isProtocol;
    this.#now = options.now;
  }

  /** For libp2p. */
  readonly service = (): StreamMuxerFactory => ({
    protocol: this.#factory.protocol,
    createStreamMuxer: (line) => this.#create(line),
  });

  /** The budget of a connection of this muxer. */
  budgetOf(connection: Connection): LineBudget {
    return defined(this.#budgets.get(muxerOf(connection)), 'the budget of a connection');
  }

  #create(line: MessageStream): StreamMuxer {
    const muxer = this.#factory.createStreamMuxer(line) as Insides;
    invariant(typeof muxer.onData === 'function', 'the muxer takes its bytes by onData');
    const budget = new LineBudget(this.#strangers, this.#now);
    this.#budgets.set(muxer, budget);
    const toMuxer = muxer.onData.bind(muxer);
    const guard = new FrameGuard({
      onHeader: (header) => judge(header, muxer, budget),
      onFrames: (frames) => {
        if (muxer.status === 'open') toMuxer(frames);
      },
    });
    muxer.onData = (bytes) => {
      for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) {
        budget.fault ??= budget.take('bytes', piece.length) ?? budget.take('frames', 1) ?? guard.read(piece);
        // What is thrown here ends muxer and connection.
        if (budget.fault !== undefined) throw budget.fault;
      }
    };
    const open = muxer.onCreateStream.bind(muxer);
    muxer.onCreateStream = (init) => {
      const stream = open(init);
      updateWindowLate(stream);
      return stream;
    };
    const onStream = muxer.onRemoteStream.bind(muxer);
    muxer.onRemoteStream = (stream) => {
      updateWindowLate(stream);
      // Bytes of a stream come in by `onData` of the muxer, so this ends muxer and connection as well.
      guardNegotiation(stream, this.#isProtocol, (problem) => {
        budget.fault ??= problem;
        throw problem;
      });
      onStream(stream);
    };
    return muxer;
  }
}

function judge(
  { type, flags, stream, length }: MuxerHeader,
  muxer: Insides,
  budget: LineBudget,
): Problem | undefined {
  const opens = (flags & muxerFrame.syn) !== 0 && stream !== 0;
  if (type === muxerFrame.data && length > windowOf(stream, opens, muxer)) {
    return new Problem('network/muxer', 'a frame of the muxer is longer than the window of its stream', {
      remedy: `${peerAtFault} It has to speak yamux 1.0.0.`,
      details: { stream, length },
    });
  }
  return budget.take('frames', 1) ?? (opens ? budget.take('streams', 1) : undefined);
}

/**
 * The longest frame that may come on a stream now. Frames before it that the muxer has not seen yet make it
 * shorter, not longer: a sender may use more only after it was told so. A stream that is gone may have had a
 * full window when the frame was sent.
 */
function windowOf(stream: number, opens: boolean, muxer: Insides): number {
  const known = muxer.streams.find(({ streamId }) => streamId === stream);
  if (known !== undefined) return known.recvWindowCapacity;
  return opens ? firstWindowBytes : limits.streamWindowBytes;
}
