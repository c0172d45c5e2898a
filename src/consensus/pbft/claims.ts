import { defined } from '../../base/invariant.ts';
import { Problem, unwrap } from '../../base/problem.ts';
import type { PublicKey, SignatureClaim } from '../../crypto/signature.ts';
import { hashHeader } from '../../ledger/block.ts';
import { checkProposal } from '../../ledger/block-body.ts';
import {
  type Certificate,
  certificateClaims,
  checkCertificate,
  type Epoch,
  voteBytes,
  type VotePhase,
} from '../../ledger/certificate.ts';
import { byzantineQuorum } from '../../ledger/quorum.ts';
import type { MessageClaims } from '../protocol.ts';
import type {
  Contradiction,
  Evidence,
  NewView,
  PbftMessage,
  PrePrepare,
  ReplyStable,
  SignedSlot,
  Status,
  ViewChange,
} from './message.ts';
import { preimageOf } from './signing.ts';
import { isOutdated } from './freshness.ts';
import { compareRank, type Rank } from './state.ts';
import type { ValidatorSet } from '../../ledger/validators.ts';

/** Whose messages these are: the validators of one epoch. */
interface Committee extends Epoch {
  readonly validators: ValidatorSet;
  /** W of the chain's options. */
  readonly window: number;
}

const wrong = (message: PbftMessage, why: string): Problem =>
  new Problem('consensus/invalid-message', `the ${message.kind} of validator ${message.from} ${why}`, {
    remedy: 'A correct validator never sends this: check the version and the genesis file of the sender.',
    details: { kind: message.kind, from: message.from },
  });

/**
 * What has to be checked of a message. Its form is looked at here, as far as that costs no more than
 * reading it; what takes hashes, encodings and signatures waits inside until the sender's own
 * signature is known to be good.
 */
export function messageClaims(message: PbftMessage, committee: Committee): MessageClaims | Problem {
  const malformed = checkForm(message, committee);
  if (malformed !== undefined) return malformed;
  const own = [ownClaim(message, committee)];
  switch (message.kind) {
    case 'prepare':
    case 'commit':
    case 'suspect':
    case 'query-stable':
      return { own };
    case 'pre-prepare':
      return { own, inside: { count: 0, open: () => checkContent(message) ?? [] } };
    case 'status':
    case 'view-change':
    case 'new-view':
    case 'evidence':
    case 'reply-stable':
      return { own, inside: { count: countInside(message), open: () => claimsInside(message, committee) } };
  }
}

/** Everything about a message that needs no state, no signature and no hash. */
function checkForm(message: PbftMessage, committee: Committee): Problem | undefined {
  const { keys } = committee.validators;
  if (message.epoch !== committee.epoch) return wrong(message, 'is of another epoch');
  if (keys[message.from] === undefined) {
    return wrong(message, `is from nobody: there are ${keys.length} validators`);
  }
  switch (message.kind) {
    case 'prepare':
    case 'commit':
    case 'suspect':
    case 'query-stable':
      return undefined;
    case 'pre-prepare':
      return message.proposal.header.height === message.height
        ? undefined
        : wrong(message, 'has a header of another height');
    case 'status':
      return checkFinal(message, committee);
    case 'reply-stable':
      return checkKnown(message, committee);
    case 'view-change':
      return checkViewChange(message, committee);
    case 'new-view':
      return checkNewView(message, committee);
    case 'evidence':
      return checkContradiction(message.proof, committee);
  }
}

/** The sender of a proposal signed its slot only, so whoever passed it on can have put in another one. */
function checkContent(message: PrePrepare): Problem | undefined {
  const { proposal, blockHash } = message;
  if (hashHeader(proposal.header) !== blockHash) return wrong(message, 'does not hash to what it names');
  return checkProposal(proposal);
}

function checkFinal(message: Status | ViewChange | ReplyStable, committee: Committee): Problem | undefined {
  const { finalHeight, finalCertificate: certificate } = message;
  if (certificate === undefined) {
    return finalHeight === committee.epoch
      ? undefined
      : wrong(message, 'claims a final height without its certificate');
  }
  if (certificate.phase !== 'commit') return wrong(message, 'proves its final height with prepares');
  if (certificate.height !== finalHeight) return wrong(message, 'has a certificate of another height');
  return checkOwn(certificate, message, committee);
}

function checkViewChange(message: ViewChange, committee: Committee): Problem | undefined {
  if (message.view < 1) return wrong(message, 'is for view 0, which nobody changes to');
  for (const certificate of [message.finalCertificate, message.highest]) {
    if (certificate !== undefined && certificate.view >= message.view) {
      return wrong(message, 'carries a certificate of a view that it had not reached');
    }
  }
  return checkKnown(message, committee);
}

/** The best that a validator knows: its final block, and a certificate above that in rank. */
function checkKnown(message: ViewChange | ReplyStable, committee: Committee): Problem | undefined {
  const final = checkFinal(message, committee);
  if (final !== undefined || message.highest === undefined) return final;
  if (compareRank(message.highest, message.finalCertificate) <= 0) {
    return wrong(message, 'repeats a certificate that its final one outranks');
  }
  return checkOwn(message.highest, message, committee);
}

/**
 * A certificate of another epoch proves nothing in this one: the block that this one stands on has none here.
 */
function checkOwn(
  certificate: Certificate,
  message: Status | ViewChange | ReplyStable,
  committee: Committee,
): Problem | undefined {
  if (certificate.epoch !== committee.epoch) return wrong(message, 'carries a certificate of another epoch');
  return checkCertificate(certificate, committee.validators);
}

function checkNewView(message: NewView, committee: Committee): Problem | undefined {
  const n = committee.validators.keys.length;
  if (message.view < 1) return wrong(message, 'is for view 0, which needs none');
  if (message.from !== message.view % n) return wrong(message, 'is not from the primary of its view');
  if (message.viewChanges.length !== byzantineQuorum(n)) {
    return wrong(message, `has ${message.viewChanges.length} view changes and needs ${byzantineQuorum(n)}`);
  }
  let previous = -1;
  for (const viewChange of message.viewChanges) {
    if (viewChange.from <= previous)
      return wrong(message, 'does not list its view changes by distinct senders');
    previous = viewChange.from;
    if (viewChange.view !== message.view) return wrong(message, 'mixes view changes of other views');
    const malformed = checkForm(viewChange, committee);
    if (malformed !== undefined) return malformed;
  }
  return undefined;
}

/**
 * What makes a contradiction one, besides the signatures: anyone who knows the epoch's validators can check
 * it.
 */
function checkContradiction(proof: Contradiction, committee: Committee): Problem | undefined {
  const refuse = (why: string): Problem =>
    new Problem('consensus/invalid-evidence', `the evidence against validator ${proof.accused} ${why}`, {
      remedy:
        'Hold nothing of it against anybody: this node keeps no such evidence. Ask another node for what it has.',
      details: { accused: proof.accused, type: proof.type },
    });
  if (proof.epoch !== committee.epoch) return refuse('is of another epoch');
  if (committee.validators.keys[proof.accused] === undefined) return refuse('names nobody');
  if (proof.type === 'double') {
    const { first, second } = proof;
    if (first.view !== second.view || first.height !== second.height) return refuse('is about two places');
    if (first.blockHash >= second.blockHash) return refuse('does not name two blocks in ascending order');
    return undefined;
  }
  const { commit, viewChange } = proof;
  if (viewChange.from !== proof.accused) return refuse('holds a view change of somebody else');
  if (commit.view >= viewChange.view) return refuse('has a commit that the view change does not cover');
  if (compareRank(reportedRank(viewChange), commit) >= 0)
    return refuse('shows a view change that reports enough');
  if (isOutdated(viewChange, commit.height, committee.window))
    return refuse('may be about a validator that lost its log in between');
  return checkForm(viewChange, committee);
}

type Nesting = Status | ViewChange | NewView | Evidence | ReplyStable;

function countInside(message: Nesting): number {
  switch (message.kind) {
    case 'status':
      return sizeOf(message.finalCertificate);
    case 'view-change':
    case 'reply-stable':
      return sizeOf(message.finalCertificate) + sizeOf(message.highest);
    case 'new-view':
      return message.viewChanges.reduce((sum, viewChange) => sum + 1 + countInside(viewChange), 0);
    case 'evidence':
      return message.proof.type === 'double' ? 2 : 2 + countInside(message.proof.viewChange);
  }
}

function sizeOf(certificate: Certificate | undefined): number {
  return certificate?.signatures.length ?? 0;
}

/**
 * The signatures inside a message whose form is good. Each is made when it is asked for: the
 * first wrong one ends it.
 */
function* claimsInside(message: Nesting, committee: Committee): Generator<SignatureClaim> {
  switch (message.kind) {
    case 'status':
      return yield* ofCertificate(message.finalCertificate, committee);
    case 'view-change':
    case 'reply-stable':
      yield* ofCertificate(message.finalCertificate, committee);
      return yield* ofCertificate(message.highest, committee);
    case 'new-view':
      for (const viewChange of message.viewChanges) {
        yield ownClaim(viewChange, committee);
        yield* claimsInside(viewChange, committee);
      }
      return;
    case 'evidence':
      return yield* ofContradiction(message.proof, committee);
  }
}

function* ofCertificate(
  certificate: Certificate | undefined,
  { chainId, validators }: Committee,
): Generator<SignatureClaim> {
  if (certificate !== undefined) yield* unwrap(certificateClaims(certificate, chainId, validators));
}

function* ofContradiction(proof: Contradiction, committee: Committee): Generator<SignatureClaim> {
  const publicKey = keyOf(proof.accused, committee);
  const vote = (phase: VotePhase, slot: SignedSlot): SignatureClaim => ({
    publicKey,
    message: voteBytes(phase, committee, slot),
    signature: slot.signature,
  });
  if (proof.type === 'double') {
    yield vote(proof.phase, proof.first);
    return yield vote(proof.phase, proof.second);
  }
  yield vote('commit', proof.commit);
  yield ownClaim(proof.viewChange, committee);
  yield* claimsInside(proof.viewChange, committee);
}

function ownClaim(message: PbftMessage, committee: Committee): SignatureClaim {
  return {
    publicKey: keyOf(message.from, committee),
    message: preimageOf(message, committee),
    signature: message.signature,
  };
}

function keyOf(validator: number, { validators }: Committee): PublicKey {
  return defined(validators.keys[validator], 'the key of a validator that was checked');
}

/** The highest rank that a view change reports. */
export function reportedRank(viewChange: ViewChange): Rank | undefined {
  return viewChange.highest ?? viewChange.finalCertificate;
}
