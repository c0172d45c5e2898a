import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { Height, View } from '../ledger/block.ts';

/** What this node saw since it started: its own word, by its own clock. */
export interface TelemetryBackend {
  /** The last changes of the view (Raft: of the term), the oldest first. */
  viewChanges(): readonly ViewChangeView[];
  /** The last final blocks, the lowest first. */
  blockVotes(): readonly BlockVotesView[];
  samples(span: SampleSpan): SamplesView;
}

export type SampleSpan = 'minutes' | 'hours';

export interface ViewChangeView {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly view: View;
  /** Who began it or leads it; null while nobody does. */
  readonly leader: PublicKey | null;
  /** In the words of `why`. */
  readonly reason: string;
}

/** All times in milliseconds since the block's proposal came here; null when that did not come. */
export interface BlockVotesView {
  readonly height: Height;
  readonly hash: Hash;
  readonly proposer: PublicKey;
  /** Until it was final, and stored here. */
  readonly finalMs: number | null;
  /**
   * The votes in the order in which they arrived here: Commits in PBFT; in Raft the members that have the
   * block on disk.
   */
  readonly votes: readonly { readonly validator: PublicKey; readonly ms: number | null }[];
}

export interface SamplesView {
  readonly everyMs: number;
  /** The oldest first. */
  readonly samples: readonly SampleView[];
}

/** What came in one span of time, and what was so at its end. */
export interface SampleView {
  /** Its end, in milliseconds since 1970. */
  readonly at: number;
  /** Its length. */
  readonly ms: number;
  readonly blocks: number;
  readonly transactions: number;
  /** Of all its blocks together. */
  readonly blockBytes: number;
  /** From when transactions could be executed here until they were final here; null without any. */
  readonly latencyMs: {
    readonly p50: number | null;
    readonly p90: number | null;
    readonly p99: number | null;
  };
  readonly pending: number;
  readonly view: View;
  readonly viewChanges: number;
  readonly memoryBytes: number;
  readonly heapBytes: number;
  /** The database; null while it is not known. */
  readonly diskBytes: number | null;
  /** How long after the proposal the votes of each came here, on average. */
  readonly votes: readonly { readonly validator: PublicKey; readonly ms: number }[];
}
