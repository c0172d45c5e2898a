import type { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey, Signature, SignatureClaim } from '../crypto/signature.ts';
import type { BlockHeader, Height, View } from '../ledger/block.ts';
import type { FinalityCertificate } from '../ledger/certificate.ts';
import type { EngineName } from '../ledger/engine-names.ts';
import type { Member } from '../ledger/members.ts';
import type { ValidatorSet } from '../ledger/validators.ts';
import type { BlockName, ChainLink, Engine, MonotonicMs, ValidatorIndex } from './engine.ts';

/**
 * What the driver must know of an engine before there is one: how to read its messages and how to start it.
 */
export interface Protocol<M> {
  readonly engine: EngineName;
  /**
   * What proves who a message is from: its signature, or the authenticated stream that it came on. With
   * 'channel' the driver drops a message unless the key of `senderOf(message)` is the one that the peer
   * proved in the handshake.
   */
  readonly authentication: 'signature' | 'channel';
  readonly capabilities: Capabilities;
  /** The validator that a message claims to be from, by its index in `epochOf(message)`. */
  senderOf(message: M): ValidatorIndex;
  /** The epoch that a message claims to be of. One of another than the present one proves nothing here. */
  epochOf(message: M): Height;
  /** A message from its signed bytes, or a problem. Never throws. */
  decode(bytes: Uint8Array): M | Problem;
  /** Evidence as people see it; null for what is none. */
  contradictionIn(evidence: Uint8Array): Contradicting | null;
  /** What it says of blocks, for who only watches: most messages say nothing. */
  partsIn(message: M): readonly BlockPart[];
  encode(message: M): Uint8Array;
  /**
   * What has to be checked before a message of the roster's epoch is `Verified`, the cheapest first; or why
   * it is wrong whatever the signatures say. `roster` is who takes part now; without it, the genesis set.
   */
  claims(message: M, roster?: Roster): MessageClaims | Problem;
  /**
   * The same for a certificate that came with synced blocks. A signer that is not in the roster, but may be a
   * later member, is the problem `certificate/unknown-member`; so is a certificate of another epoch.
   */
  certificateClaims(certificate: FinalityCertificate, roster?: Roster): SignatureClaim[] | Problem;
  /**
   * Whom to check a snapshot's certificate against: besides the roster those who became members later, of
   * whom it tells. Anybody can make such a list up; whether it is right is for the engine to judge.
   */
  snapshotRoster(certificate: FinalityCertificate, roster: Roster): Roster;
  /**
   * The certificate of a snapshot's block as it goes out with the snapshot: with the members after
   * that block, where the engine can change them. `members` as of the last `members` effect;
   * without it, the genesis set.
   */
  snapshotCertificate(certificate: FinalityCertificate, members?: readonly Member[]): FinalityCertificate;
  /**
   * Starts an engine from its durable records. A record that does not decode is our own fault
   * or a damaged disk: throws.
   */
  start(start: EngineStart): Engine<M>;
}

/**
 * What sets an engine apart for the rest of the node, which asks for this and never for the engine's name.
 */
export interface Capabilities {
  /**
   * A block's time is its proposer's word: any that is later than the parent's is good. For engines in
   * which no clock chooses who leads: followers that refused the blocks of a fast one would stop the chain
   * for as long as it leads.
   */
  readonly proposerClockBinds: boolean;
  /**
   * Nothing that a client gives a node goes on without a leader, and with the lead goes what
   * is known of its outcome.
   */
  readonly leaderTakesAll: boolean;
  /** A member takes another's word that it checked the signatures of the transactions that it brings. */
  readonly membersVouch: boolean;
  /**
   * How long a transaction may be passed over before the engine suspects censorship, in milliseconds;
   * null when it never does.
   */
  readonly censorshipMs: number | null;
  /** What blocks in flight above the final one take in memory at most. */
  readonly inFlightBytes: number;
  /** It makes snapshots, below which old blocks may be deleted. */
  readonly makesSnapshots: boolean;
}

/** Who takes part, by index, and from which height on their signatures count. */
export interface Roster {
  readonly keys: readonly PublicKey[];
  /** As in `Epoch` (PBFT). Raft, whose messages name none, has 0. */
  readonly epoch: Height;
}

/**
 * What has to be checked of a message. Whoever cannot make its outer signature costs us that one check and
 * no more.
 */
export interface MessageClaims {
  /** Its sender's own signature. Empty where the channel proves the sender. */
  readonly own: readonly SignatureClaim[];
  /**
   * What stands inside: to be looked at only when the sender's signature is good. Absent
   * when that one says it all.
   */
  readonly inside?: {
    /** How many signatures there are. */
    readonly count: number;
    /**
     * The checks that are dear, and then the signatures inside, each made when it is taken; or what is wrong.
     */
    open(): Iterable<SignatureClaim> | Problem;
  };
}

/** Two signed messages of one validator, of which a correct one signs one at most. */
export interface Contradicting {
  readonly epoch: Height;
  readonly messages: readonly [SignedWord, SignedWord];
}

export interface SignedWord {
  /** The kind of the message. */
  readonly kind: string;
  readonly view: View;
  /** Of the block that it is about, or up to which all is final for its signer. */
  readonly height: Height;
  /** Null where it names none. */
  readonly blockHash: Hash | null;
  /** The best certificate that its signer says to know; null where it says nothing of that. */
  readonly certificate: { readonly phase: string; readonly view: View; readonly height: Height } | null;
  readonly signature: Signature;
}

/** What a message says of a block: that its sender proposes it, or votes for it. */
export interface BlockPart extends BlockName {
  /** `vote`: its sender's last word on it (PBFT: Commit; Raft: it is on its disk). */
  readonly kind: 'proposal' | 'vote';
  /** The same holds for all blocks below it. */
  readonly isForAllBelow: boolean;
}

export interface EngineStart {
  readonly chainId: Hash;
  /** Who votes on the block above the final one. */
  readonly validators: ValidatorSet;
  /** The block after which they are in force: the genesis, or the one that changed the set. */
  readonly epoch: BlockName;
  /**
   * All that the key signed since that block was made stands in this log: this machine notes every use of the
   * key, and has done so since before.
   */
  readonly epochSeen?: boolean;
  /** This node's key; a key that is not in the set makes an observer, which follows and never votes. */
  readonly self: PublicKey;
  readonly final: {
    readonly header: BlockHeader;
    readonly hash: Hash;
    readonly certificate: FinalityCertificate | null;
  };
  /** The consensus log: every stored record by key. */
  readonly records: ReadonlyMap<string, Uint8Array>;
  /** Links of the stored blocks that are not final. */
  readonly candidates: readonly ChainLink[];
  /** The newest snapshot and the lowest block in storage, when blocks were pruned. */
  readonly compacted?: { readonly snapshot: BlockName; readonly firstBlock: Height };
  readonly log: LogTrust;
  readonly now: MonotonicMs;
  /** For the engine's generator and its nonces: another one at each start, of at most 48 bits. */
  readonly seed: number;
}

/**
 * What is known of the consensus log when a node starts.
 *
 * - `whole`: all that the key signed on this chain stands in it (nothing, when the key was never used), or an
 *   engine that found it lost has recorded that.
 * - `new`: it is empty because this machine knows of no use of the key, which elsewhere may have had
 *   one. A chain that turns out to run already, before anything was signed here, makes it `lost`.
 * - `lost`: it is empty, or older than the last use of the key. The engine's amnesia guard begins, whatever
 *   the records say. Its first write must record that: from the next start on the log is `whole`.
 * - `vouched`: an operator's word that what is missing, if anything, cannot matter. No guard holds from now
 *   on, not even one that an earlier start recorded.
 */
export type LogTrust = 'whole' | 'new' | 'lost' | 'vouched';
