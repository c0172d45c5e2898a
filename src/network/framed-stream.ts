import { limits } from '../base/limits.ts';
import type { Stream } from '@libp2p/interface';
import { othersAreAsked } from '../base/peer-faults.ts';
import { Problem } from '../base/problem.ts';
import { FrameReader, joinFrames } from './frames.ts';
import { unmetered } from './receiving.ts';

export interface FrameHandlers {
  /** A complete frame; it may alias the received bytes. */
  onFrame(frame: Uint8Array): void;
  /**
   * Once: nothing more will be read. A problem when the other side broke a rule,
   * otherwise the stream just ended.
   */
  onEnd(problem: Problem | undefined): void;
}

/**
 * Reads frames from a stream as they arrive, by the `message` event: iterating a libp2p
 * stream has no back-pressure.
 */
export function readFrames(
  stream: Stream,
  maxBytes: number,
  handlers: FrameHandlers,
  meter = unmetered,
): void {
  const reader = new FrameReader(maxBytes);
  let ended = false;
  const end = (problem: Problem | undefined): void => {
    if (ended) return;
    ended = true;
    meter.holds(0);
    handlers.onEnd(problem);
  };
  const onFrame = (frame: Uint8Array): void => {
    if (!ended) handlers.onFrame(frame);
  };
  const read = (chunk: Uint8Array): void => {
    if (ended) return;
    const problem = reader.read(chunk, onFrame);
    if (problem !== undefined) end(problem);
    else if (!ended) meter.holds(reader.heldBytes);
  };
  stream.addEventListener('message', ({ data }) => {
    if (data instanceof Uint8Array) read(data);
    else for (const chunk of data) read(chunk);
  });
  stream.addEventListener('end', () => end(undefined));
  stream.addEventListener('close', () => end(undefined));
  if (stream.status !== 'open') end(undefined);
}

/** Reads a short conversation one frame at a time. */
export class FrameInbox {
  readonly #waiting: ((frame: Uint8Array | Problem) => void)[] = [];
  readonly #ready: Uint8Array[] = [];
  #ended: Problem | undefined;

  constructor(stream: Stream, maxBytes: number) {
    readFrames(stream, maxBytes, {
      onFrame: (frame) => {
        const waiter = this.#waiting.shift();
        if (waiter !== undefined) waiter(frame);
        else if (this.#ready.length < limits.framesAhead) this.#ready.push(frame);
        else this.#end(streamEnded());
      },
      onEnd: (problem) => this.#end(problem ?? streamEnded()),
    });
  }

  next(): Promise<Uint8Array | Problem> {
    const frame = this.#ready.shift() ?? this.#ended;
    if (frame !== undefined) return Promise.resolve(frame);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #end(problem: Problem): void {
    this.#ended ??= problem;
    for (const waiter of this.#waiting.splice(0)) waiter(this.#ended);
  }
}

function streamEnded(): Problem {
  return new Problem('network/lost', 'the stream ended', {
    remedy: othersAreAsked,
  });
}

/** Sends one frame. False when the stream is gone; never throws. */
export function sendFrame(stream: Stream, frame: Uint8Array): boolean {
  try {
    stream.send(joinFrames([frame]));
    return true;
  } catch {
    return false;
  }
}

/** Closes our side gracefully and gives up silently when the stream is already gone. */
export function closeQuietly(stream: Stream, timeoutMs: number): void {
  stream.close({ signal: AbortSignal.timeout(timeoutMs) }).catch((cause: unknown) => {
    stream.abort(cause instanceof Error ? cause : new Error('close failed'));
  });
}
