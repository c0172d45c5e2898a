import type { Hash } from '../../crypto/hash.ts';
import type { Signature } from '../../crypto/signature.ts';
import { type Height, type Proposal, toHeight, toView, type View } from '../../ledger/block.ts';
import type { Certificate } from '../../ledger/certificate.ts';
import type { ChainLink, MonotonicMs, ValidatorIndex } from '../engine.ts';
import type { Ballot } from '../shared/ballot.ts';
import type { Contact } from '../shared/contact.ts';
import type { Pacing } from '../shared/pacing.ts';
import type { Patience } from '../shared/patience.ts';
import type { SyncAsk } from '../shared/sync-ask.ts';
import type { Timer } from '../shared/timer.ts';
import type { WriteQueue } from '../shared/write-queue.ts';
import type { NewView, PbftMessage, PrePrepare, Suspect, SuspectReason, ViewChange } from './message.ts';

/** Everything that a replica knows, as plain data: it can be cloned, hashed and compared. */
export interface PbftState {
  now: MonotonicMs;

  /** The view it is in, or is changing to. Never goes back. */
  view: View;
  phase: Phase;
  /**
   * Where the proposals of this view start: the start that its new-view gave it, or the final block of then.
   */
  viewBase: { readonly height: Height; readonly blockHash: Hash };
  /** The new-view that it accepted for `view`; null in view 0 and while changing. */
  newView: NewView | null;
  /** The latest view that this replica asked to have a ViewChange signed for. */
  viewChangeAsked: View;
  /** The latest view that this replica asked to have a NewView signed for. */
  newViewAsked: View;
  /** Blocks that it asked for to begin `view` with, and when: one for each ViewChange at most. */
  readonly tipsAsked: Map<Hash, MonotonicMs>;

  /**
   * The highest final block and its commit certificate: null for the block that the epoch stands on, which
   * its own validators did not sign. The epoch is over when its last block is final, and the next one begins
   * when that is applied.
   */
  final: {
    readonly height: Height;
    readonly blockHash: Hash;
    readonly certificate: Certificate | null;
    readonly isLast: boolean;
  };
  /** Stored and executed up to here. At most `final.height`. */
  appliedHeight: Height;
  /** Hashes of the last final blocks, to vote for a tip that this replica has already. */
  recentFinal: Map<Height, Hash>;
  /** The highest-ranked certificate known. Its rank never falls. */
  highest: Certificate | null;

  /** The blocks accepted in this view, by height: at most one each, for as long as the view lasts. */
  slots: Map<Height, AcceptedSlot>;
  /** Proposals of this view whose parent is not accepted yet, by height. */
  waiting: Map<Height, PrePrepare>;
  /** Blocks known to be valid, not final, whole chain down to the final one included. */
  valid: Map<Hash, ChainLink>;
  /** Votes by slot. */
  tallies: Map<string, Tally>;

  /** The latest ViewChange of each validator. */
  viewChanges: Map<ValidatorIndex, ViewChange>;
  /** The latest Suspect of each validator, by view, height and sequence, and when it came. */
  suspects: Map<ValidatorIndex, SuspectHeard>;
  /** Sequence of the last own Suspect. */
  suspectsSent: number;
  /** Messages ahead of the view or the window, by sender; bounded for each. */
  ahead: Map<ValidatorIndex, PbftMessage[]>;

  /** Own signed messages that are on disk and may have to be sent again, by log key. */
  own: Map<string, PbftMessage>;
  /**
   * The highest height of own votes found at the start. Final blocks come to the disk later than votes above
   * them may: after a crash these stand further above the stored block than the window is wide. It is then as
   * open as it was when they were signed.
   */
  restoredUpTo: Height;
  readonly writes: WriteQueue<null>;
  /** Blocks that this replica asked to store. */
  stored: Map<Hash, StoredBlock>;

  readonly pacing: Pacing;
  /** A `build` that was not answered yet. */
  building: { readonly parentHash: Hash; readonly height: Height } | null;
  lastFinalAt: MonotonicMs;

  /** With a primary that seems to take too long. */
  readonly patience: Patience;
  /** Due when the view has taken too long for one block; runs while something is unfinished. */
  readonly progressTimer: Timer;
  viewSince: MonotonicMs;
  /** Views tried without a final block: the exponent of the timeout. */
  attempts: number;
  /**
   * The last proposal that was too early for this node's clock, with how far it was ahead; null
   * when a later one was not, its own among them.
   */
  tooEarly: { readonly height: Height; readonly aheadMs: number } | null;
  /** The primary of this view was caught in a contradiction in it. */
  caught: boolean;
  /** Own grounds to leave the view. */
  grounds: { readonly reason: SuspectReason; readonly height: Height } | null;
  /** Due when the Suspect or the ViewChange is sent again. */
  readonly repeatTimer: Timer;

  /** When each validator was last heard, whatever it said. */
  readonly contact: Contact;
  peers: PeerState[];
  statusAt: MonotonicMs;
  readonly syncAsk: SyncAsk;

  guard: AmnesiaGuard;
  /**
   * The key may have been used elsewhere before: nothing was signed here yet, and nothing is
   * final here. Those who said that nothing is final with them, either; null once it is known
   * whether the chain has begun.
   */
  unproven: Set<ValidatorIndex> | null;
  /**
   * Whether all that the key signed is known here, by the log or by an operator's word; doubted once somebody
   * showed a vote that is not.
   */
  keyUse: 'known' | 'vouched' | 'doubted';
  /** It votes at no height up to here, ever: it may have done so before its log was lost. */
  forgottenUpTo: Height;
  /** Validators caught in a contradiction, with its kind. */
  accused: Set<string>;
  counters: Record<string, number>;
}

/**
 * `changing` → `normal` by accepting the new-view of `view`; `normal` → `changing` by
 * leaving for a higher view.
 */
type Phase =
  | { readonly name: 'normal' }
  | {
      readonly name: 'changing';
      /** Since when a quorum of ViewChanges for `view` is held: from then on its primary has no excuse. */
      quorumSince: MonotonicMs | null;
    };

export interface AcceptedSlot {
  readonly height: Height;
  readonly blockHash: Hash;
  /** Null for a tip until its chain is known. */
  readonly parentHash: Hash | null;
  readonly proposal: Proposal | null;
  readonly holders: readonly ValidatorIndex[];
  /** `early`: valid but for this node's clock. */
  validity: 'checking' | 'valid' | 'early' | 'invalid' | 'unavailable';
  /** Due when an unavailable or early block is asked for again. */
  readonly retry: Timer;
  /** The Prepare (and the primary's PrePrepare) is with the disk or further. */
  prepareAsked: boolean;
  commitAsked: boolean;
}

export type SuspectHeard = Pick<Suspect, 'view' | 'reason' | 'height' | 'sequence'> & {
  readonly heardAt: MonotonicMs;
};

/**
 * A block on disk that is not final, and the view in which it was stored; 0 for one
 * that was found at the start.
 */
interface StoredBlock {
  readonly parentHash: Hash;
  readonly view: View;
}

export interface TallyVote {
  readonly blockHash: Hash;
  readonly signature: Signature;
}

/** The votes for one (view, height): the first of each validator and kind counts, whatever comes after. */
export interface Tally {
  readonly view: View;
  readonly height: Height;
  readonly prePrepare: Ballot<TallyVote>;
  readonly prepare: Ballot<TallyVote>;
  readonly commit: Ballot<TallyVote>;
}

/** What a validator said of itself last, or showed since by what else it signed. */
interface PeerState {
  /** Proven by certificates. */
  finalHeight: Height;
  /** What it has final if it does not lie, or its votes would be above its window. Proves nothing. */
  impliedFinal: Height;
  view: View;
  changing: boolean;
  /** It said so in its latest Status: its log was lost, and it does not vote yet. */
  silent: boolean;
  answeredAt: MonotonicMs;
  /** When its question after a lost log was answered last, on its own stream and as somebody brought it. */
  repliedAt: MonotonicMs;
  repliedByRelayAt: MonotonicMs;
}

/**
 * What a validator without its log may do. `off`: all is well. `learning`: it asks the others how far they
 * are, and collects what each proves. `silent`: it votes again when a block above `until` is final.
 */
export type AmnesiaGuard =
  | { readonly name: 'off' }
  | {
      readonly name: 'learning';
      /** Of the question, and so of this start. */
      readonly nonce: number;
      readonly proven: Map<ValidatorIndex, Height>;
    }
  | { readonly name: 'silent'; readonly until: Height };

/** Orders certificates: by view, then by height (Quorate's rank; PBFT compares views only, section 4.4). */
export interface Rank {
  readonly view: View;
  readonly height: Height;
}

const lowestRank: Rank = { view: toView(0), height: toHeight(0) };

export function compareRank(a: Rank | null | undefined, b: Rank | null | undefined): number {
  const left = a ?? lowestRank;
  const right = b ?? lowestRank;
  return left.view === right.view ? left.height - right.height : left.view - right.view;
}

export function highestOf(
  a: Certificate | null | undefined,
  b: Certificate | null | undefined,
): Certificate | null {
  return (compareRank(a, b) >= 0 ? a : b) ?? a ?? b ?? null;
}

export const tallyKey = (view: View, height: Height): string => `${view}/${height}`;
