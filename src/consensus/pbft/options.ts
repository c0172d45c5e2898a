import { limits } from '../../base/limits.ts';

/** What the genesis file and the operator choose. All times in milliseconds. */
export interface PbftOptions {
  /** Heights in flight above the final one. */
  readonly window: number;
  /** The first timeout of a view; it doubles with every view without a final block. */
  readonly viewTimeoutMs: number;
  readonly viewTimeoutCapMs: number;
  /** Blocks of one primary before it is the next one's turn within a view; 0 = no rotation. */
  readonly blocksPerPrimary: number;
  /** An empty block after this long without any; 0 = none. */
  readonly heartbeatMs: number;
  /** How long an executable transaction may be passed over before the primary is suspected of censorship. */
  readonly censorshipMs: number;
  /** The least time between two proposals while one is in flight, unless the first was full. */
  readonly blockIntervalMs: number;
  /** Status to all this often while something is unfinished and nothing moves. */
  readonly statusMs: number;
  /** Status to all this often in any case: tells who is there. */
  readonly idleStatusMs: number;
}

export const defaultPbftOptions: PbftOptions = {
  window: limits.pbftWindow,
  viewTimeoutMs: 2_000,
  viewTimeoutCapMs: 30_000,
  blocksPerPrimary: 0,
  heartbeatMs: 0,
  censorshipMs: 10_000,
  blockIntervalMs: 50,
  statusMs: 500,
  idleStatusMs: 2_000,
};
