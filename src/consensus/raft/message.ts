import {
  bool,
  boundedBytes,
  encode,
  listOf,
  optional,
  refine,
  struct,
  u16,
  u32,
  u48,
  union,
  wordOf,
} from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import type { Problem } from '../../base/problem.ts';
import { type Hash, hashCodec } from '../../crypto/hash.ts';
import { type Signature, signatureCodec } from '../../crypto/signature.ts';
import {
  type Height,
  heightCodec,
  type Proposal,
  proposalCodec,
  toHeight,
  type View,
  viewCodec,
} from '../../ledger/block.ts';
import type { BlockName, ValidatorIndex } from '../engine.ts';
import { readMessage } from '../shared/wire.ts';

/** A term of Raft (section 5.1): each has at most one leader. It is what headers call the view. */
export type Term = View;

interface Envelope {
  /** The sender's index. The driver checks it against the peer that the stream proves. */
  readonly from: ValidatorIndex;
  readonly term: Term;
}

/** RequestVote (section 5.2), and PreVote (dissertation, section 9.6) with the term that would follow. */
export interface VoteRequest extends Envelope {
  readonly pre: boolean;
  /** Asked for by the old leader: voters do not insist on having lost it first. */
  readonly transfer: boolean;
  readonly lastHeight: Height;
  readonly lastTerm: Term;
  /** The highest block that the sender knows to be committed, so that vote traffic spreads it. */
  readonly commit: BlockName;
  /**
   * In a joint phase: the highest block that its disk had before it saw a later term than the
   * block's (see `vouching.ts`).
   */
  readonly held?: BlockName | undefined;
}

export interface Vote extends Envelope {
  readonly pre: boolean;
  readonly granted: boolean;
  readonly commit: BlockName;
  readonly held?: BlockName | undefined;
}

/** One entry of the log is one block, with its leader's signature. */
export interface WireEntry {
  readonly proposal: Proposal;
  readonly leader: ValidatorIndex;
  readonly signature: Signature;
  /** The configuration that the block starts, encoded; empty when it changes none. */
  readonly configuration: Uint8Array;
}

/** AppendEntries (section 5.3) with entries; without any it is a probe. */
export interface Append extends Envelope {
  /** The receiver's index: a new member learns it here, before it has the block that makes it one. */
  readonly to: ValidatorIndex;
  readonly previous: BlockName;
  readonly entries: readonly WireEntry[];
  readonly commit: Height;
}

/** Everything up to `block` is on the sender's disk and equals the leader's log. */
export interface Accepted extends Envelope {
  readonly block: BlockName;
}

/** `previous` did not match: the fast back-up of section 5.3. */
export interface Rejected extends Envelope {
  readonly previous: Height;
  /**
   * Where the leader should try next: first height of the conflicting term, or after the
   * end of the sender's log.
   */
  readonly next: Height;
  /** Term of the sender's conflicting entries; 0 when its log is too short. */
  readonly conflictTerm: Term;
  /** Everything up to here is final at the sender, so it never conflicts. */
  readonly final: Height;
}

/** The small message that keeps a leadership up; it never carries entries, so bulk never delays it. */
export interface Heartbeat extends Envelope {
  readonly commit: BlockName;
  /** Rises with each round; answers name it, which is how reads are confirmed (dissertation, section 6.4). */
  readonly round: number;
}

export interface HeartbeatAnswer extends Envelope {
  readonly round: number;
  /** Highest block of the leader's that the sender has received, on disk or not: what is above got lost. */
  readonly received: Height;
  /** Stored up to here: the configurations of these blocks are in force at the sender. */
  readonly applied: Height;
}

/** Leadership transfer (dissertation, section 3.10): campaign now. */
interface TimeoutNow extends Envelope {}

/** Names one question once: the asker's count of its starts, and a serial number. */
export interface ReadContext {
  readonly incarnation: number;
  readonly serial: number;
}

/** A follower asks for a read index. */
export interface ReadRequest extends Envelope {
  readonly context: ReadContext;
  /** The leader may answer by its lease. */
  readonly lease: boolean;
}

export interface ReadAnswer extends Envelope {
  readonly context: ReadContext;
  /** Read at this height or above; undefined when the sender cannot say (it does not lead). */
  readonly height: Height | undefined;
}

/**
 * The follower's next block was pruned: it must take the snapshot (section 7). The node fetches the chunks.
 */
export interface SnapshotOffer extends Envelope {
  readonly to: ValidatorIndex;
  readonly snapshot: BlockName;
  /** The configuration at that height, encoded. */
  readonly configuration: Uint8Array;
}

export interface SnapshotAnswer extends Envelope {
  readonly height: Height;
  readonly state: 'receiving' | 'failed';
}

export type RaftMessage =
  | ({ readonly kind: 'vote-request' } & VoteRequest)
  | ({ readonly kind: 'vote' } & Vote)
  | ({ readonly kind: 'append' } & Append)
  | ({ readonly kind: 'accepted' } & Accepted)
  | ({ readonly kind: 'rejected' } & Rejected)
  | ({ readonly kind: 'heartbeat' } & Heartbeat)
  | ({ readonly kind: 'heartbeat-answer' } & HeartbeatAnswer)
  | ({ readonly kind: 'timeout-now' } & TimeoutNow)
  | ({ readonly kind: 'read-request' } & ReadRequest)
  | ({ readonly kind: 'read-answer' } & ReadAnswer)
  | ({ readonly kind: 'snapshot-offer' } & SnapshotOffer)
  | ({ readonly kind: 'snapshot-answer' } & SnapshotAnswer);

const indexCodec = refine(u16, `below ${limits.raftMembers}`, (index) => {
  if (index >= limits.raftMembers) throw new Error(`member ${index} is above the limit`);
  return index;
});
export const nameCodec = struct<BlockName>({ height: heightCodec, blockHash: hashCodec });
const readContextCodec = struct<ReadContext>({ incarnation: u48, serial: u32 });
const configurationBytes = boundedBytes(limits.raftConfigurationBytes, 'configuration');
const entryCodec = struct<WireEntry>({
  proposal: proposalCodec,
  leader: indexCodec,
  signature: signatureCodec,
  configuration: configurationBytes,
});
/** Far from the end of its encoding: a member that adopts a term must be able to go on counting from it. */
const maxTerm = 2 ** 47;
const termCodec = refine(viewCodec, 'at most 2^47', (term) => {
  if (term > maxTerm) throw new Error(`term ${term} is above the limit`);
  return term;
});
const envelope = { from: indexCodec, term: termCodec };

export const messageCodec = union<RaftMessage, 'kind'>('kind', {
  'vote-request': [
    1,
    struct<VoteRequest>({
      ...envelope,
      pre: bool,
      transfer: bool,
      lastHeight: heightCodec,
      lastTerm: viewCodec,
      commit: nameCodec,
      held: optional(nameCodec),
    }),
  ],
  vote: [
    2,
    struct<Vote>({ ...envelope, pre: bool, granted: bool, commit: nameCodec, held: optional(nameCodec) }),
  ],
  append: [
    3,
    struct<Append>({
      ...envelope,
      to: indexCodec,
      previous: nameCodec,
      entries: listOf(entryCodec, limits.raftAppendEntries),
      commit: heightCodec,
    }),
  ],
  accepted: [4, struct<Accepted>({ ...envelope, block: nameCodec })],
  rejected: [
    5,
    struct<Rejected>({
      ...envelope,
      previous: heightCodec,
      next: heightCodec,
      conflictTerm: viewCodec,
      final: heightCodec,
    }),
  ],
  heartbeat: [6, struct<Heartbeat>({ ...envelope, commit: nameCodec, round: u48 })],
  'heartbeat-answer': [
    7,
    struct<HeartbeatAnswer>({ ...envelope, round: u48, received: heightCodec, applied: heightCodec }),
  ],
  'timeout-now': [8, struct<TimeoutNow>(envelope)],
  'read-request': [9, struct<ReadRequest>({ ...envelope, context: readContextCodec, lease: bool })],
  'read-answer': [
    10,
    struct<ReadAnswer>({ ...envelope, context: readContextCodec, height: optional(heightCodec) }),
  ],
  'snapshot-offer': [
    11,
    struct<SnapshotOffer>({
      ...envelope,
      to: indexCodec,
      snapshot: nameCodec,
      configuration: configurationBytes,
    }),
  ],
  'snapshot-answer': [
    12,
    struct<SnapshotAnswer>({ ...envelope, height: heightCodec, state: wordOf(['receiving', 'failed']) }),
  ],
});

export function encodeMessage(message: RaftMessage): Uint8Array {
  return encode(messageCodec, message);
}

export function decodeMessage(bytes: Uint8Array): RaftMessage | Problem {
  return readMessage(messageCodec, bytes, 'Raft message');
}

/** Bytes of an entry on the wire, to bound what is in flight without encoding it. */
export function entryBytes(transactions: number, configuration: number): number {
  return 400 + 32 * transactions + configuration;
}

/** A block's name in a message. */
export function nameOf(height: Height, blockHash: Hash): BlockName {
  return { height, blockHash };
}

/** How high the chain is at least, by a message of somebody who does not lie. */
export function heightShown(message: RaftMessage): Height {
  switch (message.kind) {
    case 'vote-request':
      return toHeight(Math.max(message.lastHeight, message.commit.height));
    case 'vote':
    case 'heartbeat':
      return message.commit.height;
    case 'append':
      return toHeight(Math.max(message.previous.height, message.commit));
    case 'snapshot-offer':
      return message.snapshot.height;
    case 'accepted':
    case 'rejected':
    case 'heartbeat-answer':
    case 'timeout-now':
    case 'read-request':
    case 'read-answer':
    case 'snapshot-answer':
      return toHeight(0);
  }
}
