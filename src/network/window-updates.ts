import { invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';

/** What the pinned muxer keeps of a stream, and does not offer. */
interface Insides {
  /** It is established from its opening to its end, unless it is paused. */
  readonly state?: unknown;
  /** What the other side may send, in bytes, and what is left of that. */
  readonly recvWindow?: unknown;
  readonly recvWindowCapacity?: unknown;
  sendWindowUpdate?: () => void;
  abort?: (error: Error) => void;
}

/** How the muxer numbers what a stream may be. */
const states = { established: 3 } as const;

/**
 * From now on the other side of a stream is told that it may send more when it matters. By itself the muxer
 * answers each data frame with an update: a vote of 155 bytes costs a second message the other way, with a
 * record of TLS, a call of the machine and a turn of the loop on both sides. The first one stays, as it opens
 * the stream.
 *
 * The muxer says that one in a microtask of its own, where what is thrown ends the process; and the line
 * throws when the other side reset it behind bytes that nobody has read yet, for which muxer and stream still
 * wait. Then the stream ends, as it would a moment later.
 *
 * Fails loudly when a version keeps these elsewhere.
 */
export function updateWindowLate(stream: object): void {
  const insides = stream as Insides;
  const update = insides.sendWindowUpdate?.bind(stream);
  const abort = insides.abort?.bind(stream);
  invariant(update !== undefined, 'a stream of the muxer tells when more may be sent');
  invariant(abort !== undefined, 'a stream of the muxer can be ended');
  insides.sendWindowUpdate = () => {
    const { state, recvWindow: whole, recvWindowCapacity: left } = insides;
    invariant(typeof whole === 'number' && typeof left === 'number', 'a stream of the muxer has a window');
    if (state === states.established && whole - left < whole * limits.windowUpdateShare) return;
    try {
      update();
    } catch (error) {
      abort(error as Error);
    }
  };
}
