import { Problem } from '../../base/problem.ts';
import type { SignatureClaim } from '../../crypto/signature.ts';
import { hashHeader } from '../../ledger/block.ts';
import { checkProposal } from '../../ledger/block-body.ts';
import { type Certificate, certificateClaims, voteBytes } from '../../ledger/certificate.ts';
import { byzantineQuorum } from '../../ledger/quorum.ts';
import {
  type Contradiction,
  type Epoch,
  type NewView,
  type PbftMessage,
  preimageOf,
  type ViewChange,
} from './message.ts';
import { compareRank, type Rank } from './state.ts';
import type { ValidatorSet } from '../../ledger/validators.ts';

interface Committee extends Epoch {
  readonly validators: ValidatorSet;
}

const wrong = (message: PbftMessage, why: string): Problem =>
  new Problem('consensus/invalid-message', `the ${message.kind} of validator ${message.from} ${why}`, {
    remedy: 'A correct validator never sends this: check the version and the genesis file of the sender.',
    details: { kind: message.kind, from: message.from },
  });

/**
 * Checks everything about a message that needs no state and no signature, and returns the signatures that
 * remain to be checked: its own and all nested ones.
 */
export function messageClaims(message: PbftMessage, committee: Committee): SignatureClaim[] | Problem {
  const publicKey = committee.validators.keys[message.from];
  if (publicKey === undefined) {
    return wrong(message, `is from nobody: there are ${committee.validators.keys.length} validators`);
  }
  const own: SignatureClaim = {
    publicKey,
    message: preimageOf(message, committee),
    signature: message.signature,
  };
  switch (message.kind) {
    case 'pre-prepare': {
      const { header } = message.proposal;
      if (header.height !== message.height) return wrong(message, 'has a header of another height');
      if (hashHeader(header) !== message.blockHash) return wrong(message, 'does not hash to what it names');
      return checkProposal(message.proposal) ?? [own];
    }
    case 'prepare':
    case 'commit':
    case 'suspect':
      return [own];
    case 'status':
      return and(own, finalClaims(message, message.finalHeight, message.finalCertificate, committee));
    case 'view-change':
      return and(own, viewChangeClaims(message, committee));
    case 'new-view':
      return and(own, newViewClaims(message, committee));
    case 'evidence':
      return and(own, contradictionClaims(message.proof, committee));
  }
}

function and(own: SignatureClaim, nested: SignatureClaim[] | Problem): SignatureClaim[] | Problem {
  return nested instanceof Problem ? nested : [own, ...nested];
}

function finalClaims(
  message: PbftMessage,
  finalHeight: number,
  certificate: Certificate | undefined,
  committee: Committee,
): SignatureClaim[] | Problem {
  if (certificate === undefined) {
    return finalHeight === 0 ? [] : wrong(message, 'claims a final height without its certificate');
  }
  if (certificate.phase !== 'commit') return wrong(message, 'proves its final height with prepares');
  if (certificate.height !== finalHeight) return wrong(message, 'has a certificate of another height');
  return certificateClaims(certificate, committee.chainId, committee.validators);
}

function viewChangeClaims(message: ViewChange, committee: Committee): SignatureClaim[] | Problem {
  if (message.view < 1) return wrong(message, 'is for view 0, which nobody changes to');
  const final = finalClaims(message, message.finalHeight, message.finalCertificate, committee);
  if (final instanceof Problem) return final;
  if (message.finalCertificate !== undefined && message.finalCertificate.view >= message.view) {
    return wrong(message, 'carries a certificate of a view that it had not reached');
  }
  if (message.highest === undefined) return final;
  if (message.highest.view >= message.view) {
    return wrong(message, 'carries a certificate of a view that it had not reached');
  }
  if (compareRank(message.highest, message.finalCertificate) <= 0) {
    return wrong(message, 'repeats a certificate that its final one outranks');
  }
  const highest = certificateClaims(message.highest, committee.chainId, committee.validators);
  return highest instanceof Problem ? highest : [...final, ...highest];
}

function newViewClaims(message: NewView, committee: Committee): SignatureClaim[] | Problem {
  const n = committee.validators.keys.length;
  if (message.view < 1) return wrong(message, 'is for view 0, which needs none');
  if (message.from !== message.view % n) return wrong(message, 'is not from the primary of its view');
  if (message.viewChanges.length !== byzantineQuorum(n)) {
    return wrong(message, `has ${message.viewChanges.length} view changes and needs ${byzantineQuorum(n)}`);
  }
  const claims: SignatureClaim[] = [];
  let previous = -1;
  for (const viewChange of message.viewChanges) {
    if (viewChange.from <= previous)
      return wrong(message, 'does not list its view changes by distinct senders');
    previous = viewChange.from;
    if (viewChange.view !== message.view) return wrong(message, 'mixes view changes of other views');
    const nested = messageClaims(viewChange, committee);
    if (nested instanceof Problem) return nested;
    claims.push(...nested);
  }
  return claims;
}

/** The highest rank that a view change reports. */
export function reportedRank(viewChange: ViewChange): Rank | undefined {
  return viewChange.highest ?? viewChange.finalCertificate;
}

/** What makes a contradiction one, besides the two signatures: anyone can check it with the genesis file alone. */
export function contradictionClaims(proof: Contradiction, committee: Committee): SignatureClaim[] | Problem {
  const accused = committee.validators.keys[proof.accused];
  const refuse = (why: string): Problem =>
    new Problem('consensus/invalid-evidence', `the evidence against validator ${proof.accused} ${why}`, {
      remedy: 'Ignore it, and distrust whoever made it.',
      details: { accused: proof.accused, type: proof.type },
    });
  if (accused === undefined) return refuse('names nobody');
  if (proof.type === 'double') {
    const { first, second, phase } = proof;
    if (first.view !== second.view || first.height !== second.height) return refuse('is about two places');
    if (first.blockHash >= second.blockHash) return refuse('does not name two blocks in ascending order');
    return [first, second].map((slot) => ({
      publicKey: accused,
      message: voteBytes(phase, committee.chainId, committee.validatorsHash, slot),
      signature: slot.signature,
    }));
  }
  const { commit, viewChange } = proof;
  if (viewChange.from !== proof.accused) return refuse('holds a view change of somebody else');
  if (commit.view >= viewChange.view) return refuse('has a commit that the view change does not cover');
  if (compareRank(reportedRank(viewChange), commit) >= 0)
    return refuse('shows a view change that reports enough');
  const nested = messageClaims(viewChange, committee);
  if (nested instanceof Problem) return nested;
  return [
    {
      publicKey: accused,
      message: voteBytes('commit', committee.chainId, committee.validatorsHash, commit),
      signature: commit.signature,
    },
    ...nested,
  ];
}
