import { equalBytes } from '../base/bytes.ts';
import { encode } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { type Height, toHeight } from './block.ts';
import { type BlockLimits, type ChainChange, chainChangeCodec } from './chain-change.ts';
import { type ChainParameters, scheduledChange, widestLimits, withScheduled } from './chain-parameters.ts';
import type { Draft } from './draft.ts';
import { configurationHash, decodeConfiguration, isJoint, votesInNew } from './members.ts';
import type { ApproveChange, ProposeChange } from './operation.ts';
import type { ChainProposal } from './proposal.ts';
import { byzantineQuorum, majority } from './quorum.ts';
import type { FailureCode } from './failure-codes.ts';
import type { ChangeEffect } from './receipt.ts';

/** What a change of the chain is judged by, besides the state. */
interface ChangeTerms {
  readonly sender: PublicKey;
  readonly height: Height;
  /** The set in force, as the block's header names it. */
  readonly validatorsHash: Hash;
  /** The index of the operation in its transaction. */
  readonly operation: number;
}

/** The tightest limits that a chain can have: the largest transaction fits, so that it can be undone. */
const tightestLimits: BlockLimits = {
  maxTransactions: 1,
  maxOperations: limits.maxOperations,
  maxBytes: limits.maxTransactionBytes,
};

/** How many of them must approve. */
export function approvalsNeeded(parameters: ChainParameters, electors: readonly PublicKey[]): number {
  return parameters.validators.length > 0 ? byzantineQuorum(electors.length) : majority(electors.length);
}

/** Who decides on a proposal. */
export function electorsOf(parameters: ChainParameters, proposal: ChainProposal): readonly PublicKey[] {
  return parameters.validators.length > 0 ? parameters.validators : proposal.electors;
}

/** Opens a proposal with its proposer's approval; or changes nothing and says why. */
export function proposeChange(
  draft: Draft,
  id: Hash,
  operation: ProposeChange,
  terms: ChangeTerms,
): ChangeEffect | FailureCode {
  const { change, expiryHeight, validatorsHash, replaces } = operation;
  const { sender, height } = terms;
  const { parameters } = draft;
  const electors = electorsNamed(parameters, operation, terms);
  if (typeof electors === 'string') return electors;
  if (!electors.includes(sender)) return 'change/not-a-validator';
  if (expiryHeight < height || expiryHeight > height + limits.maxExpiryAhead) return 'change/wrong-expiry';
  const former = draft.proposalNames.find(({ proposer }) => proposer === sender);
  if (former !== undefined && !replaces && isOpen(draft.proposal(former.id), terms)) {
    return 'change/proposal-open';
  }
  const refusal = checkChange(draft, change, expiryHeight, sender);
  if (refusal !== undefined) return refusal;
  // Proposals for another set are void, and make room.
  const kept = draft.proposalNames.filter(({ id: other, proposer }) => {
    const stays = proposer !== sender && draft.proposal(other)?.validatorsHash === validatorsHash;
    if (!stays) draft.proposals.set(other, null);
    return stays;
  });
  draft.proposalNames = [...kept, { id, proposer: sender }];
  return approved(
    draft,
    id,
    {
      proposer: sender,
      change,
      expiryHeight,
      validatorsHash,
      electors: parameters.validators.length > 0 ? [] : electors,
      approvals: [],
      decidedAt: undefined,
    },
    terms,
  );
}

/** Adds the sender's approval; or changes nothing and says why. */
export function approveChange(
  draft: Draft,
  { proposal: id }: ApproveChange,
  terms: ChangeTerms,
): ChangeEffect | FailureCode {
  const { sender, height } = terms;
  const { parameters } = draft;
  const proposal = draft.proposal(id);
  if (proposal === undefined) return 'change/unknown-proposal';
  if (proposal.decidedAt !== undefined) return 'change/decided';
  if (isVoid(parameters, proposal.validatorsHash, terms)) return 'change/other-validators';
  if (!electorsOf(parameters, proposal).includes(sender)) return 'change/not-a-validator';
  if (height > proposal.expiryHeight) return 'change/expired';
  if (proposal.approvals.includes(sender)) return 'change/already-approved';
  return (
    checkChange(draft, proposal.change, proposal.expiryHeight, sender) ?? approved(draft, id, proposal, terms)
  );
}

function approved(draft: Draft, id: Hash, proposal: ChainProposal, terms: ChangeTerms): ChangeEffect {
  const { sender, height, operation } = terms;
  const { parameters } = draft;
  const approvals = [...proposal.approvals, sender];
  const needed = approvalsNeeded(parameters, electorsOf(parameters, proposal));
  const isDecided = approvals.length >= needed;
  draft.proposals.set(id, { ...proposal, approvals, decidedAt: isDecided ? height : undefined });
  const { change } = proposal;
  const next = toHeight(height + 1);
  const from = change.type === 'validators' ? next : (change.height ?? next);
  if (isDecided) draft.parameters = withScheduled(parameters, { height: from, change });
  return {
    operation,
    proposal: id,
    approvals: approvals.length,
    needed,
    effectiveFrom: isDecided ? from : undefined,
  };
}

/** Those who decide on what the operation proposes, when it is made for the set in force. */
function electorsNamed(
  parameters: ChainParameters,
  { change, validatorsHash, members }: ProposeChange,
  terms: ChangeTerms,
): readonly PublicKey[] | FailureCode {
  if (isVoid(parameters, validatorsHash, terms)) return 'change/other-validators';
  if (parameters.validators.length > 0) {
    return members.length === 0 ? parameters.validators : 'change/other-validators';
  }
  if (change.type === 'validators') return 'change/members';
  const configuration = decodeConfiguration(members);
  if (configuration instanceof Problem || configurationHash(configuration) !== validatorsHash) {
    return 'change/other-validators';
  }
  if (isJoint(configuration)) return 'change/members-changing';
  return configuration.filter(votesInNew).map(({ key }) => key);
}

/** Made for another set than the one in force, or for one whose successor is decided. */
function isVoid(parameters: ChainParameters, madeFor: Hash, { validatorsHash }: ChangeTerms): boolean {
  return madeFor !== validatorsHash || scheduledChange(parameters, 'validators') !== undefined;
}

function isOpen(proposal: ChainProposal | undefined, { height, validatorsHash }: ChangeTerms): boolean {
  return (
    proposal !== undefined &&
    proposal.decidedAt === undefined &&
    proposal.validatorsHash === validatorsHash &&
    height <= proposal.expiryHeight
  );
}

/** Why a change makes no sense on the chain as it is; whoever proposes or approves it is asked. */
function checkChange(
  draft: Draft,
  change: ChainChange,
  expiryHeight: Height,
  sender: PublicKey,
): FailureCode | undefined {
  const { parameters } = draft;
  // A change must not count while its proposal can still be approved.
  if (change.type !== 'validators' && change.height !== undefined && change.height <= expiryHeight) {
    return 'change/height-not-ahead';
  }
  const coming = scheduledChange(parameters, change.type);
  if (coming !== undefined && isSameChange(coming.change, change)) return 'change/nothing-changes';
  switch (change.type) {
    case 'validators':
      return checkValidators(parameters.validators, change.validators);
    case 'protocol-version':
      return change.version > parameters.protocolVersion ? undefined : 'change/version-not-above';
    case 'fee-floor': {
      if (coming === undefined && change.feePerOperation === parameters.feePerOperation) {
        return 'change/nothing-changes';
      }
      // Otherwise nobody might be able to pay for the change that lowers it again.
      const { balance } = draft.account(sender);
      return balance < change.feePerOperation ? 'change/fee-not-payable' : undefined;
    }
    case 'limits': {
      const { limits: next } = change;
      for (const name of ['maxTransactions', 'maxOperations', 'maxBytes'] as const) {
        if (next[name] < tightestLimits[name] || next[name] > widestLimits[name]) return 'change/limits';
      }
      const now = parameters.limits;
      const same =
        next.maxTransactions === now.maxTransactions &&
        next.maxOperations === now.maxOperations &&
        next.maxBytes === now.maxBytes;
      return same && coming === undefined ? 'change/nothing-changes' : undefined;
    }
  }
}

function isSameChange(one: ChainChange, other: ChainChange): boolean {
  return equalBytes(encode(chainChangeCodec, one), encode(chainChangeCodec, other));
}

function checkValidators(now: readonly PublicKey[], next: readonly PublicKey[]): FailureCode | undefined {
  if (next.length === 0) return 'change/no-validators';
  if (new Set(next).size !== next.length) return 'change/repeated-validator';
  const same = next.length === now.length && next.every((key, index) => key === now[index]);
  return same ? 'change/nothing-changes' : undefined;
}
