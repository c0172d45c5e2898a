import type { Hash } from '../crypto/hash.ts';
import type { PublicKey, Signature } from '../crypto/signature.ts';
import type { Height, View } from '../ledger/block.ts';
import type { EngineName } from '../ledger/engine-names.ts';
import type { NamespaceMode } from '../ledger/namespace.ts';

/**
 * What the API answers, as the JSON is (see /v1/openapi.json): amounts are decimal text, because JSON readers
 * round past 2^53; heights, nonces and times are numbers; accounts are `qr1…` addresses; values are
 * lower-case hex. A test compares these types with the API's own schemas.
 *
 * A field that came after its answer may be absent here (`?`), with when it came, although today's nodes
 * always give it: nodes of an older program serve today's clients (`versions.md`), which say less then.
 */
type Amount = string;
export type Address = string;
type BytesHex = string;
export type Consistency = 'stale' | 'lease' | 'linearizable';

/** What every answer about the chain says: which engine made it final, and on which chain. */
export interface Origin {
  readonly engine: EngineName;
  readonly chainId: Hash;
}

export interface HeaderAnswer {
  readonly height: Height;
  readonly parentHash: Hash;
  readonly view: View;
  readonly proposer: Address;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  /** The rules that its transactions were executed by. */
  readonly protocolVersion: number;
  readonly transactionRoot: Hash;
  readonly stateRoot: Hash;
  readonly receiptsRoot: Hash;
  readonly validatorsHash: Hash;
  readonly nextValidatorsHash: Hash;
}

export type CertificateAnswer =
  | {
      readonly engine: 'pbft';
      readonly phase: 'prepare' | 'commit';
      /** The height after which the validators that signed are in force. */
      readonly epoch: Height;
      readonly view: View;
      readonly height: Height;
      readonly blockHash: Hash;
      readonly signatures: readonly { readonly validator: number; readonly signature: Signature }[];
    }
  | {
      readonly engine: 'raft';
      readonly term: View;
      readonly height: Height;
      readonly blockHash: Hash;
      readonly leader: number;
      readonly signature: Signature;
    };

export interface ReceiptAnswer {
  readonly transactionHash: Hash;
  readonly status: 'applied' | 'failed';
  /** Why it failed; empty when it was applied. */
  readonly code: string;
  /** What failed; null when it was applied. */
  readonly failure: {
    readonly part: 'condition' | 'operation';
    readonly index: number;
    /** What was there instead of what it needs. */
    readonly found: FoundAnswer | null;
  } | null;
  readonly fee: Amount;
  /** Accounts that it touched, with what they have after it; the sender first. */
  readonly accounts: readonly {
    readonly address: Address;
    readonly balance: Amount;
    /** What it reserved for others, beside the balance. */
    readonly held: Amount;
  }[];
  /** One for each operation that changed a record, with the record's version after it. */
  readonly records: readonly {
    readonly operation: number;
    readonly version: number;
    /** Where the version before was made; null for the first. */
    readonly previous: PlaceAnswer | null;
  }[];
  /** One for each operation that made or approved a proposed change of the chain. */
  readonly changes: readonly {
    readonly operation: number;
    /** The id of the proposal. */
    readonly proposal: Hash;
    readonly approvals: number;
    readonly needed: number;
    /** Decided with this approval, it counts from this height on; null while it is not decided. */
    readonly effectiveFrom: Height | null;
  }[];
}

export type FoundAnswer =
  | { readonly type: 'version'; readonly version: number }
  | { readonly type: 'hash'; readonly hash: Hash }
  | { readonly type: 'balance'; readonly balance: Amount }
  | { readonly type: 'height'; readonly height: Height }
  /** Milliseconds since 1970. */
  | { readonly type: 'time'; readonly time: number }
  | { readonly type: 'reserved'; readonly amount: Amount };

/** Where in the chain something was done. */
interface PlaceAnswer {
  readonly height: Height;
  readonly transaction: number;
  readonly operation: number;
}

export type OperationAnswer =
  | { readonly type: 'transfer'; readonly to: Address; readonly amount: Amount; readonly memo: string }
  | { readonly type: 'put'; readonly key: string; readonly value: BytesHex }
  | { readonly type: 'delete'; readonly key: string }
  | { readonly type: 'give'; readonly key: string; readonly to: Address }
  | {
      readonly type: 'open-namespace';
      readonly name: string;
      readonly mode: NamespaceMode;
      readonly writers: readonly Address[];
    }
  /** Null stands for what stays as it was. */
  | {
      readonly type: 'set-namespace';
      readonly name: string;
      readonly owner: Address | null;
      readonly mode: NamespaceMode | null;
      readonly writers: readonly Address[] | null;
    }
  | {
      readonly type: 'set-keys';
      readonly keys: readonly Address[];
      readonly threshold: number;
      readonly force: boolean;
    }
  | {
      readonly type: 'reserve';
      readonly to: Address;
      readonly amount: Amount;
      readonly expiryHeight: Height;
      readonly memo: string;
    }
  /** The reservation is named as `ADDRESS:NONCE:OPERATION`. */
  | { readonly type: 'post'; readonly reservation: string; readonly amount: Amount }
  | { readonly type: 'void'; readonly reservation: string }
  | {
      readonly type: 'propose-change';
      readonly change: ChainChangeAnswer;
      /** The last height at which it can be approved. */
      readonly expiryHeight: Height;
      readonly validatorsHash: Hash;
      readonly members: BytesHex;
      readonly replaces: boolean;
    }
  | { readonly type: 'approve-change'; readonly proposal: Hash };

/** What a block may hold at most. */
interface BlockLimitsAnswer {
  readonly maxTransactions: number;
  readonly maxOperations: number;
  readonly maxBytes: number;
}

/** Without a height it counts from the block after the one that decides it. */
export type ChainChangeAnswer =
  | { readonly type: 'validators'; readonly validators: readonly Address[] }
  | { readonly type: 'protocol-version'; readonly version: number; readonly height: Height }
  | { readonly type: 'fee-floor'; readonly feePerOperation: Amount; readonly height?: Height | undefined }
  | { readonly type: 'limits'; readonly limits: BlockLimitsAnswer; readonly height?: Height | undefined };

export type ConditionAnswer =
  | { readonly type: 'record-version'; readonly key: string; readonly version: number }
  | { readonly type: 'record-absent' | 'record-exists'; readonly key: string }
  | { readonly type: 'record-hash'; readonly key: string; readonly hash: Hash }
  | { readonly type: 'balance-at-least'; readonly account: Address; readonly amount: Amount }
  | { readonly type: 'height-at-most'; readonly height: Height }
  | { readonly type: 'time-at-most'; readonly time: number };

export interface TransactionAnswer {
  readonly hash: Hash;
  readonly chainId: Hash;
  readonly sender: Address;
  readonly nonce: number;
  readonly fee: Amount;
  readonly expiryHeight: Height;
  readonly reference: BytesHex;
  readonly conditions: readonly ConditionAnswer[];
  readonly operations: readonly OperationAnswer[];
  readonly signatures: readonly { readonly signer: Address; readonly signature: Signature }[];
  readonly bytes: BytesHex;
}

/** A leaf's place among `size` leaves, and the hashes beside its way to the root. */
interface ProofAnswer {
  readonly index: number;
  readonly size: number;
  readonly path: readonly Hash[];
}

interface Finality {
  readonly header: HeaderAnswer;
  /** Headers up to the block that the certificate names. */
  readonly descendants: readonly HeaderAnswer[];
  readonly certificate: CertificateAnswer;
}

/** All that shows offline, with the genesis file, that a block is final: `verifyHeader` checks it. */
export interface FinalityAnswer extends Origin, Finality {
  readonly hash: Hash;
}

/**
 * What the state after a final block has under one key, and all that shows it offline: `verifyAccount` and
 * its like check it and read it.
 */
export interface StateReadingAnswer extends Origin, Finality {
  /** Of the block. */
  readonly hash: Hash;
  /** The bytes of the entry; null where there is none. */
  readonly entry: BytesHex | null;
  readonly proof: BytesHex;
}

/** The last block of an epoch, what shows that it is final, and who the validators are from there on. */
export interface EpochAnswer extends Finality {
  readonly validators: readonly Address[];
}

export interface EpochsAnswer extends Origin {
  /** By height. Empty where the validators never changed, and in Raft. */
  readonly epochs: readonly EpochAnswer[];
}

export interface GenesisAnswer extends Origin {
  /** The text of the genesis file that the node follows. */
  readonly genesis: string;
}

/** The same of a transaction, and what came of it: `verifyReceipt` checks it. */
export interface InclusionAnswer extends Finality {
  readonly height: Height;
  readonly blockHash: Hash;
  readonly receipt: ReceiptAnswer;
  readonly transactionProof: ProofAnswer;
  readonly receiptProof: ProofAnswer;
  readonly transaction: TransactionAnswer;
}

/** A problem that is a part of an answer. */
export interface ProblemAnswer {
  readonly code: string;
  readonly detail: string;
  readonly remedy: string;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

export type TransactionStatusAnswer = Origin & { readonly hash: Hash } & (
    | { readonly status: 'pending'; readonly missing: MissingNonceAnswer | null }
    | { readonly status: 'final'; readonly inclusion: InclusionAnswer }
    /** No block can hold it any more: true on every node. */
    | { readonly status: 'gone'; readonly problem: ProblemAnswer }
    /** Not at this node, which may say why; another may have it, and it may still become final. */
    | { readonly status: 'unknown'; readonly problem: ProblemAnswer | null }
  );

/**
 * What keeps a transaction waiting: until this sender's transaction with this nonce comes,
 * it can stand in no block.
 */
export interface MissingNonceAnswer {
  readonly sender: Address;
  readonly nonce: number;
  /** Once this height is final, the one that waits is gone. */
  readonly expiryHeight: Height;
}

/**
 * One transaction of a submission; `pending`, `gone`, `unknown` and `final` come only when it waited for them
 * to be final. `unknown`: the node took it and then lost the lead, or sight of any leader, or let go of it;
 * it may still become final. `gone`: no block can hold it any more.
 */
export type SubmitAnswer =
  | {
      readonly status: 'accepted' | 'pending';
      readonly hash: Hash;
      readonly missing: MissingNonceAnswer | null;
    }
  | { readonly status: 'known'; readonly hash: Hash }
  | { readonly status: 'refused'; readonly hash: Hash | null; readonly problem: ProblemAnswer }
  | { readonly status: 'gone' | 'unknown'; readonly hash: Hash; readonly problem: ProblemAnswer }
  | {
      readonly status: 'final';
      readonly hash: Hash;
      readonly height: Height;
      readonly blockHash: Hash;
      readonly receipt: ReceiptAnswer;
    };

export interface HeaderItem {
  readonly hash: Hash;
  readonly header: HeaderAnswer;
  readonly transactionCount: number;
}

export interface BlockAnswer extends Origin {
  readonly hash: Hash;
  readonly header: HeaderAnswer;
  /** The block's own; null when a later block's made it final. */
  readonly certificate: CertificateAnswer | null;
  readonly transactionHashes: readonly Hash[];
  /** Asked for with `full`. */
  readonly transactions?: readonly TransactionAnswer[] | undefined;
  readonly receipts?: readonly ReceiptAnswer[] | undefined;
}

/** Where a state was read, and how. */
export interface ReadAnswer extends Origin {
  readonly consistency: Consistency;
  readonly height: Height;
  readonly blockHash: Hash;
  readonly stateRoot: Hash;
}

export interface AccountAnswer extends ReadAnswer {
  readonly address: Address;
  readonly publicKey: PublicKey;
  /** What it can spend. */
  readonly balance: Amount;
  /** What it reserved for others, beside the balance. */
  readonly held: Amount;
  /** The next nonce by the final state. */
  readonly nonce: number;
  /** Which keys sign for it; null while its own key alone does. */
  readonly keys: { readonly keys: readonly Address[]; readonly threshold: number } | null;
  /**
   * The next nonce to use after what waits in this node's mempool: its opinion at this
   * height; other nodes may differ.
   */
  readonly pendingNonce: number;
}

export interface ReservationAnswer extends ReadAnswer {
  /** `ADDRESS:NONCE:OPERATION`: who reserved, the nonce of that transaction, the operation's index in it. */
  readonly reservation: string;
  readonly sender: Address;
  /** Who alone can post or void it. */
  readonly recipient: Address;
  readonly amount: Amount;
  /** The last height at which it can be posted. */
  readonly expiryHeight: Height;
  readonly made: PlaceAnswer;
  readonly status: 'held' | 'posted' | 'voided' | 'expired';
  /** What the recipient took; the rest went back to the sender. */
  readonly taken: Amount;
  /** Where it was posted or voided; null when it was not. */
  readonly settled: PlaceAnswer | null;
}

export interface RecordAnswer extends ReadAnswer, RecordItem {}

/** Records whose keys begin with a prefix, in the order of the bytes of their keys. */
export interface RecordListAnswer extends ReadAnswer {
  readonly prefix: string;
  readonly records: readonly RecordItem[];
  /** The key behind which the next page begins; null where there is none. A page may be empty and go on. */
  readonly next: string | null;
}

export interface NamespaceAnswer extends ReadAnswer, NamespaceItem {}

/** Namespaces whose names begin with a prefix, in the order of the bytes of their names. */
export interface NamespaceListAnswer extends ReadAnswer {
  readonly prefix: string;
  readonly namespaces: readonly NamespaceItem[];
  /** The name behind which the next page begins; null where there is none. A page may be empty and go on. */
  readonly next: string | null;
}

interface NamespaceItem {
  readonly name: string;
  /** Who may change its mode, writers and owner. */
  readonly owner: Address;
  readonly mode: NamespaceMode;
  /** None in mode `open`. */
  readonly writers: readonly Address[];
  /** Keys that were ever written there, those of deleted records too. */
  readonly entries: number;
  /** Of the tree of its entries. */
  readonly root: Hash;
}

interface RecordItem {
  readonly key: string;
  readonly owner: Address;
  readonly value: BytesHex;
  /** 1, 2, 3 …: every change of the record counts, also across its deletion. */
  readonly version: number;
  /** Where this version was made. */
  readonly changed: PlaceAnswer;
  /** Where the one before it was made; null for the first. */
  readonly previous: PlaceAnswer | null;
}

/** A page of a list. */
interface ListAnswer extends Origin {
  /** The node's final height when the page was read. */
  readonly height: Height;
  /** From this height on nothing is left out; the node does not know what was below. */
  readonly completeFrom: Height;
  /** The cursor of the next page; null where the list ends. */
  readonly next: string | null;
}

export interface ListedTransactionAnswer {
  readonly height: Height;
  readonly index: number;
  /** Of the block, milliseconds since 1970. */
  readonly timestamp: number;
  readonly transaction: TransactionAnswer;
  readonly receipt: ReceiptAnswer;
}

export interface AccountTransactionsAnswer extends ListAnswer {
  readonly address: Address;
  readonly transactions: readonly (ListedTransactionAnswer & {
    /** Whether the account sent it, or is touched or named by it. */
    readonly role: 'sender' | 'touched';
  })[];
}

export interface TransactionsAnswer extends ListAnswer {
  readonly reference: BytesHex;
  readonly transactions: readonly ListedTransactionAnswer[];
}

export interface RecordVersionAnswer {
  readonly version: number;
  readonly made: PlaceAnswer;
  readonly timestamp: number;
  readonly transactionHash: Hash;
  /** Who sent the transaction. */
  readonly by: Address;
  readonly change: 'put' | 'delete' | 'give';
  /** What was written; null for the others. */
  readonly value: BytesHex | null;
  /** Whom it was given to; null for the others. */
  readonly to: Address | null;
}

export interface RecordHistoryAnswer extends ListAnswer {
  readonly key: string;
  readonly versions: readonly RecordVersionAnswer[];
}

/** What a record was at a height. */
export interface RecordAtAnswer {
  readonly height: Height;
  /** 0 where it was never written up to then. */
  readonly version: number;
  readonly made: PlaceAnswer | null;
  /** Null where it was not there, or not any more. */
  readonly value: BytesHex | null;
}

export interface RecordDiffAnswer extends Origin {
  readonly key: string;
  readonly from: RecordAtAnswer;
  readonly to: RecordAtAnswer;
}

interface ProtocolVersionsAnswer {
  readonly oldest: number;
  readonly newest: number;
}

/** What counts for the block after the final one. */
export interface ChainParametersAnswer extends Origin {
  /** The final block whose state was read. */
  readonly height: Height;
  readonly blockHash: Hash;
  readonly stateRoot: Hash;
  readonly protocolVersion: number;
  readonly feePerOperation: Amount;
  readonly limits: BlockLimitsAnswer;
  /** Decided, and to count from a later height on. */
  readonly scheduled: readonly { readonly height: Height; readonly change: ChainChangeAnswer }[];
  /** The set in force, as headers name it. */
  readonly validatorsHash: Hash;
  /** Who proposes and approves changes. */
  readonly validators: readonly {
    readonly address: Address;
    readonly publicKey: PublicKey;
    readonly name: string | null;
    /** Which its node knows; null while the one that answers is not connected to it. */
    readonly protocolVersions: ProtocolVersionsAnswer | null;
  }[];
  /** Raft: what a proposal gives as its members; otherwise empty. */
  readonly members: BytesHex;
  /** How many of the validators must approve a change. */
  readonly needed: number;
}

export interface ProposalAnswer {
  readonly id: Hash;
  readonly proposer: Address;
  readonly change: ChainChangeAnswer;
  /** The last height at which it can be approved. */
  readonly expiryHeight: Height;
  readonly validatorsHash: Hash;
  readonly approvals: readonly Address[];
  readonly needed: number;
  readonly decidedAt: Height | null;
  /** `void`: it was made for another set of validators than the one in force. */
  readonly status: 'open' | 'decided' | 'expired' | 'void';
}

export interface ChainProposalsAnswer extends Origin {
  readonly height: Height;
  readonly proposals: readonly ProposalAnswer[];
}

export interface ValidatorAnswer {
  readonly index: number;
  readonly name: string;
  readonly address: Address;
  readonly publicKey: PublicKey;
  readonly primary: boolean;
  /** Whether this is the node that answers. */
  readonly self: boolean;
  readonly connected: boolean;
  /**
   * Whether it was heard lately and votes; null where the node cannot tell (an observer; in Raft mode). Since
   * 2026-12-01.
   */
  readonly heard?: boolean | null;
}

export interface ValidatorsAnswer {
  readonly validators: readonly ValidatorAnswer[];
  /** Whose keys connected peers proved, or the node has, and no validator. Since 2026-12-01. */
  readonly strangers?: readonly Address[];
  /**
   * Nodes of its settings that the one that answers cannot reach: why, and what to do about it.
   * Absent when there are none.
   */
  readonly unreached?: readonly { readonly address: string; readonly why: string; readonly remedy: string }[];
}

export interface MemberAnswer {
  /** Kept forever, also by one that was removed. */
  readonly index: number;
  readonly name: string;
  readonly address: Address;
  readonly publicKey: PublicKey;
  readonly role: 'voter' | 'learner' | 'removed' | 'joining' | 'leaving' | 'demoted';
  readonly leader: boolean;
  /** Where it says that its API can be reached; null when it says nothing, or is not connected. */
  readonly api: string | null;
  readonly self: boolean;
  readonly connected: boolean;
}

/** What one node measured in one span of time, and what was so at its end. */
export interface SampleAnswer {
  /** Its end, in milliseconds since 1970. */
  readonly at: number;
  readonly ms: number;
  readonly blocks: number;
  readonly transactions: number;
  /** Of the transactions of all its blocks. */
  readonly blockBytes: number;
  /** From when transactions could be executed there until they were final there. */
  readonly latencyMs: {
    readonly p50: number | null;
    readonly p90: number | null;
    readonly p99: number | null;
  };
  readonly pending: number;
  readonly view: number;
  readonly viewChanges: number;
  readonly memoryBytes: number;
  readonly heapBytes: number;
  readonly diskBytes: number | null;
  /** How late the votes of each came, on average. */
  readonly votes: readonly { readonly validator: Address; readonly ms: number }[];
}

export interface SamplesAnswer extends Origin {
  readonly everyMs: number;
  readonly samples: readonly SampleAnswer[];
}

export interface ViewChangeAnswer {
  readonly at: number;
  readonly view: number;
  /** Who began it or leads it; null while nobody does. */
  readonly leader: Address | null;
  readonly reason: string;
}

export interface ViewChangesAnswer extends Origin {
  readonly changes: readonly ViewChangeAnswer[];
}

/** Times are in milliseconds since the proposal came to the node; null when it did not. */
export interface BlockVotesAnswer {
  readonly height: Height;
  readonly hash: Hash;
  readonly proposer: Address;
  readonly finalMs: number | null;
  readonly votes: readonly { readonly validator: Address; readonly ms: number | null }[];
}

export interface VotesAnswer extends Origin {
  readonly blocks: readonly BlockVotesAnswer[];
}

/** A change of the members or of the leader is in force. */
export interface ChangedAnswer extends Origin {
  readonly height: Height;
}

export interface StatusAnswer extends Origin {
  readonly chainName: string;
  readonly development: boolean;
  readonly version: string;
  /** What checks signatures there, in words. */
  readonly signatureCheck: string;
  /** Null for an observer. */
  readonly validator: { readonly index: number; readonly address: Address } | null;
  readonly view: View;
  /** Index of the validator that leads; null while nobody does. */
  readonly primary: number | null;
  /** Where that one says that its API can be reached; null when that is not known. */
  readonly leaderApi: string | null;
  readonly finalHeight: Height;
  readonly finalHash: Hash;
  readonly stateRoot: Hash;
  readonly finalTimestamp: number;
  readonly highestKnown: Height;
  readonly inFlight: number;
  readonly voting: boolean;
  readonly quorumContact: boolean;
  readonly syncing: boolean;
  readonly ready: boolean;
  readonly peers: number;
  readonly mempool: { readonly transactions: number; readonly bytes: number };
  /** Of the rules of the next block. */
  readonly protocolVersion: number;
  readonly knownProtocolVersions: ProtocolVersionsAnswer;
  /** Decided, and to count from that height on: a node that does not know it stops before. */
  readonly scheduledProtocolVersion: { readonly version: number; readonly height: Height } | null;
  readonly uptimeMs: number;
  readonly counters: Readonly<Record<string, number>>;
}

export interface WhyAnswer extends Origin {
  readonly finalHeight: Height;
  readonly why: string;
}

export interface EvidenceItem {
  readonly accused: number;
  readonly address: Address;
  readonly kind: string;
  readonly bytes: BytesHex;
  /**
   * The same, read; null where the node cannot read it. `verifyContradiction` checks two votes. Since
   * 2026-11-29, 06:14 UTC.
   */
  readonly contradiction?: {
    /** Of the validators that it is about. */
    readonly epoch: Height;
    /** Two, of which a correct validator signs one at most. */
    readonly messages: readonly SignedWordAnswer[];
  } | null;
}

export interface SignedWordAnswer {
  readonly kind: string;
  readonly view: View;
  /** Of the block that it is about, or up to which all is final for its signer. */
  readonly height: Height;
  readonly blockHash: Hash | null;
  /** The best that its signer says to know. */
  readonly certificate: { readonly phase: string; readonly view: View; readonly height: Height } | null;
  readonly signature: Signature;
}

/** What each call of `HttpClient` is answered with. */
export interface Answers {
  readonly status: StatusAnswer;
  readonly account: AccountAnswer;
  readonly transaction: TransactionStatusAnswer;
  readonly submitted: Origin & SubmitAnswer;
  readonly submissions: Origin & { readonly results: readonly SubmitAnswer[] };
  readonly block: BlockAnswer;
  readonly finality: FinalityAnswer;
  readonly stateReading: StateReadingAnswer;
  readonly headers: Origin & { readonly headers: readonly HeaderItem[] };
  readonly epochs: EpochsAnswer;
  readonly genesis: GenesisAnswer;
  readonly reservation: ReservationAnswer;
  readonly record: RecordAnswer;
  readonly records: RecordListAnswer;
  readonly namespace: NamespaceAnswer;
  readonly namespaces: NamespaceListAnswer;
  readonly accountTransactions: AccountTransactionsAnswer;
  readonly transactions: TransactionsAnswer;
  readonly recordHistory: RecordHistoryAnswer;
  readonly recordDiff: RecordDiffAnswer;
  readonly chainParameters: ChainParametersAnswer;
  readonly chainProposals: ChainProposalsAnswer;
  readonly validators: Origin & ValidatorsAnswer;
  readonly members: Origin & { readonly members: readonly MemberAnswer[] };
  readonly changed: ChangedAnswer;
  readonly why: WhyAnswer;
  readonly evidence: Origin & { readonly offset: number; readonly evidence: readonly EvidenceItem[] };
  readonly samples: SamplesAnswer;
  readonly viewChanges: ViewChangesAnswer;
  readonly votes: VotesAnswer;
  readonly health: Origin & { readonly status: 'ok' };
  readonly ready: Origin & { readonly status: 'ready' };
}
