import { limits } from '../base/limits.ts';

/**
 * The part of a promise that a lease leaves out, for clocks that do not run alike: a voter's may run a third
 * faster than the leader's.
 */
const margin = 0.25;

interface LeaseTiming {
  readonly heartbeatMs: number;
  readonly electionTimeoutMs: number;
}

/**
 * For how long after a heartbeat was sent a Raft leader may answer by its lease, ms on its engine's
 * clock; negative when never.
 *
 * Engines know the time of their last tick, which is up to `engineClockMs` ago. So a voter may note a
 * heartbeat that much too early, and keep its promise (an election timeout) for that much less; and a leader
 * may look at its lease with a clock that is that much behind.
 */
export function leaseMs({ electionTimeoutMs }: Pick<LeaseTiming, 'electionTimeoutMs'>): number {
  return (electionTimeoutMs - limits.engineClockMs) * (1 - margin) - limits.engineClockMs;
}

/**
 * A lease outlasts the wait for the next heartbeat and its answer, so that a leader in good health has one.
 */
export function canLease(timing: LeaseTiming): boolean {
  return leaseMs(timing) >= 2 * timing.heartbeatMs;
}

/** The shortest election timeout for which `canLease`, ms. */
export function shortestLeaseTimeout({ heartbeatMs }: Pick<LeaseTiming, 'heartbeatMs'>): number {
  return Math.ceil((2 * heartbeatMs + limits.engineClockMs) / (1 - margin) + limits.engineClockMs);
}
