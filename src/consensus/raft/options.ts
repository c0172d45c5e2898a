import { limits } from '../../base/limits.ts';
import { canLease } from '../../ledger/lease.ts';

/**
 * What the genesis file says about Raft, and bounds that tests make smaller. Times in ms, sizes in
 * bytes, heights in blocks.
 */
export interface RaftOptions {
  /** How often a leader shows that it lives. */
  readonly heartbeatMs: number;
  /** A follower waits between one and two of these without a leader before it campaigns. */
  readonly electionTimeoutMs: number;
  /** The least time between the starts of two blocks, unless the first was full. */
  readonly blockIntervalMs: number;
  /**
   * Serve linearizable reads without a round of heartbeats while a majority answered one that was sent within
   * `leaseMs`. Trusts that clocks run about alike.
   */
  readonly leaseReads: boolean;
  /**
   * Where the signatures of a transaction are checked: by all members, or by the one where it comes in.
   */
  readonly checkSignatures: 'entry' | 'all';
  /** Blocks in flight above the last final one. */
  readonly window: number;
  readonly uncommittedBytes: number;
  /** Append messages without an answer, for one follower. */
  readonly inFlightMessages: number;
  readonly inFlightBytes: number;
  /** Encoded proposals in one append message; one is always sent. */
  readonly appendBytes: number;
  /** Applied blocks whose entries stay in memory. */
  readonly tail: number;
  readonly pendingReads: number;
  /** A snapshot every this many blocks; 0 means never, and no block is ever deleted. */
  readonly snapshotEvery: number;
  /** Blocks below a snapshot that stay in storage. */
  readonly keepBlocks: number;
}

export const defaultRaftOptions: RaftOptions = {
  heartbeatMs: 100,
  electionTimeoutMs: 1_000,
  blockIntervalMs: 20,
  leaseReads: false,
  checkSignatures: 'all',
  window: limits.raftWindow,
  uncommittedBytes: limits.raftUncommittedBytes,
  inFlightMessages: limits.raftInFlightMessages,
  inFlightBytes: limits.raftInFlightBytes,
  appendBytes: limits.raftAppendBytes,
  tail: limits.raftTail,
  pendingReads: limits.raftPendingReads,
  snapshotEvery: 0,
  keepBlocks: 1_000,
};

/**
 * A leader of this chain answers reads by a lease: it is told to, and its timeouts are long enough for one.
 */
export function givesLeases(options: RaftOptions): boolean {
  return options.leaseReads && canLease(options);
}
