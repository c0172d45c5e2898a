import { concat } from '../../base/bytes.ts';
import {
  bool,
  type Codec,
  encode,
  listOf,
  mapped,
  optional,
  struct,
  u16,
  u48,
  union,
  wordOf,
} from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import type { Problem } from '../../base/problem.ts';
import { type Domain, domainPrefix, hashCodec } from '../../crypto/hash.ts';
import { type Signature, signatureCodec } from '../../crypto/signature.ts';
import {
  type Height,
  heightCodec,
  type Proposal,
  proposalCodec,
  toView,
  type View,
  viewCodec,
} from '../../ledger/block.ts';
import {
  type Certificate,
  certificateCodec,
  type Epoch,
  epochBytes,
  type Slot,
  voteBytes,
  type VotePhase,
} from '../../ledger/certificate.ts';
import type { Unsigned, ValidatorIndex } from '../engine.ts';
import { readMessage } from '../shared/wire.ts';

/**
 * What every message has: who signed it, and the signature over `preimage`. The signature
 * stands last in the bytes.
 */
interface Signed {
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

type Fields<M> = Omit<M, 'kind'>;

const slotFields = { view: viewCodec, height: heightCodec, blockHash: hashCodec };

export const viewChangeCodec: Codec<ViewChange> = withKind(
  'view-change',
  struct<Fields<ViewChange>>({
    epoch: heightCodec,
    from: u16,
    view: viewCodec,
    finalHeight: heightCodec,
    finalCertificate: optional(certificateCodec),
    highest: optional(certificateCodec),
    signature: signatureCodec,
  }),
);

export const signedSlotCodec = struct<SignedSlot>({ ...slotFields, signature: signatureCodec });

export const contradictionCodec = union<Contradiction, 'type'>('type', {
  double: [
    1,
    struct<Omit<Extract<Contradiction, { type: 'double' }>, 'type'>>({
      epoch: heightCodec,
      accused: u16,
      phase: wordOf(['pre-prepare', 'prepare', 'commit']),
      first: signedSlotCodec,
      second: signedSlotCodec,
    }),
  ],
  'forgotten-commit': [
    2,
    struct<Omit<Extract<Contradiction, { type: 'forgotten-commit' }>, 'type'>>({
      epoch: heightCodec,
      accused: u16,
      commit: signedSlotCodec,
      viewChange: viewChangeCodec,
    }),
  ],
});

const voteCodec = struct<Signed & Slot>({
  epoch: heightCodec,
  from: u16,
  ...slotFields,
  signature: signatureCodec,
});

/** The wire format: the kind in one byte, then the fields in this order; the signature is last in each. */
export const messageCodec = union<PbftMessage, 'kind'>('kind', {
  'pre-prepare': [
    1,
    struct<Fields<PrePrepare>>({
      epoch: heightCodec,
      from: u16,
      ...slotFields,
      proposal: proposalCodec,
      signature: signatureCodec,
    }),
  ],
  prepare: [2, voteCodec],
  commit: [3, voteCodec],
  suspect: [
    4,
    struct<Fields<Suspect>>({
      epoch: heightCodec,
      from: u16,
      view: viewCodec,
      reason: wordOf(['no-progress', 'invalid-proposal', 'censorship', 'withdrawn']),
      height: heightCodec,
      sequence: u48,
      signature: signatureCodec,
    }),
  ],
  'view-change': [5, viewChangeCodec],
  'new-view': [
    6,
    struct<Fields<NewView>>({
      epoch: heightCodec,
      from: u16,
      view: viewCodec,
      viewChanges: listOf(viewChangeCodec, limits.maxValidators),
      signature: signatureCodec,
    }),
  ],
  status: [
    7,
    struct<Fields<Status>>({
      epoch: heightCodec,
      from: u16,
      view: viewCodec,
      changing: bool,
      finalHeight: heightCodec,
      finalCertificate: optional(certificateCodec),
      silentUntil: optional(heightCodec),
      signature: signatureCodec,
    }),
  ],
  evidence: [
    8,
    struct<Fields<Evidence>>({
      epoch: heightCodec,
      from: u16,
      proof: contradictionCodec,
      signature: signatureCodec,
    }),
  ],
  'query-stable': [
    9,
    struct<Fields<QueryStable>>({ epoch: heightCodec, from: u16, nonce: u48, signature: signatureCodec }),
  ],
  'reply-stable': [
    10,
    struct<Fields<ReplyStable>>({
      epoch: heightCodec,
      from: u16,
      nonce: u48,
      finalHeight: heightCodec,
      finalCertificate: optional(certificateCodec),
      highest: optional(certificateCodec),
      signature: signatureCodec,
    }),
  ],
});

export function encodeMessage(message: PbftMessage): Uint8Array {
  return encode(messageCodec, message);
}

export function decodeMessage(bytes: Uint8Array): PbftMessage | Problem {
  return readMessage(messageCodec, bytes, 'PBFT message');
}

/** A struct nested in another message: the kind is known from its place and is not on the wire. */
function withKind<M extends { readonly kind: string }>(kind: M['kind'], fields: Codec<Fields<M>>): Codec<M> {
  return mapped(fields, {
    toMemory: (plain) => ({ kind, ...plain }) as M,
    toBytes: (message) => message as Fields<M>,
  });
}

const signatureBytes = 64;
const unsignedMark = '00'.repeat(signatureBytes) as Signature;

const domains: Record<Exclude<PbftMessage['kind'], VotePhase>, Domain> = {
  suspect: 'quorate/v1/pbft/suspect',
  'view-change': 'quorate/v1/pbft/view-change',
  'new-view': 'quorate/v1/pbft/new-view',
  status: 'quorate/v1/pbft/status',
  evidence: 'quorate/v1/pbft/evidence',
  'query-stable': 'quorate/v1/pbft/query-stable',
  'reply-stable': 'quorate/v1/pbft/reply-stable',
};

/** The exact bytes that the sender of a message signs. */
export function preimageOf(message: PbftMessage, epoch: Epoch): Uint8Array {
  switch (message.kind) {
    case 'pre-prepare':
    case 'prepare':
    case 'commit':
      return voteBytes(message.kind, epoch, message);
    case 'suspect':
    case 'view-change':
    case 'new-view':
    case 'status':
    case 'evidence':
    case 'query-stable':
    case 'reply-stable':
      return concat(domainPrefix(domains[message.kind]), epochBytes(epoch), bytesWithoutSignature(message));
  }
}

function bytesWithoutSignature(message: PbftMessage): Uint8Array {
  const bytes = encodeMessage(message);
  return bytes.subarray(0, bytes.length - signatureBytes);
}

/**
 * A message as its engine makes it: everything but the signature, and the epoch, which all have in common.
 */
export type Draft = PbftMessage extends infer M
  ? M extends PbftMessage
    ? Omit<M, 'signature' | 'epoch'>
    : never
  : never;

/** A draft in the form that the signer takes. Its key is its place in the consensus log; see `Unsigned`. */
export function toUnsigned(draft: Draft, epoch: Epoch): Unsigned {
  const message = { ...draft, epoch: epoch.epoch, signature: unsignedMark } as PbftMessage;
  return {
    key: logKey(message),
    epoch: epoch.epoch,
    view: 'view' in message ? message.view : noView,
    floor: message.kind === 'view-change' ? message.view : noView,
    bytes: bytesWithoutSignature(message),
    preimage: preimageOf(message, epoch),
  };
}

const noView = toView(0);

/** Where an own message is kept in the consensus log; empty for those that bind nothing. */
export function logKey(message: PbftMessage): string {
  switch (message.kind) {
    case 'pre-prepare':
    case 'prepare':
    case 'commit':
      return voteKey(message.kind, message);
    case 'view-change':
    case 'new-view':
      return `${message.kind}/${message.epoch}/${message.view}`;
    case 'suspect':
    case 'status':
    case 'evidence':
    case 'query-stable':
    case 'reply-stable':
      return '';
  }
}

/** The key of an own vote; see `logKey`. */
export function voteKey(
  phase: VotePhase,
  { epoch, view, height }: { readonly epoch: Height; readonly view: View; readonly height: Height },
): string {
  return `${phase}/${epoch}/${view}/${height}`;
}

export function isSlotMessage(
  message: PbftMessage,
): message is Extract<PbftMessage, { kind: 'pre-prepare' | 'prepare' | 'commit' }> {
  return message.kind === 'pre-prepare' || message.kind === 'prepare' || message.kind === 'commit';
}
