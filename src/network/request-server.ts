import type { Stream } from '@libp2p/interface';
import { concat } from '../base/bytes.ts';
import { FairRoom } from '../base/fair-room.ts';
import { limits } from '../base/limits.ts';
import type { Problem } from '../base/problem.ts';
import type { PeerId, RequestProtocol } from './port.ts';
import { closeQuietly, type FrameHandlers, readFrames, sendFrame } from './framed-stream.ts';
import type { Meter } from './receiving.ts';
import { responseMarks } from './response-marks.ts';

const answered = Uint8Array.of(responseMarks.answered);
const refused = Uint8Array.of(responseMarks.refused);
const busy = Uint8Array.of(responseMarks.busy);

type Serve = (
  peer: PeerId,
  protocol: RequestProtocol,
  bytes: Uint8Array,
  respond: (response: Uint8Array | null) => void,
) => void;

/** An answer that its peer has not taken. */
interface Untaken {
  readonly giveUp: () => void;
}

/**
 * The answering side: bounded requests at once per peer, each with one deadline from its first byte to its
 * last. Answers that wait to be taken have one room for all peers: when it is full, the oldest of whoever
 * takes the least is given up.
 */
export class RequestServer {
  readonly #serve: Serve;
  readonly #timeoutMs: number;
  readonly #onFault: (peer: PeerId, problem: Problem) => void;
  readonly #active = new Map<PeerId, number>();
  readonly #untaken = new Map<PeerId, Set<Untaken>>();
  readonly #room = new FairRoom<PeerId>(limits.answersBytes, (peer) => {
    const [oldest] = this.#untaken.get(peer) ?? [];
    oldest?.giveUp();
  });

  constructor(options: {
    serve: Serve;
    timeoutMs: number;
    /** A peer broke a rule of the protocol. */
    onFault: (peer: PeerId, problem: Problem) => void;
  }) {
    this.#serve = options.serve;
    this.#timeoutMs = options.timeoutMs;
    this.#onFault = options.onFault;
  }

  /** Serves one stream of an accepted peer. */
  handle(peer: PeerId, protocol: RequestProtocol, stream: Stream, meter: Meter): void {
    const active = this.#active.get(peer) ?? 0;
    if (active >= limits.requestsPerPeer) {
      sendFrame(stream, busy);
      closeQuietly(stream, this.#timeoutMs);
      return;
    }
    this.#active.set(peer, active + 1);
    let received = false;
    let responded = false;
    let released = false;
    let taken: (() => void) | undefined;
    const release = (): void => {
      if (released) return;
      released = true;
      clearTimeout(deadline);
      taken?.();
      const left = (this.#active.get(peer) ?? 1) - 1;
      if (left > 0) this.#active.set(peer, left);
      else this.#active.delete(peer);
    };
    const deadline = setTimeout(() => {
      stream.abort(new Error('request took too long'));
      release();
    }, this.#timeoutMs);
    const respond = (response: Uint8Array | null): void => {
      if (released || responded) return;
      responded = true;
      const tooLarge = response !== null && response.length > limits.responseBytes;
      const frame = response === null || tooLarge ? refused : concat(answered, response);
      // The slot is free once the bytes are with the muxer: until then they are ours to hold.
      stream.addEventListener('idle', release);
      taken = this.#keep(peer, frame.length, () => {
        stream.abort(new Error('the answer was not taken'));
        release();
      });
      // It was the one to be given up.
      if (released) return;
      if (!sendFrame(stream, frame) || stream.writeBufferLength === 0) release();
      closeQuietly(stream, this.#timeoutMs);
    };
    // A peer that resets its stream has not undone the work it asked for, so the slot
    // stays taken until the answer.
    stream.addEventListener('close', () => {
      if (!received || responded) release();
    });
    const handlers: FrameHandlers = {
      onFrame: (frame) => {
        if (received) return;
        received = true;
        this.#serve(peer, protocol, frame, respond);
      },
      onEnd: (fault) => {
        if (fault !== undefined) {
          this.#onFault(peer, fault);
          stream.abort(fault);
        } else if (!received) {
          release();
          closeQuietly(stream, this.#timeoutMs);
        }
      },
    };
    readFrames(stream, limits.requestBytes, handlers, meter);
  }

  /** An answer waits to be taken. The result is called when it is, or was given up. */
  #keep(peer: PeerId, bytes: number, giveUp: () => void): () => void {
    const answers = this.#untaken.get(peer) ?? new Set();
    let isKept = true;
    const forget = (): void => {
      if (!isKept) return;
      isKept = false;
      answers.delete(untaken);
      if (answers.size === 0) this.#untaken.delete(peer);
      this.#room.change(peer, -bytes);
    };
    const untaken = {
      giveUp: () => {
        forget();
        giveUp();
      },
    };
    answers.add(untaken);
    this.#untaken.set(peer, answers);
    this.#room.change(peer, bytes);
    return forget;
  }
}
