import { concat } from '../base/bytes.ts';
import { type Codec, encode, listOf, optional, struct, u16 } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { hash, hashCodec, type Hash, hashToBytes } from '../crypto/hash.ts';
import { publicKeyCodec, type PublicKey } from '../crypto/signature.ts';
import { type Height, heightCodec } from './block.ts';
import { type ChainChange, chainChangeCodec } from './chain-change.ts';
import { decodeStateValue } from './state-value.ts';

/**
 * A change of the chain that a validator proposed. It stays in the state until its proposer makes another
 * one, or the first one under another set is made.
 */
export interface ChainProposal {
  readonly proposer: PublicKey;
  readonly change: ChainChange;
  /** The last height at which it can be approved. */
  readonly expiryHeight: Height;
  /** The set that it was made for, as headers name it. Under another one it means nothing any more. */
  readonly validatorsHash: Hash;
  /** Raft: who voted when it was made. Empty in PBFT, whose validators stand in the chain's parameters. */
  readonly electors: readonly PublicKey[];
  /** In the order in which they came; the proposer is the first. */
  readonly approvals: readonly PublicKey[];
  /** The height of the approval that made them a quorum. */
  readonly decidedAt: Height | undefined;
}

/** Which proposals are there: one of each proposer at most. */
export interface ProposalName {
  readonly id: Hash;
  readonly proposer: PublicKey;
}

/** Names a proposal by where it was made: known to whoever knows the transaction, and never used again. */
export function proposalId(transactionHash: Hash, operation: number): Hash {
  return hash('quorate/v1/proposal', hashToBytes(transactionHash), encode(u16, operation));
}

const electorsCodec = listOf(publicKeyCodec, limits.raftMembers);
export const proposalCodec: Codec<ChainProposal> = struct<ChainProposal>({
  proposer: publicKeyCodec,
  change: chainChangeCodec,
  expiryHeight: heightCodec,
  validatorsHash: hashCodec,
  electors: electorsCodec,
  approvals: electorsCodec,
  decidedAt: optional(heightCodec),
});
export const namesCodec: Codec<readonly ProposalName[]> = listOf(
  struct<ProposalName>({ id: hashCodec, proposer: publicKeyCodec }),
  limits.raftMembers,
);

const proposalKind = 8;
/** Of the list of all proposals. */
export const proposalsStateKey: Uint8Array = Uint8Array.of(proposalKind);

export function proposalStateKey(id: Hash): Uint8Array {
  return concat(proposalsStateKey, hashToBytes(id));
}

export function encodeProposal(proposal: ChainProposal): Uint8Array {
  return encode(proposalCodec, proposal);
}

export function encodeProposalNames(names: readonly ProposalName[]): Uint8Array {
  return encode(namesCodec, names);
}

/** The proposal in a state value. */
export function decodeProposal(value: Uint8Array): ChainProposal {
  return decodeStateValue(proposalCodec, value, 'proposal');
}

/** The same for the list of all. */
export function decodeProposalNames(value: Uint8Array): readonly ProposalName[] {
  return decodeStateValue(namesCodec, value, 'proposals');
}
