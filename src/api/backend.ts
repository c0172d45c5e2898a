import type {
  BlockView,
  ChainParametersView,
  HeaderView,
  ProposalView,
  ProtocolVersionsView,
} from './chain-views.ts';
import type { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { BlockHeader, Height, View } from '../ledger/block.ts';
import type { EngineName } from '../ledger/engine-names.ts';
import type { EpochProof, FinalityProof, Inclusion } from '../ledger/inclusion.ts';
import type { Receipt } from '../ledger/receipt.ts';
import type { Reservation } from '../ledger/reservation.ts';
import type { ReservationId } from '../ledger/reservation-id.ts';
import type { Account } from '../ledger/state-entry.ts';
import type { StateKind, StateReading } from '../ledger/state-reading.ts';
import type { ListBackend } from './listed.ts';
import type { EvidenceView } from './evidence-views.ts';
import type { TelemetryBackend } from './telemetry-views.ts';
import type { NamePage, NamespaceList, NamespaceView, RecordList, RecordView } from './record-views.ts';
import type { MemberChangeRequest, MemberView, ValidatorView } from './member-views.ts';

/**
 * What the API asks the node for. The node implements it; tests have a fake. Answers are plain values, and
 * the API turns them into JSON (see `schemas.ts`).
 *
 * A promise that rejects with a `Problem` becomes that problem's HTTP answer; any other rejection is our own
 * fault and becomes a 500 that says nothing of the inside.
 */
export interface Backend {
  /** What never changes while the node runs. Every status and receipt repeats `engine` and `chainId`. */
  readonly identity: NodeIdentity;

  /**
   * Judges transactions by their bytes, and puts the good ones into the mempool. One answer per transaction,
   * in order. Resolves as soon as all are judged; that they become final is another matter. While nobody
   * leads, where there should be a leader, it waits for one at most `waitMs` (0 unless told) or until
   * `waitsNoMore`, and then rejects with `consensus/no-leader`. They are read some at a time, with `pace`
   * between.
   */
  submit(
    transactions: readonly Uint8Array[],
    options?: { readonly waitMs?: number; readonly waitsNoMore?: () => boolean; readonly pace?: Pace },
  ): Promise<readonly SubmitResult[]>;

  /** What this node knows of a transaction. A final one comes with all that proves it. */
  transaction(hash: Hash, pace?: Pace): Promise<TransactionStatus>;
  /** The same without the proof, which costs more than all the rest. */
  outcome(hash: Hash, pace?: Pace): Promise<TransactionOutcome>;

  /** A final block, or undefined when this node has none of that name. */
  block(name: BlockReference, pace?: Pace): Promise<BlockView | undefined>;
  /** What shows that a final block is one; undefined when this node has none of that name. */
  finality(name: BlockReference): Promise<FinalityProof | undefined>;
  /** How the validators changed, from a height on: at most `limits.httpEpochs`. Never, in Raft. */
  epochs(from: Height): Promise<readonly EpochProof[]>;
  /** Headers of final blocks from a height upward, at most `limit`, fewer when the chain ends. */
  headers(from: Height, limit: number, pace?: Pace): Promise<readonly HeaderView[]>;

  account(key: PublicKey, consistency: Consistency): Promise<Read<AccountView>>;
  /** The value is undefined when there is none, or it ended long ago. */
  reservation(id: ReservationId, consistency: Consistency): Promise<Read<Reservation | undefined>>;
  /** The value is undefined when there is no such record. */
  record(key: string, consistency: Consistency): Promise<Read<RecordView | undefined>>;
  /**
   * What this node's final state has of something, with its proof; undefined while no block is final: nobody
   * signed the state of the genesis.
   */
  stateReading<Name>(kind: StateKind<Name, unknown>, name: Name): Promise<StateReading | undefined>;
  /** Records by the beginning of their keys, all as they are after one final block. */
  listRecords(page: NamePage, consistency: Consistency, pace?: Pace): Promise<Read<RecordList>>;
  namespace(name: string, consistency: Consistency): Promise<Read<NamespaceView | undefined>>;
  /** Namespaces by the beginning of their names, all as they are after one final block. */
  listNamespaces(page: NamePage, consistency: Consistency, pace?: Pace): Promise<Read<NamespaceList>>;

  readonly lists: ListBackend;
  readonly telemetry: TelemetryBackend;

  /** By which rules the next block is made. */
  chainParameters(): ChainParametersView;
  /** The changes of them that are proposed, decided or void, until others take their place. */
  chainProposals(): readonly ProposalView[];
  validators(): readonly ValidatorView[];
  /** The keys that connected peers proved, or this node has, and no validator. */
  strangers(): readonly PublicKey[];
  /** Nodes of its settings that this one cannot reach. */
  unreached(): readonly UnreachedView[];
  /** Everybody who takes part or did, by index. With a fixed committee all are voters. */
  members(): readonly MemberView[];
  /**
   * Changes who takes part; resolves with the height from which on it holds. Only the leader can, where the
   * engine can at all. `forced` skips the check that what is left is a working quorum.
   */
  changeMembers(
    changes: readonly MemberChangeRequest[],
    forced: boolean,
  ): Promise<{ readonly height: Height }>;
  /** Hands the lead over, to the best transferee when none is named. Only the leader can. */
  transferLeader(to: PublicKey | null): Promise<{ readonly height: Height }>;
  status(): NodeStatus;
  /** One sentence: what progress waits for. */
  why(): string;
  /** Stored evidence, oldest first, from an offset. */
  evidence(offset: number, limit: number): Promise<readonly EvidenceView[]>;

  /** Undefined while the node works; a problem when it must be restarted or looked at (a failed disk). */
  health(): Problem | undefined;
  /**
   * Undefined when clients may expect progress; otherwise why not (behind, no quorum
   * contact, starting, stopping).
   */
  readiness(): Problem | undefined;
  metrics(): readonly MetricFamily[];

  /**
   * Calls `listener` after each block that becomes final here, in order of height, until the
   * returned function is called.
   */
  onFinal(listener: (block: FinalBlock) => void): () => void;
  /**
   * Calls `listener` with the reason when this node lost the lead and handed it to nobody, or cannot go on,
   * until the returned function is called: it no longer knows what will become of what it took. Where no
   * outcome depends on one leader, only when it cannot go on.
   */
  onSteppedDown(listener: (reason: string) => void): () => void;
}

/**
 * Awaited between two pieces of work, each of a few milliseconds at most, so that no answer holds up the
 * event loop: the work goes on when it resolves. It rejects when nobody wants the answer any more. Without
 * one the work goes on at once.
 */
export type Pace = () => Promise<void>;

export interface NodeIdentity {
  readonly engine: EngineName;
  /** The genesis file, as `formatGenesis` writes it. */
  readonly genesis: string;
  /** Nothing goes on while nobody leads, and outcomes are unknown when the lead is lost. */
  readonly leaderTakesAll: boolean;
  readonly chainId: Hash;
  /** The chain's name and kind, from its genesis file. */
  readonly chainName: string;
  readonly development: boolean;
  /** The software's version. */
  readonly version: string;
  /** What checks signatures here, in words. */
  readonly signatureCheck: string;
  /** This node's validator key, or null for an observer. Alone of these it may change, where members can. */
  readonly validator: PublicKey | null;
}

/**
 * `stale`: this node's final state. `linearizable`: not older than anything acknowledged anywhere before the
 * request. `lease`: the same, but by the word of a leader that asks nobody while a majority answered it
 * lately: true as long as clocks run about alike.
 */
export type Consistency = 'stale' | 'lease' | 'linearizable';

export interface Read<T> {
  readonly value: T;
  /** As it was asked for: a node that cannot serve a read as asked rejects with a problem. */
  readonly consistency: Consistency;
  /** The final block whose state was read. */
  readonly height: Height;
  readonly blockHash: Hash;
  readonly stateRoot: Hash;
}

export type SubmitResult =
  /** `missing` keeps it from standing in a block, by what waits here. */
  | { readonly status: 'accepted'; readonly hash: Hash; readonly missing: MissingNonce | null }
  /** It waits here already, or is final. */
  | { readonly status: 'known'; readonly hash: Hash }
  /** The hash is null when the bytes are not a transaction. */
  | { readonly status: 'refused'; readonly hash: Hash | null; readonly problem: Problem };

/** A nonce whose sender has transactions with later ones waiting here, and none with this one. */
export interface MissingNonce {
  readonly sender: PublicKey;
  readonly nonce: number;
  /**
   * Of the transaction that waits: once this height is final, no block can hold it. The chain reaches it even
   * when nothing else happens.
   */
  readonly expiryHeight: Height;
}

/**
 * What a node may say of a transaction. `final` and `gone` are true on every node and for ever; `pending` and
 * `unknown` are what this one sees, and another may know more.
 */
export type TransactionStatus = StatusWith<{ readonly inclusion: Inclusion }>;

export type TransactionOutcome = StatusWith<FinalOutcome>;

/** What became of a final transaction: the receipt, and the block that it stands in. */
export interface FinalOutcome {
  readonly receipt: Receipt;
  readonly height: Height;
  readonly blockHash: Hash;
}

type StatusWith<Final> =
  /** It waits in this node's mempool, or stands in a block that is not final yet. */
  | { readonly status: 'pending'; readonly hash: Hash; readonly missing: MissingNonce | null }
  | ({ readonly status: 'final'; readonly hash: Hash } & Final)
  /** No block can hold it any more: another used its nonce, or its expiry height is final. */
  | { readonly status: 'gone'; readonly hash: Hash; readonly problem: Problem }
  /**
   * It is not here. Other nodes may have it, and it may still become final. `problem` says why this node let
   * go of it, when it had it a short while ago.
   */
  | { readonly status: 'unknown'; readonly hash: Hash; readonly problem: Problem | null };

export type BlockReference = { readonly height: Height } | { readonly hash: Hash } | 'latest';

/** By the final state, but for the pending nonce. */
export interface AccountView extends Account {
  readonly publicKey: PublicKey;
  /** The next nonce that a wallet should use: after what waits in this node's mempool. */
  readonly pendingNonce: number;
}

interface UnreachedView {
  readonly address: string;
  readonly why: string;
  readonly remedy: string;
}

export interface NodeStatus {
  /** This node's index among the validators, or null for an observer. */
  readonly validatorIndex: number | null;
  readonly view: View;
  readonly primary: number | null;
  /** Where whoever leads says that its API can be reached; null when that is not known. */
  readonly leaderApi: string | null;
  readonly finalHeight: Height;
  readonly finalHash: Hash;
  readonly stateRoot: Hash;
  /** The final block's timestamp, milliseconds since 1970. */
  readonly finalTimestamp: number;
  /** The highest final height that any peer is known to have. */
  readonly highestKnown: Height;
  readonly inFlight: number;
  readonly voting: boolean;
  readonly quorumContact: boolean;
  readonly syncing: boolean;
  readonly peers: number;
  readonly mempool: { readonly transactions: number; readonly bytes: number };
  /** Of the rules of the next block. */
  readonly protocolVersion: number;
  readonly knownProtocolVersions: ProtocolVersionsView;
  /** It was decided and does not count yet. One that is not known stops the node before its height. */
  readonly scheduledProtocolVersion: { readonly version: number; readonly height: Height } | null;
  readonly uptimeMs: number;
  readonly counters: Readonly<Record<string, number>>;
}

/** A metric by the rules of Prometheus: counters end in `_total`, units are in the names. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

/** What the event stream and those who wait for a transaction learn of a new final block. */
export interface FinalBlock {
  readonly hash: Hash;
  readonly header: BlockHeader;
  readonly transactionCount: number;
  /** One per transaction, in order; each names its transaction. Read when they are first asked for. */
  readonly receipts: readonly Receipt[];
}
