import { concat } from '../../base/bytes.ts';
import { type Domain, domainPrefix } from '../../crypto/hash.ts';
import type { Signature } from '../../crypto/signature.ts';
import { type Height, toView, type View } from '../../ledger/block.ts';
import { type Epoch, epochBytes, voteBytes, type VotePhase } from '../../ledger/certificate.ts';
import type { Unsigned } from '../engine.ts';
import { encodeMessage } from './message-codec.ts';
import type { Draft, PbftMessage } from './message.ts';

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
