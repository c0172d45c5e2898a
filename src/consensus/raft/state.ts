import { nextFloat, type RandomState, seedRandom } from '../../base/random.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import { type Height, type Proposal, toHeight } from '../../ledger/block.ts';
import type {
  BlockName,
  Effect,
  EngineStart,
  MonotonicMs,
  PendingWork,
  RequestId,
  ValidatorIndex,
} from '../engine.ts';
import { type Configuration, indexOf } from './configuration.ts';
import { type Entry, type Log, lastHeight } from './log.ts';
import type { RaftMessage, ReadToken, Term } from './messages.ts';
import type { RaftOptions } from './options.ts';
import { recover } from './records.ts';

/** One member: what never changes, the plain state, and the effects of the step that runs. */
export interface Raft {
  readonly chainId: Hash;
  readonly key: PublicKey;
  readonly options: RaftOptions;
  readonly state: State;
  out: Effect<RaftMessage>[];
}

/**
 * The whole state of an engine, plain data. Heights along the log, lowest first:
 * `applied` <= `handed` <= `commit`, and `executed`, `durable` <= last.
 */
export interface State {
  /** This node's index; null for one that never took part. */
  self: ValidatorIndex | null;
  term: Term;
  votedFor: ValidatorIndex | null;
  readonly incarnation: number;
  amnesiac: boolean;
  log: Log;
  /** Up to here the log as it is now is on disk. */
  durable: Height;
  /** Up to here the driver has executed the blocks. */
  executed: Height;
  /** Up to here blocks are known to be committed. */
  commit: Height;
  /** Up to here `commit` effects were given. */
  handed: Height;
  /** Up to here the driver has stored blocks and state. */
  applied: Height;
  /** In force: that of the newest applied block that starts one. */
  configuration: Configuration;
  configurationHeight: Height;
  /** Heights that have a configuration record, ascending. */
  configurationRecords: Height[];
  /** Configurations of blocks that sync brought, and that are not applied yet, in order. */
  arriving: { readonly height: Height; readonly configuration: Uint8Array }[];
  /** Records to remove with the next write. */
  staleRecords: string[];
  role: Role;
  now: MonotonicMs;
  electionDeadline: MonotonicMs;
  /** When the leader was last heard; null since there is none. */
  leaderHeardAt: MonotonicMs | null;
  random: RandomState;
  nextSeq: number;
  /** Writes on the way, in order. */
  writes: PendingWrite[];
  work: PendingWork;
  /** Linearizable reads asked here that wait for an index or for its block. */
  reads: LocalRead[];
  readSerial: number;
  /** A transfer that an operator asked for, until its outcome shows. */
  transfer: TransferRequest | null;
  /** A change of the members that an operator asked for, until its last configuration is applied. */
  change: ChangeRequest | null;
  install: Install | null;
  compacted: { readonly snapshot: BlockName; readonly firstBlock: Height } | null;
  /** A compaction was asked for and is not done. */
  compacting: boolean;
  /** When to ask again for the execution of entries that were found in the log at the start; null when not needed. */
  recheckAt: MonotonicMs | null;
  highestKnown: Height;
  syncAskedAt: MonotonicMs | null;
  /** Since when the leader has committed more than this member, without any progress here; null when it is level. */
  behind: { readonly since: MonotonicMs; readonly commit: Height } | null;
  /** Why a block of the leader's was refused, for `why`. */
  refused: string | null;
  started: boolean;
  counters: Record<string, number>;
}

export interface PendingWrite {
  readonly seq: number;
  readonly since: MonotonicMs;
  /** The log up to here is durable with it; a later truncation lowers this (ABA). */
  upTo: Height;
  /** Sent once it is durable. */
  after: Effect<RaftMessage>[];
  /** The term in which it holds the own vote for oneself. */
  readonly ownVote: Term | null;
}

export type Role = Follower | Candidate | Leader;

export interface Follower {
  readonly kind: 'follower';
  leader: ValidatorIndex | null;
  /** The log equals the leader's up to here. */
  matched: Height;
  leaderCommit: Height;
  /** Entries of the leader's that are being validated; they continue the log at the first one's height, or replace its end. */
  staging: Staged[];
}

export interface Staged {
  readonly entry: Entry;
  valid: boolean;
  retryAt: MonotonicMs | null;
}

export interface Candidate {
  readonly kind: 'candidate';
  /** Asking whether a campaign would make sense (pre-vote), or in one. */
  readonly pre: boolean;
  readonly transfer: boolean;
  readonly votes: Map<ValidatorIndex, boolean>;
}

export interface Leader {
  readonly kind: 'leader';
  readonly since: MonotonicMs;
  /** Height of the first block of this term; null until it is in the log. */
  first: Height | null;
  /** Everything was applied once since the election: blocks with transactions may be cut. */
  ready: boolean;
  readonly progress: Map<ValidatorIndex, Progress>;
  making: Making | null;
  lastBuildAt: MonotonicMs;
  /** The last build found nothing; wait until the mempool says something new. */
  nothingToBuild: boolean;
  round: number;
  /** When the rounds that are still of interest were sent, oldest first. */
  roundsSent: { readonly round: number; readonly at: MonotonicMs }[];
  nextHeartbeatAt: MonotonicMs;
  /** Reads that wait for the round, in order. */
  readRounds: LeaderRead[];
  transfer: { readonly to: ValidatorIndex; readonly deadline: MonotonicMs; told: boolean } | null;
  /** A configuration that the next block shall start. */
  nextConfiguration: Configuration | null;
}

/** A block in the making: asked for, or waiting for its signature. */
export interface Making {
  readonly parentHash: Hash;
  readonly height: Height;
  readonly purpose: 'first' | 'work' | 'configuration';
  readonly configuration: Configuration | null;
  built: { readonly proposal: Proposal; readonly blockHash: Hash; readonly bytes: number } | null;
}

export interface Progress {
  /** `probe`: where does its log fit? `stream`: send ahead. `snapshot`: it fetches one. */
  kind: 'probe' | 'stream' | 'snapshot';
  match: Height;
  next: Height;
  inFlight: { readonly last: Height; readonly bytes: number; readonly sentAt: MonotonicMs }[];
  probeSentAt: MonotonicMs | null;
  /** Last entry in the probe. */
  probeLast: Height;
  loadingFrom: Height | null;
  heardAt: MonotonicMs;
  /** The newest round that it answered, and when that round was sent. */
  round: number;
  roundSentAt: MonotonicMs;
  snapshot: { readonly block: BlockName; heardAt: MonotonicMs } | null;
}

/** A read at the leader: its own, or of a follower that asked with a token. */
export interface LeaderRead {
  readonly from: { readonly id: RequestId } | { readonly member: ValidatorIndex; readonly token: ReadToken };
  /** Null until the leader has committed a block of its term. */
  index: Height | null;
  /** The round that must be confirmed; null until one starts after the read came. */
  round: number | null;
}

export interface LocalRead {
  readonly id: RequestId;
  readonly deadline: MonotonicMs;
  /** Set while a leader elsewhere was asked. */
  token: ReadToken | null;
  /** Set when the index is known and its block is not applied yet. */
  index: Height | null;
}

export interface TransferRequest {
  readonly id: RequestId;
  readonly to: ValidatorIndex;
  readonly deadline: MonotonicMs;
}

export interface ChangeRequest {
  readonly id: RequestId;
  /** Height of the newest configuration block of this change; null until it is in the log. */
  height: Height | null;
}

export interface Install {
  readonly snapshot: BlockName;
  readonly from: ValidatorIndex;
  readonly configuration: Configuration;
}

export function initialState(options: RaftOptions, start: EngineStart): State {
  const { hard, entries, configuration, configurationHeight, stale, configurationHeights } = recover(start);
  const final = start.final.header;
  const log: Log = {
    base: { height: final.height, blockHash: start.final.hash, term: final.view },
    entries,
  };
  const random = seedRandom(start.seed);
  const self = indexOf(configuration, start.self);
  return {
    self,
    term: hard.term,
    votedFor: hard.votedFor ?? null,
    incarnation: hard.incarnation + 1,
    amnesiac: hard.amnesiac,
    log,
    durable: lastHeight(log),
    executed: final.height,
    commit: toHeight(Math.max(final.height, Math.min(hard.commit, lastHeight(log)))),
    handed: final.height,
    applied: final.height,
    configuration,
    configurationHeight,
    configurationRecords: configurationHeights,
    arriving: [],
    staleRecords: stale,
    role: { kind: 'follower', leader: null, matched: final.height, leaderCommit: final.height, staging: [] },
    now: start.now,
    electionDeadline: start.now + options.electionTimeoutMs * (1 + nextFloat(random)),
    // A restarted voter may have promised a lease that it no longer remembers.
    leaderHeardAt: options.leaseReads && hard.incarnation > 0 ? start.now : null,
    random,
    nextSeq: 1,
    writes: [],
    work: { executable: 0, oldestSince: null, passedOverSince: null },
    reads: [],
    readSerial: 0,
    transfer: null,
    change: null,
    install: null,
    compacted: start.compacted ?? null,
    compacting: false,
    recheckAt: entries.length > 0 ? start.now : null,
    highestKnown: final.height,
    syncAskedAt: null,
    behind: null,
    refused: null,
    started: false,
    counters: {
      campaigns: 0,
      elections: 0,
      stepDowns: 0,
      truncated: 0,
      readRounds: 0,
      readsServed: 0,
      transfers: 0,
      snapshotsOffered: 0,
      snapshotsInstalled: 0,
    },
  };
}

export function count(state: State, name: string, by = 1): void {
  state.counters[name] = (state.counters[name] ?? 0) + by;
}
