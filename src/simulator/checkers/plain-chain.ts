import type { ChainChange } from '../../ledger/chain-change.ts';
import { hex, maybe, named, number, tagged } from './plain-bytes.ts';

/* What the state holds of the chain itself, and its bytes. */

/** What is the same for all transactions of a block, and what is proposed to change it. */
export interface PlainChain {
  readonly version: number;
  readonly fee: bigint;
  readonly limits: {
    readonly maxTransactions: number;
    readonly maxOperations: number;
    readonly maxBytes: number;
  };
  /** Empty in Raft. */
  readonly validators: readonly string[];
  readonly scheduled: readonly { readonly from: number; readonly change: ChainChange }[];
  /** By id, in the order in which they were made. */
  readonly proposals: ReadonlyMap<string, PlainProposal>;
}

export interface PlainProposal {
  readonly proposer: string;
  readonly change: ChainChange;
  readonly expiryHeight: number;
  readonly validatorsHash: string;
  readonly electors: readonly string[];
  readonly approvals: readonly string[];
  readonly decidedAt: number | null;
}

const keysOf = (keys: readonly string[], countBytes: number): Buffer =>
  Buffer.concat([number(keys.length, countBytes), ...keys.map(hex)]);

export function plainValidatorsHash(keys: readonly string[]): string {
  return named(tagged('validators', keysOf(keys, 1)));
}

/** Whom an encoded configuration of Raft members names, and its own name; null for other bytes. */
export function plainConfigurationHash(
  bytes: Uint8Array,
): { readonly hash: string; readonly voters: readonly string[]; readonly joint: boolean } | null {
  const text = Buffer.from(bytes).toString('hex');
  const members = text.slice(4).match(/.{66}/g) ?? [];
  if (members.length > 256 || number(members.length, 2).toString('hex') + members.join('') !== text)
    return null;
  const keys = members.map((member) => member.slice(0, 64));
  const roles = members.map((member) => Number.parseInt(member.slice(64), 16));
  const votes = (role: number | undefined): boolean => role === 0 || role === 3;
  if (new Set(keys).size < keys.length || !roles.some(votes) || roles.some((role) => role > 5)) return null;
  return {
    hash: roles.every((role) => role === 0)
      ? plainValidatorsHash(keys)
      : named(tagged('raft/configuration', bytes)),
    voters: keys.filter((_, index) => votes(roles[index])),
    joint: roles.some((role) => role > 2),
  };
}

export function plainChangeBytes(change: ChainChange): Buffer {
  const height = (at: number | undefined): Buffer[] =>
    at === undefined ? [number(0, 1)] : [number(1, 1), number(at, 6)];
  switch (change.type) {
    case 'validators':
      return Buffer.concat([number(1, 1), keysOf(change.validators, 1)]);
    case 'protocol-version':
      return Buffer.concat([number(2, 1), number(change.version, 2), number(change.height, 6)]);
    case 'fee-floor':
      return Buffer.concat([number(3, 1), number(change.feePerOperation, 8), ...height(change.height)]);
    case 'limits':
      return Buffer.concat([number(4, 1), limitsBytes(change.limits), ...height(change.height)]);
  }
}

const limitsBytes = ({ maxTransactions, maxOperations, maxBytes }: PlainChain['limits']): Buffer =>
  Buffer.concat([number(maxTransactions, 4), number(maxOperations, 4), number(maxBytes, 4)]);

export const chainBytes = ({ version, fee, limits, validators, scheduled }: PlainChain): Buffer =>
  Buffer.concat([
    number(version, 2),
    number(fee, 8),
    limitsBytes(limits),
    keysOf(validators, 1),
    number(scheduled.length, 1),
    ...scheduled.flatMap(({ from, change }) => [number(from, 6), plainChangeBytes(change)]),
  ]);

export const proposalBytes = (proposal: PlainProposal): Buffer =>
  Buffer.concat([
    hex(proposal.proposer),
    plainChangeBytes(proposal.change),
    number(proposal.expiryHeight, 6),
    hex(proposal.validatorsHash),
    keysOf(proposal.electors, 2),
    keysOf(proposal.approvals, 2),
    ...maybe(proposal.decidedAt, (height) => [number(height, 6)]),
  ]);
