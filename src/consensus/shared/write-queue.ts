import { invariant } from '../../base/invariant.ts';
import type { MonotonicMs } from '../engine.ts';

/**
 * The writes that an engine asked for and that are not on disk yet: one ordered, numbered stream. Each keeps
 * what the engine wants to know again when it is done.
 */
export interface WriteQueue<Kept = unknown> {
  /** Number of the last write asked for. */
  last: number;
  /** Oldest first. */
  pending: PendingWrite<Kept>[];
}

interface PendingWrite<Kept = unknown> {
  readonly seq: number;
  readonly since: MonotonicMs;
  readonly kept: Kept;
}

export function noWrites<Kept>(): WriteQueue<Kept> {
  return { last: 0, pending: [] };
}

/** Puts a write at the end, and returns its number: that of the `persist` effect. */
export function addWrite<Kept>(queue: WriteQueue<Kept>, now: MonotonicMs, kept: Kept): number {
  queue.last += 1;
  queue.pending.push({ seq: queue.last, since: now, kept });
  return queue.last;
}

/**
 * `persisted`: takes off the write of this number and all before it, oldest first. A number that comes
 * twice takes off nothing.
 */
export function settleWrites<Kept>(queue: WriteQueue<Kept>, seq: number): Kept[] {
  invariant(seq <= queue.last, 'only what was asked for is written');
  const done = queue.pending.filter((write) => write.seq <= seq);
  queue.pending = queue.pending.slice(done.length);
  return done.map(({ kept }) => kept);
}

/** Age of the oldest unfinished write, 0 when there is none: a disk that stalls shows here. */
export function oldestWriteMs(queue: WriteQueue, now: MonotonicMs): number {
  const oldest = queue.pending[0];
  return oldest === undefined ? 0 : now - oldest.since;
}
