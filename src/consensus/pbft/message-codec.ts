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
import { hashCodec } from '../../crypto/hash.ts';
import { signatureCodec } from '../../crypto/signature.ts';
import { heightCodec, proposalCodec, viewCodec } from '../../ledger/block.ts';
import { certificateCodec, type Slot } from '../../ledger/certificate.ts';
import { readMessage } from '../shared/wire.ts';
import type {
  Contradiction,
  Evidence,
  NewView,
  PbftMessage,
  PrePrepare,
  QueryStable,
  ReplyStable,
  Signed,
  SignedSlot,
  Status,
  Suspect,
  ViewChange,
} from './message.ts';

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
