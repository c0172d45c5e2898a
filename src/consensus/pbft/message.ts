import type { Signature } from '../../crypto/signature.ts';
import type { Height, Proposal, View } from '../../ledger/block.ts';
import type { Certificate, Slot, VotePhase } from '../../ledger/certificate.ts';
import type { ValidatorIndex } from '../engine.ts';

/**
 * What every message has: who signed it, and the signature over `preimage`. The signature
 * stands last in the bytes.
 */
export interface Signed {
  readonly from: ValidatorIndex;
  /** As in `Epoch`: whose validators `from` is one of. A message of one epoch means nothing in another. */
  readonly epoch: Height;
  readonly signature: Signature;
}

/**
 * The primary proposes a block at (view, height). It signs the slot only: the slot's hash
 * commits to the proposal.
 */
export interface PrePrepare extends Signed, Slot {
  readonly kind: 'pre-prepare';
  readonly proposal: Proposal;
}

/** "I accepted this block here, and it is valid." */
interface Prepare extends Signed, Slot {
  readonly kind: 'prepare';
}

/** "I hold a prepare certificate for this block here." */
interface Commit extends Signed, Slot {
  readonly kind: 'commit';
}

export type SuspectReason = 'no-progress' | 'invalid-proposal' | 'censorship';

/**
 * "I have grounds to leave this view", or with the reason `withdrawn` "I had them, and have them no more". It
 * binds nobody: its sender goes on voting. Of one sender the latest counts, and for a while only: it is
 * repeated for as long as its grounds are there.
 */
export interface Suspect extends Signed {
  readonly kind: 'suspect';
  readonly view: View;
  readonly reason: SuspectReason | 'withdrawn';
  /** The height that waits: one above the sender's final one. */
  readonly height: Height;
  /** Rises with each that the sender signs, within one process. */
  readonly sequence: number;
}

/** "I left all views below this one. This is the best that I know." */
export interface ViewChange extends Signed {
  readonly kind: 'view-change';
  readonly view: View;
  readonly finalHeight: Height;
  /** The commit certificate of the final block; absent only at genesis. */
  readonly finalCertificate: Certificate | undefined;
  /** The highest-ranked certificate, when its rank is above that of `finalCertificate`. */
  readonly highest: Certificate | undefined;
}

/**
 * The new primary shows why the view may start. What the view starts from follows
 * from the view changes alone.
 */
export interface NewView extends Signed {
  readonly kind: 'new-view';
  readonly view: View;
  /** A quorum of them, ascending by sender. */
  readonly viewChanges: readonly ViewChange[];
}

/** Where its sender stands, so that others can send what it lacks. */
export interface Status extends Signed {
  readonly kind: 'status';
  readonly view: View;
  /** It left the view before and has not seen the new-view of this one. */
  readonly changing: boolean;
  readonly finalHeight: Height;
  readonly finalCertificate: Certificate | undefined;
  /**
   * There while it does not vote, because its log was lost: until a block above this height is final; 0
   * while it does not know yet.
   */
  readonly silentUntil?: Height | undefined;
}

/** "I lost my log. How far is each of you?" (PBFT as of 2002, section 4.3.2, the estimation protocol.) */
export interface QueryStable extends Signed {
  readonly kind: 'query-stable';
  /** Of this start of its sender, and of no other. */
  readonly nonce: number;
}

/** The answer: the best that its sender knows, as in a ViewChange, and proven as there. */
export interface ReplyStable extends Signed {
  readonly kind: 'reply-stable';
  readonly nonce: number;
  readonly finalHeight: Height;
  readonly finalCertificate: Certificate | undefined;
  /** The highest-ranked certificate, when its rank is above that of `finalCertificate`. */
  readonly highest: Certificate | undefined;
}

/** A signed slot: one half of a contradiction. */
export interface SignedSlot extends Slot {
  readonly signature: Signature;
}

/** Two messages of one validator that no correct validator can both sign. */
export type Contradiction =
  | {
      readonly type: 'double';
      readonly epoch: Height;
      readonly accused: ValidatorIndex;
      readonly phase: VotePhase;
      readonly first: SignedSlot;
      readonly second: SignedSlot;
    }
  | {
      readonly type: 'forgotten-commit';
      readonly epoch: Height;
      readonly accused: ValidatorIndex;
      readonly commit: SignedSlot;
      readonly viewChange: ViewChange;
    };

/** Passes a contradiction on. Whoever signs it vouches for nothing: the proof stands by itself. */
export interface Evidence extends Signed {
  readonly kind: 'evidence';
  readonly proof: Contradiction;
}

export type PbftMessage =
  | PrePrepare
  | Prepare
  | Commit
  | Suspect
  | ViewChange
  | NewView
  | Status
  | Evidence
  | QueryStable
  | ReplyStable;
export type Vote = Prepare | Commit;

/**
 * A message as its engine makes it: everything but the signature, and the epoch, which all have in common.
 */
export type Draft = PbftMessage extends infer M
  ? M extends PbftMessage
    ? Omit<M, 'signature' | 'epoch'>
    : never
  : never;

export function isSlotMessage(
  message: PbftMessage,
): message is Extract<PbftMessage, { kind: 'pre-prepare' | 'prepare' | 'commit' }> {
  return message.kind === 'pre-prepare' || message.kind === 'prepare' || message.kind === 'commit';
}
