import type { MonotonicMs } from '../engine.ts';
import type { RaftOptions } from './options.ts';

/**
 * How long a leader waits for a word of what it sent to one follower, before it takes it for lost. Heartbeats
 * overtake blocks, so an answer that knows nothing of a block does not tell lost from slow; and to send again
 * what is slow makes it slower. So the wait follows what the link last took, and doubles each time it was in
 * vain (as the retransmission timer of TCP does: RFC 6298).
 */
export interface RetransmissionTimeout {
  /** Of the next wait; 0 when nothing is known of the link. */
  ms: number;
  /** Since when nothing more of what is on its way came in there; null while nothing is. */
  since: MonotonicMs | null;
  /** When the wait began anew, because something was sent again. */
  triedAt: MonotonicMs;
}

export function freshTimeout(): RetransmissionTimeout {
  return { ms: 0, since: null, triedAt: 0 };
}

/** Something is on its way from now on. */
export function startWaiting(timeout: RetransmissionTimeout, now: MonotonicMs): void {
  if (timeout.since !== null) return;
  timeout.since = now;
  timeout.triedAt = now;
}

/**
 * Some of it arrived. The link takes this long; a time shorter than before is believed by halves, but
 * what was sent twice tells nothing (Karn's rule): the first one may have been lost.
 */
export function noteArrival(timeout: RetransmissionTimeout, now: MonotonicMs): void {
  if (timeout.since === null) return;
  if (timeout.triedAt === timeout.since) {
    timeout.ms = Math.max(2 * (now - timeout.since), timeout.ms / 2);
  }
  timeout.since = now;
  timeout.triedAt = now;
}

/** Nothing is on its way any more. */
export function stopWaiting(timeout: RetransmissionTimeout): void {
  timeout.since = null;
}

/** True when the wait was in vain: what was sent is to be taken for lost, and the next wait is longer. */
export function runsOut(timeout: RetransmissionTimeout, now: MonotonicMs, options: RaftOptions): boolean {
  // Two heartbeats, because one may have left before the block; a few election timeouts at most,
  // because some links do lose.
  const ms = Math.min(Math.max(timeout.ms, 2 * options.heartbeatMs), 4 * options.electionTimeoutMs);
  if (timeout.since === null || now - timeout.triedAt < ms) return false;
  timeout.ms = 2 * ms;
  timeout.triedAt = now;
  return true;
}
