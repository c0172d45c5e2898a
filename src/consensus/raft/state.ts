import type { RandomState } from '../../base/random.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { Height, Proposal } from '../../ledger/block.ts';
import type { BlockName, Effect, MonotonicMs, RequestId, ValidatorIndex } from '../engine.ts';
import type { Ballot } from '../shared/ballot.ts';
import type { Contact } from '../shared/contact.ts';
import type { Pacing } from '../shared/pacing.ts';
import type { Patience } from '../shared/patience.ts';
import type { SyncAsk } from '../shared/sync-ask.ts';
import type { Timer } from '../shared/timer.ts';
import type { WriteQueue } from '../shared/write-queue.ts';
import type { Entry, Log } from './log.ts';
import type { RaftMessage, ReadContext, Term } from './message.ts';
import type { RetransmissionTimeout } from './retransmission.ts';
import type { Configuration } from '../../ledger/members.ts';

/**
 * The whole state of an engine, plain data. Heights along the log, lowest first:
 * `applied` <= `delivered` <= `commit`, and `executed`, `durable` <= last.
 */
export interface RaftState {
  /** This node's index; null for one that never took part. */
  self: ValidatorIndex | null;
  term: Term;
  votedFor: ValidatorIndex | null;
  /** The term that is on disk. */
  durableTerm: Term;
  incarnation: number;
  guard: AmnesiaGuard;
  readonly keyUse: KeyUse;
  /** The key may have been used elsewhere before, and this member has bound itself to nothing yet. */
  unproven: boolean;
  log: Log;
  /**
   * The newest change of the members that this disk had before a later term than the block's was seen;
   * null when that is not known.
   */
  held: BlockName | null;
  /** What other voters said so of, in the joint phase in force. */
  readonly heldBy: Map<ValidatorIndex, BlockName>;
  /** Up to here the log as it is now is on disk. */
  durable: Height;
  /** Up to here the driver has executed the blocks. */
  executed: Height;
  /** Up to here blocks are known to be committed. */
  commit: Height;
  /** Up to here `commit` effects were given. */
  delivered: Height;
  /** Up to here the driver has stored blocks and state. */
  applied: Height;
  /** In force: that of the newest applied block that starts one. */
  configuration: Configuration;
  configurationHeight: Height;
  /** When it came into force here, or this process began. */
  configurationSince: MonotonicMs;
  /** Who lost its vote with the block at that height; null when the members before it are not known. */
  departed: ReadonlySet<ValidatorIndex> | null;
  /** Heights that have a configuration record, ascending. */
  configurationRecords: Height[];
  /** Configurations of blocks that sync brought, and that are not applied yet, in order. */
  arriving: { readonly height: Height; readonly configuration: Uint8Array }[];
  /** Records to remove with the next write. */
  staleRecords: string[];
  role: Role;
  now: MonotonicMs;
  /** With a leader, a majority or the disk that seems to be silent. */
  readonly patience: Patience;
  readonly electionTimer: Timer;
  /** When a leader was last heard; null since it was given up. */
  leaderHeardAt: MonotonicMs | null;
  random: RandomState;
  readonly writes: WriteQueue<KeptWrite>;
  readonly pacing: Pacing;
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
  /** Asks again for the execution of entries that were found in the log at the start. */
  readonly recheck: Timer;
  highestKnown: Height;
  readonly syncAsk: SyncAsk;
  /**
   * Since when the leader has committed more than this member, without any progress
   * here; null when it is level.
   */
  behind: { readonly since: MonotonicMs; readonly commit: Height } | null;
  /** Why a block of the leader's was refused, for `why`. */
  refused: string | null;
  started: boolean;
  counters: Record<string, number>;
}

/** What a write on its way stands for. */
interface KeptWrite {
  /** The log up to here is durable with it; a later truncation lowers this (ABA). */
  upTo: Height;
  /** Sent once it is durable. */
  after: Effect<RaftMessage>[];
  /** The term that it holds. */
  readonly term: Term;
  /** The term in which it keeps its vote for itself. */
  readonly ownVote: Term | null;
}

/**
 * What a member whose log was lost may do: nothing that decides, unless it is `off`. `asking`: it asks
 * a leader what was committed when it asked, after the loss; what the blocks up to there say of its
 * own place may be from before it. `waiting`: it knows that recovery index, and is trusted again when
 * it is no voter after it.
 */
type AmnesiaGuard =
  | { readonly name: 'off' }
  | {
      readonly name: 'asking';
      /** The question, and when it may be asked anew; null until there is one. */
      readonly asked: { readonly context: ReadContext; readonly until: MonotonicMs } | null;
    }
  | { readonly name: 'waiting'; readonly recoveryIndex: Height };

/** What is known of the blocks that were made with this member's key. */
interface KeyUse {
  /**
   * Whether all blocks by this key are explained, by the log or by an operator's word; doubted once somebody
   * showed one that is not.
   */
  trust: 'known' | 'vouched' | 'doubted';
  /** Blocks of terms up to here are explained: they may be from before this start, or before the loss. */
  upTo: Term;
  /** Terms in which this process leads or led, oldest first. */
  readonly led: Set<Term>;
}

type Role = Follower | Candidate | Leader;

export interface Follower {
  readonly kind: 'follower';
  leader: ValidatorIndex | null;
  /** The log equals the leader's up to here. */
  matched: Height;
  leaderCommit: Height;
  /**
   * Entries of the leader's that are being validated; they continue the log at the first one's
   * height, or replace its end.
   */
  staging: Staged[];
}

interface Staged {
  readonly entry: Entry;
  valid: boolean;
  readonly retry: Timer;
}

export interface Candidate {
  readonly kind: 'candidate';
  /** Asking whether a campaign would make sense (pre-vote), or in one. */
  readonly pre: boolean;
  readonly transfer: boolean;
  readonly votes: Ballot<boolean>;
}

export interface Leader {
  readonly kind: 'leader';
  readonly since: MonotonicMs;
  /** Height of the first block of this term; null until it is in the log. */
  first: Height | null;
  /** Everything was applied once since the election: blocks with transactions may be cut. */
  ready: boolean;
  readonly progress: Map<ValidatorIndex, Progress>;
  /**
   * Answers in this term: a message that only shows that its sender lives is none (it may not
   * hear this leader at all).
   */
  readonly contact: Contact;
  making: Making | null;
  round: number;
  /** When the rounds that are still of interest were sent, oldest first. */
  roundsSent: { readonly round: number; readonly at: MonotonicMs }[];
  readonly heartbeatTimer: Timer;
  /** Reads that wait for the round, in order. */
  readRounds: LeaderRead[];
  transfer: { readonly to: ValidatorIndex; readonly deadline: MonotonicMs; told: boolean } | null;
  /**
   * A transferee was told to campaign. It may do so late, and voters help it although they hear this leader:
   * no lease holds in this term any more.
   */
  transfereeTold: boolean;
  /**
   * It has no vote any more since its last configuration, and stays until the others have that
   * in force, or until then.
   */
  partingUntil: MonotonicMs | null;
  /** A configuration that the next block shall start. */
  nextConfiguration: Configuration | null;
}

/** A block in the making: asked for, or waiting for its signature. */
export interface Making {
  readonly parentHash: Hash;
  readonly height: Height;
  readonly purpose: 'first' | 'work' | 'configuration' | 'expiry';
  readonly configuration: Configuration | null;
  built: { readonly proposal: Proposal; readonly blockHash: Hash; readonly bytes: number } | null;
}

export interface Progress {
  /** `probe`: where does its log fit? `stream`: send ahead. `snapshot`: it fetches one. */
  kind: 'probe' | 'stream' | 'snapshot';
  match: Height;
  next: Height;
  inFlight: { readonly last: Height; readonly bytes: number }[];
  /** Highest block that it last said to have received, on disk or not. */
  received: Height;
  /** The highest block that it said to have stored. */
  applied: Height;
  readonly retransmission: RetransmissionTimeout;
  probeSentAt: MonotonicMs | null;
  /** Last entry in the probe. */
  probeLast: Height;
  loadingFrom: Height | null;
  /** The newest round that it answered, and when that round was sent. */
  round: number;
  roundSentAt: MonotonicMs;
  /**
   * False while its answers name no round: its log was lost, or its first write is not done, and
   * nothing can be decided with it.
   */
  decides: boolean;
  snapshot: { readonly block: BlockName; heardAt: MonotonicMs } | null;
}

/** A read at the leader: its own, or of a follower that asked with a context. */
export interface LeaderRead {
  readonly from:
    | { readonly id: RequestId }
    | { readonly member: ValidatorIndex; readonly context: ReadContext };
  /** Null until the leader has committed a block of its term. */
  index: Height | null;
  /** A lease is enough. */
  readonly lease: boolean;
  /** The round that must be confirmed; null until one starts after the read came. */
  round: number | null;
}

export interface LocalRead {
  readonly id: RequestId;
  readonly deadline: MonotonicMs;
  /** Set while a leader elsewhere was asked. */
  context: ReadContext | null;
  /** Set when the index is known and its block is not applied yet. */
  index: Height | null;
}

interface TransferRequest {
  readonly id: RequestId;
  readonly to: ValidatorIndex;
  readonly deadline: MonotonicMs;
}

interface ChangeRequest {
  readonly id: RequestId;
  /** Height of the newest configuration block of this change; null until it is in the log. */
  height: Height | null;
}

export interface Install {
  readonly snapshot: BlockName;
  /** The leader that offered it; null when sync found it. */
  from: ValidatorIndex | null;
  readonly configuration: Configuration;
  /** The part of it that is here, from 0 to 1. */
  received: number;
}
