import type { Problem } from '../base/problem.ts';

/** One change of a batch. */
export type Write =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array };

export interface ScanRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly limit?: number;
  readonly reverse?: boolean;
}

/**
 * An ordered key-value store. Keys do not start with byte 0, which belongs to the adapter. Every batch is
 * atomic and synced: when `done` comes without a problem it survives a power failure, whole; before that it
 * may be lost, whole, and never in part. Batches become durable and visible in the order of the calls.
 */
export interface Store {
  /**
   * The value as of the last batch whose `done` was called, or of a later one. The bytes belong to the
   * caller.
   */
  get(key: Uint8Array): Uint8Array | undefined;
  /**
   * The batch is read before this returns, and of each change a copy is made before the next one is asked
   * for: a batch may be made while it is read, and a change be in the memory of the one before. `done` is
   * called later, once. After a problem the store takes nothing more (a failed sync is never retried).
   */
  write(batch: Iterable<Write>, done: (problem: Problem | undefined) => void): void;
  /**
   * All entries with `from <= key < to` in key order, the last one first when `reverse`, at most `limit`. For
   * opening, repair and lists; not for the hot path.
   */
  scan(range: ScanRange): Promise<[Uint8Array, Uint8Array][]>;
  /**
   * Says that of what was written between two keys only so many bytes live: the store may put away the traces
   * of what was removed, over which each scan would have to go. Nothing that is read changes, whether that is
   * done or not. Settles when it is done with it. One that closes, or is closed, leaves it undone.
   */
  compact(range: Pick<ScanRange, 'from' | 'to'>, livingBytes: number): Promise<void>;
  /** Batches that were taken are finished first. Nothing may be asked of the store afterwards. */
  close(): Promise<void>;
}

/** The changes of a batch, each in memory of its own. */
export function copyOf(batch: Iterable<Write>): Write[] {
  return Array.from(batch, (change) =>
    change.type === 'del'
      ? { type: 'del', key: Uint8Array.from(change.key) }
      : { type: 'put', key: Uint8Array.from(change.key), value: Uint8Array.from(change.value) },
  );
}
