import type { Brand } from '../base/brand.ts';
import type { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey, Signature } from '../crypto/signature.ts';
import type { BlockHeader, Height, Proposal, View } from '../ledger/block.ts';
import type { FinalityCertificate } from '../ledger/certificate.ts';
import type { EngineName } from '../ledger/engine-names.ts';
import type { Member } from '../ledger/members.ts';
import type { ValidatorSet } from '../ledger/validators.ts';

/**
 * The contract between an engine (PBFT or Raft) and the driver in `node/`.
 *
 * An engine decides; the driver acts. `step` takes one input and returns effects, which the driver executes
 * in order. `step` is total and synchronous: it reads no clock, disk, network or randomness but what its
 * inputs and its own seeded state hold, and it never throws on input, however malformed or malicious.
 */
export interface Engine<M> {
  step(input: Input<M>): readonly Effect<M>[];
  /** A projection of the state for the API, metrics and tests. */
  status(): EngineStatus;
  /** One sentence: what progress waits for. */
  why(): string;
  /**
   * A cheap look before the signatures of a message are checked: false when `step` would drop it in any
   * case (outside the window, an old view, a duplicate), so that a flood costs no signature check.
   * `direct` as in the input.
   */
  wants(message: M, direct?: boolean): boolean;
}

/**
 * A message whose signatures were all checked. Only `node/peers/verification.ts` makes one (the
 * import test enforces it).
 */
export type Verified<T> = Brand<T & object, 'Verified'>;

/** A validator's index in the current set. */
export type ValidatorIndex = number;

/** Milliseconds of a clock that never goes back and has no meaning outside one process. */
export type MonotonicMs = number;

export type Input<M> =
  /**
   * Time passes. The only clock an engine has. `slept`: it may have stood still meanwhile, as that of a
   * machine does that was suspended; for others time passed, and what they promised may be over. `lateMs`: it
   * comes so much later than it was due. The process stood still, and what came for it meanwhile waits behind
   * this.
   */
  | {
      readonly type: 'tick';
      readonly now: MonotonicMs;
      readonly slept?: boolean;
      readonly lateMs?: number;
    }
  /**
   * `protocol.senderOf(message)` is proven: it signed the message, whoever delivered it; or, where
   * `protocol.authentication` is 'channel', the message came over that validator's own authenticated stream.
   * `direct`: it did so in any case. Without it anybody may have brought it, and at any time: it may be old.
   */
  | { readonly type: 'message'; readonly message: Verified<M>; readonly direct?: boolean }
  /**
   * The answer to `build`; null when there is nothing to put into a block. The block is
   * valid: the driver executed it.
   */
  | {
      readonly type: 'built';
      readonly parentHash: Hash;
      readonly view: View;
      readonly proposal: Proposal | null;
      /** Size of the block with its transactions, for engines that bound what is in flight by bytes. */
      readonly bytes?: number;
      /** Nothing more went into it: what waits need not be collected any longer. */
      readonly isFull?: boolean;
    }
  /** The answer to `sign`: the signature over the preimage that was asked for under this key. */
  | { readonly type: 'signed'; readonly key: string; readonly signature: Signature }
  /**
   * The answer to `validate`. `valid` means that every block from above the final one up to this one links,
   * has its transactions, and executes to its header's roots; `chain` lists them, lowest first. `unavailable`
   * means that nobody asked could supply something in time; the engine may ask again. `early` means valid but
   * for the clock of this node, which the block or one below it is `aheadMs` ahead of: that passes by
   * waiting, so the engine asks again and holds it against nobody.
   */
  | {
      readonly type: 'validated';
      readonly blockHash: Hash;
      readonly result:
        | { readonly verdict: 'valid'; readonly chain: readonly ChainLink[] }
        | { readonly verdict: 'early'; readonly chain: readonly ChainLink[]; readonly aheadMs: number }
        | { readonly verdict: 'invalid'; readonly reason: string }
        | { readonly verdict: 'unavailable'; readonly reason: string };
    }
  /**
   * The write `seq` and all before it are on disk. `signed` holds the signed form of what it
   * asked to sign, in order.
   */
  | { readonly type: 'persisted'; readonly seq: number; readonly signed: readonly M[] }
  /** The block at this height is stored and its state is the base of new work. Heights come in order. */
  | {
      readonly type: 'applied';
      readonly height: Height;
      /** Who votes on the blocks above it, where that changes with it (PBFT; Raft has its members itself). */
      readonly validators?: ValidatorSet | undefined;
      /** With `validators`: as `EngineStart.epochSeen`. */
      readonly epochSeen?: boolean;
    }
  /** What waits in the mempool; given whenever it changes in a way that matters. */
  | { readonly type: 'work'; readonly work: PendingWork }
  /**
   * Blocks that sync fetched: they link from the engine's final block, and the certificate, whose signatures
   * were checked, is for the last of them. The driver holds their transactions. A chain never crosses a
   * change of the validators: it ends at the block whose `nextValidatorsHash` differs from its
   * `validatorsHash`, and the next one goes on from there.
   */
  | {
      readonly type: 'synced';
      readonly chain: readonly ChainLink[];
      readonly certificate: Verified<FinalityCertificate>;
      /**
       * Header of the last block. Raft ignores a chain without it: it could not tell
       * which members it is under.
       */
      readonly header?: BlockHeader;
      /** Headers of the blocks below the last, as far as they came with it. */
      readonly below?: readonly BlockHeader[];
    }
  /**
   * Sync found nobody who still has the next block, and this snapshot instead. The certificate, whose
   * signatures were checked, is for the header, and as `snapshotCertificate` made it. An engine that wants
   * the snapshot asks for `install`; one that never prunes ignores it.
   */
  | {
      readonly type: 'offered';
      readonly header: BlockHeader;
      readonly blockHash: Hash;
      readonly certificate: Verified<FinalityCertificate>;
      /** The validators among those who offered it. */
      readonly holders: readonly ValidatorIndex[];
    }
  | { readonly type: 'connected'; readonly validator: ValidatorIndex }
  | { readonly type: 'lost'; readonly validator: ValidatorIndex }
  /**
   * An operator or a client asks something of the engine. `id` is the driver's own and
   * comes back once, in `answer`.
   */
  | { readonly type: 'request'; readonly id: RequestId; readonly request: EngineRequest }
  /**
   * The answer to `load`, in the order asked. A block that storage does not hold (pruned) has no proposal.
   */
  | { readonly type: 'loaded'; readonly blocks: readonly LoadedBlock[] }
  /**
   * The answer to `compact`, also given after a restart's first one: the newest snapshot, and the
   * lowest block still stored.
   */
  | { readonly type: 'compacted'; readonly snapshot: BlockName; readonly firstBlock: Height }
  /** Progress of `install`, now and then, so that others can tell slow from dead. */
  | {
      readonly type: 'installing';
      readonly height: Height;
      readonly received: number;
      readonly total: number;
    }
  /**
   * The answer to `install`: the snapshot's block is the final one now, and its state the base of new work.
   */
  | {
      readonly type: 'installed';
      readonly header: BlockHeader;
      readonly blockHash: Hash;
      readonly certificate: FinalityCertificate;
    }
  | { readonly type: 'install-failed'; readonly height: Height; readonly reason: string };

/** The driver's name for a request. Never used twice in one process. */
export type RequestId = number;

/**
 * What may be asked of an engine. One that does not know a kind answers with the problem
 * `consensus/unsupported`.
 */
export type EngineRequest =
  /**
   * From which height on may a read that must be linearizable be served? Answered
   * when that height is applied.
   */
  | {
      readonly kind: 'read';
      /**
       * The leader may answer by its lease, which trusts that clocks run about alike. A chain
       * that gives none refuses it.
       */
      readonly lease?: boolean;
    }
  /**
   * Hand the lead to a validator; null lets the engine choose (before a clean shutdown). Only a leader can.
   */
  | { readonly kind: 'transfer'; readonly to: ValidatorIndex | null }
  /**
   * Change who takes part, all of it at once. Only a leader can. `forced` skips the check that the
   * result keeps a live quorum.
   */
  | {
      readonly kind: 'members';
      readonly changes: readonly MemberChange[];
      readonly forced: boolean;
    };

/** A key's place after the change: votes, only follows, or is out. */
export interface MemberChange {
  readonly key: PublicKey;
  readonly role: 'voter' | 'learner' | 'removed';
}

export interface BlockName {
  readonly height: Height;
  readonly blockHash: Hash;
}

export interface LoadedBlock {
  readonly height: Height;
  readonly block: {
    readonly blockHash: Hash;
    readonly proposal: Proposal;
    /** Null for a block that is not final, or has no certificate of its own. */
    readonly certificate: FinalityCertificate | null;
  } | null;
}

/** A block's name and place. */
export interface ChainLink {
  readonly height: Height;
  readonly blockHash: Hash;
  readonly parentHash: Hash;
  /** Its header names other validators for the blocks above it: it is the last one of these. */
  readonly isLast: boolean;
}

export interface PendingWork {
  /** Transactions that could be executed on the final state now. */
  readonly executable: number;
  /** Since when (monotonic) the oldest of them could be; null when there are none. */
  readonly oldestSince: MonotonicMs | null;
  /**
   * Since when the oldest transaction that was passed over could be executed; null when none was. Passed over
   * means: a block became final without it, although it had room or held what should have come later. Grounds
   * to suspect censorship.
   */
  readonly passedOverSince: MonotonicMs | null;
  /**
   * Transactions that no block can hold until one with a missing nonce comes. Only their expiry ends
   * that. Absent means none.
   */
  readonly waiting?: number;
}

export type Effect<M> =
  /** Write all of this in one synced batch, in the order of `seq`, then answer `persisted`. */
  | PersistEffect
  /**
   * Send a signed message. To all means every validator but this one. `urgent` ones are small (heartbeats,
   * votes): they overtake what waits for the same peer. Where `protocol.authentication` is 'channel' a
   * message goes over the direct stream only, never by gossip.
   */
  | {
      readonly type: 'send';
      readonly to: Recipients;
      readonly message: M;
      readonly urgent?: boolean;
    }
  /** Sign and send something that needs no durability. */
  | { readonly type: 'post'; readonly to: Recipients; readonly message: Unsigned }
  /**
   * Sign at once, without waiting for the disk, and answer `signed`. The signer keeps its rules (one
   * content for one key, the floor of views) in memory. For signatures that prove authorship and bind
   * nobody: a Raft leader's on its block.
   */
  | { readonly type: 'sign'; readonly message: Unsigned }
  /** Build a block with this parent from the mempool, execute it, and answer `built`. */
  | {
      readonly type: 'build';
      readonly parentHash: Hash;
      readonly height: Height;
      readonly view: View;
      /** Build even when there is nothing to put into it. */
      readonly allowEmpty: boolean;
      /** Take no transactions at all, whatever waits (Raft: all blocks but those made for transactions). */
      readonly mustBeEmpty?: boolean;
      /**
       * The header's `nextValidatorsHash`, where it differs from the parent's (which stands in
       * `validatorsHash` in any case).
       */
      readonly nextValidatorsHash?: Hash;
    }
  /**
   * Read blocks from storage, for a peer that is far behind, and answer `loaded`. Without a hash: the final
   * block at that height; with one: that block, final or not.
   */
  | {
      readonly type: 'load';
      readonly blocks: readonly { readonly height: Height; readonly blockHash: Hash | null }[];
    }
  /**
   * The answer to a request, once: the height that it was good for (read: now applied;
   * members: final), or why not.
   */
  | {
      readonly type: 'answer';
      readonly id: RequestId;
      readonly result: { readonly height: Height } | Problem;
    }
  /**
   * The members from now on, by index. Comes when it changes, and first thing after a restart of a Raft
   * engine when it is not the genesis set.
   */
  | {
      readonly type: 'members';
      readonly members: readonly Member[];
      /** The epoch that begins with them; 0 unless given. */
      readonly epoch?: Height;
    }
  /**
   * Make a snapshot of the state at this final height; once it is durable, blocks below `keepFrom` may be
   * deleted. Then answer `compacted`.
   */
  | { readonly type: 'compact'; readonly height: Height; readonly keepFrom: Height }
  /**
   * Fetch this snapshot in chunks (going on where an earlier try stopped), check it against the header's
   * state root, make it the final state in one batch, and answer `installed` or `install-failed`.
   */
  | {
      readonly type: 'install';
      readonly snapshot: BlockName;
      readonly holders: readonly ValidatorIndex[];
    }
  /**
   * Fetch what is missing of this block and its ancestors above the final block, execute
   * them, and answer `validated`.
   */
  | {
      readonly type: 'validate';
      readonly blockHash: Hash;
      readonly height: Height;
      /** The block itself, when the engine has it. */
      readonly proposal: Proposal | null;
      /** Who should have it: asked first, in this order. */
      readonly holders: readonly ValidatorIndex[];
    }
  /**
   * This block is final. Comes once for each height, in order. The certificate is there for the last of a
   * run; for the others the driver stores the one that came with the block in sync, if any.
   */
  | {
      readonly type: 'commit';
      readonly link: ChainLink;
      readonly certificate: FinalityCertificate | null;
    }
  /**
   * Others are final at this height: fetch blocks with certificates, and answer `synced`
   * (perhaps several times).
   */
  | { readonly type: 'sync'; readonly height: Height; readonly holders: readonly ValidatorIndex[] }
  /** Proof that a validator signed what no correct validator signs. To be stored once, gossiped and shown. */
  | {
      readonly type: 'evidence';
      readonly accused: ValidatorIndex;
      readonly kind: string;
      readonly bytes: Uint8Array;
    }
  /**
   * Raft: this validator led, lost the lead and handed it to nobody. What it took on may be lost, or be made
   * final by another leader: whoever waits here for the outcome is told that it is unknown. PBFT never says
   * it: there no outcome depends on one primary.
   */
  | { readonly type: 'stepped-down'; readonly reason: string }
  /**
   * The view (Raft: the term) is another one now, or who leads it is. `leader` began it, or leads it; null
   * while nobody does. For people, in the words of `why`: nothing goes by it.
   */
  | {
      readonly type: 'view';
      readonly view: View;
      readonly leader: ValidatorIndex | null;
      readonly reason: string;
    }
  /** A peer's behaviour, for its score. */
  | { readonly type: 'verdict'; readonly validator: ValidatorIndex; readonly reason: string }
  /** Something worth a line in the log; `data` survives JSON. */
  | {
      readonly type: 'trace';
      readonly event: string;
      readonly data: Readonly<Record<string, string | number | boolean>>;
    };

export type Recipients = 'all' | readonly ValidatorIndex[];

export interface PersistEffect {
  readonly type: 'persist';
  readonly seq: number;
  readonly records: readonly LogRecord[];
  /** Own messages: the signer signs them, and stores each under its key, with the signature at its end. */
  readonly sign: readonly Unsigned[];
  /**
   * Blocks that must be on disk too, with their transactions. The driver keeps only so many that are not
   * stored: one that was valid some time ago may be gone, and asking to store it then is a broken promise.
   */
  readonly blocks: readonly Hash[];
  /**
   * Stored blocks that are not final and are not needed (cut off a Raft log; left behind by old views):
   * deleted in the same batch.
   */
  readonly forget?: readonly Hash[];
}

/** A record of the consensus log, to be written; null removes the one under that key. */
export interface LogRecord {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/**
 * A message of this validator before it is signed. Its signed bytes are `bytes` and then the 64 bytes of the
 * signature over `preimage`.
 */
export interface Unsigned {
  /** Whose validators sign (PBFT); after signing anything, nothing of an earlier one is ever signed again. */
  readonly epoch: Height;
  /**
   * The place that this message fills, and its key in the consensus log. The signer refuses a second,
   * different content for one key, and everything of a `view` below the highest `floor` that it signed in
   * this epoch. Empty for messages that bind nothing (they are never stored).
   */
  readonly key: string;
  readonly view: View;
  /** After signing this, nothing of a lower view of this epoch is ever signed again. */
  readonly floor: View;
  readonly bytes: Uint8Array;
  readonly preimage: Uint8Array;
}

export interface EngineStatus {
  readonly engine: EngineName;
  readonly view: View;
  readonly finalHeight: Height;
  /** Validator that leads now; null while nobody does (a view change, an election). */
  readonly primary: ValidatorIndex | null;
  /** Heard from a quorum (itself included) within the last timeouts: clients may expect progress. */
  readonly quorumContact: boolean;
  /**
   * By validator, whether it was heard lately and votes, this one included. Absent where validators do not
   * speak to this node, or where the engine itself judges who is to be one (Raft).
   */
  readonly heard?: readonly boolean[];
  /** Highest final height that a peer proved or claimed; to tell how far behind this node is. */
  readonly highestKnown: Height;
  readonly inFlight: number;
  /** False while it must not vote (an observer, or the amnesia guard). */
  readonly voting: boolean;
  /**
   * False while the engine takes on nothing new (too much unfinished): submissions get a retryable
   * problem. Absent means true.
   */
  readonly accepting?: boolean;
  /** Who takes part, by index, where the engine can change it. */
  readonly members?: readonly Member[];
  /** What happened since the start, by names in kebab-case; they only rise. */
  readonly counters: Readonly<Record<string, number>>;
  /** What waits now: writes for the disk, and since when the oldest does; linearizable reads for a round. */
  readonly waiting: { readonly writes: number; readonly oldestWriteMs: number; readonly reads: number };
}
