import type { Brand } from '../base/brand.ts';
import type { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey, SignatureClaim } from '../crypto/signature.ts';
import type { BlockHeader, Height, Proposal, View } from '../ledger/block.ts';
import type { FinalityCertificate } from '../ledger/certificate.ts';
import type { ValidatorSet } from '../ledger/validators.ts';

/**
 * The contract between an engine (PBFT or Raft) and the driver in `node/`.
 *
 * An engine decides; the driver acts. `step` takes one input and returns effects, which the driver obeys in
 * order. `step` is total and synchronous: it reads no clock, disk, network or randomness but what its
 * inputs and its own seeded state hold, and it never throws on input, however malformed or malicious.
 */
export interface Engine<M> {
  step(input: Input<M>): readonly Effect<M>[];
  /** A projection of the state for the API, metrics and tests. */
  status(): EngineStatus;
  /** One sentence: what progress waits for. */
  why(): string;
  /**
   * A cheap look before the signatures of a message are checked: false when `step` would drop it in any case
   * (outside the window, an old view, a duplicate), so that a flood costs no signature check.
   */
  wants(message: M): boolean;
}

/** A message whose signatures were all checked. Only `node/verification.ts` makes one (the import test enforces it). */
export type Verified<T> = Brand<T & object, 'Verified'>;

/** A validator's index in the current set. */
export type ValidatorIndex = number;

/** Milliseconds of a clock that never goes back and has no meaning outside one process. */
export type MonotonicMs = number;

export type Input<M> =
  /** Time passes. The only clock an engine has. */
  | { readonly type: 'tick'; readonly now: MonotonicMs }
  /** `message.from` signed it; who delivered it does not matter. */
  | { readonly type: 'message'; readonly message: Verified<M> }
  /** The answer to `build`; null when there is nothing to put into a block. The block is valid: the driver executed it. */
  | {
      readonly type: 'built';
      readonly parentHash: Hash;
      readonly view: View;
      readonly proposal: Proposal | null;
    }
  /**
   * The answer to `validate`. `valid` means that every block from above the final one up to this one
   * links, has its transactions, and executes to its header's roots; `chain` lists them, lowest first.
   * `unavailable` means that nobody asked could supply something in time; the engine may ask again.
   */
  | {
      readonly type: 'validated';
      readonly blockHash: Hash;
      readonly result:
        | { readonly verdict: 'valid'; readonly chain: readonly ChainLink[] }
        | { readonly verdict: 'invalid'; readonly reason: string }
        | { readonly verdict: 'unavailable'; readonly reason: string };
    }
  /** The write `seq` and all before it are on disk. `signed` holds the signed form of what it asked to sign, in order. */
  | { readonly type: 'persisted'; readonly seq: number; readonly signed: readonly M[] }
  /** The block at this height is stored and its state is the base of new work. Heights come in order. */
  | { readonly type: 'applied'; readonly height: Height }
  /** What waits in the mempool; given whenever it changes in a way that matters. */
  | { readonly type: 'work'; readonly work: PendingWork }
  /**
   * Blocks that sync fetched: they link from the engine's final block, and the certificate, whose signatures were
   * checked, is for the last of them. The driver holds their transactions.
   */
  | {
      readonly type: 'synced';
      readonly chain: readonly ChainLink[];
      readonly certificate: Verified<FinalityCertificate>;
    }
  | { readonly type: 'connected'; readonly validator: ValidatorIndex }
  | { readonly type: 'lost'; readonly validator: ValidatorIndex };

/** A block's name and place. */
export interface ChainLink {
  readonly height: Height;
  readonly blockHash: Hash;
  readonly parentHash: Hash;
}

export interface PendingWork {
  /** Transactions that could be executed on the final state now. */
  readonly executable: number;
  /** Since when (monotonic) the oldest of them could be; null when there are none. */
  readonly oldestSince: MonotonicMs | null;
  /**
   * Since when the oldest of those could be that were passed over: a block with room for them went final without
   * them. Null when there are none. Grounds to suspect censorship.
   */
  readonly passedOverSince: MonotonicMs | null;
}

export type Effect<M> =
  /** Write all of this in one synced batch, in the order of `seq`, then answer `persisted`. */
  | PersistEffect
  /** Send a signed message. To all means every validator but this one. */
  | { readonly type: 'send'; readonly to: Recipients; readonly message: M }
  /** Sign and send something that needs no durability. */
  | { readonly type: 'post'; readonly to: Recipients; readonly message: Unsigned }
  /** Build a block with this parent from the mempool, execute it, and answer `built`. */
  | {
      readonly type: 'build';
      readonly parentHash: Hash;
      readonly height: Height;
      readonly view: View;
      /** Build even when there is nothing to put into it. */
      readonly allowEmpty: boolean;
    }
  /** Fetch what is missing of this block and its ancestors above the final block, execute them, and answer `validated`. */
  | {
      readonly type: 'validate';
      readonly blockHash: Hash;
      readonly height: Height;
      /** The block itself, when the engine has it. */
      readonly proposal: Proposal | null;
      /** Who should have it: asked first, in this order. */
      readonly holders: readonly ValidatorIndex[];
    }
  /** This block is final. Comes once for each height, in order. The certificate is there for the last of a run. */
  | {
      readonly type: 'commit';
      readonly link: ChainLink;
      readonly certificate: FinalityCertificate | null;
    }
  /** Others are final at this height: fetch blocks with certificates, and answer `synced` (perhaps several times). */
  | { readonly type: 'sync'; readonly height: Height; readonly holders: readonly ValidatorIndex[] }
  /** Proof that a validator signed what no correct validator signs. To be stored once, gossiped and shown. */
  | {
      readonly type: 'evidence';
      readonly accused: ValidatorIndex;
      readonly kind: string;
      readonly bytes: Uint8Array;
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
  /** Records of the consensus log by key; null removes one. */
  readonly records: readonly { readonly key: string; readonly value: Uint8Array | null }[];
  /** Own messages: the signer signs them, and stores each under its key, with the signature at its end. */
  readonly sign: readonly Unsigned[];
  /** Blocks that must be on disk too, with their transactions. */
  readonly blocks: readonly Hash[];
}

/**
 * A message of this validator before it is signed. Its signed bytes are `bytes` and then the 64 bytes of the signature over `preimage`.
 */
export interface Unsigned {
  /**
   * The place that this message fills, and its key in the consensus log. The signer refuses a second, different
   * content for one key, and everything of a `view` below the highest `floor` that it signed. Empty for messages that bind nothing
   * (they are never stored).
   */
  readonly key: string;
  readonly view: View;
  /** After signing this, nothing of a lower view is ever signed again. */
  readonly floor: View;
  readonly bytes: Uint8Array;
  readonly preimage: Uint8Array;
}

export interface EngineStatus {
  readonly engine: 'pbft' | 'raft';
  readonly view: View;
  readonly finalHeight: Height;
  /** Validator that leads now; null while nobody does (a view change, an election). */
  readonly primary: ValidatorIndex | null;
  /** Heard from a quorum (itself included) within the last timeouts: clients may expect progress. */
  readonly quorumContact: boolean;
  /** Highest final height that a peer proved or claimed; to tell how far behind this node is. */
  readonly highestKnown: Height;
  readonly inFlight: number;
  /** False while it must not vote (an observer, or the amnesia guard). */
  readonly voting: boolean;
  readonly counters: Readonly<Record<string, number>>;
}

/** What the driver must know of an engine before there is one: how to read its messages and how to start it. */
export interface Protocol<M> {
  readonly engine: 'pbft' | 'raft';
  /** A message from its signed bytes, or a problem. Never throws. */
  decode(bytes: Uint8Array): M | Problem;
  encode(message: M): Uint8Array;
  /** The signatures, nested ones included, that make a message `Verified`; or why it is wrong whatever they say. */
  claims(message: M): SignatureClaim[] | Problem;
  /** The same for a certificate that came with synced blocks. */
  certificateClaims(certificate: FinalityCertificate): SignatureClaim[] | Problem;
  /** Starts an engine from its durable records. A record that does not decode is our own fault or a damaged disk: throws. */
  start(start: EngineStart): Engine<M>;
}

export interface EngineStart {
  readonly chainId: Hash;
  readonly validators: ValidatorSet;
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
  /** The key was never used on this chain: an empty log is then no sign of a lost one. */
  readonly firstUse: boolean;
  readonly now: MonotonicMs;
  readonly seed: number;
}
