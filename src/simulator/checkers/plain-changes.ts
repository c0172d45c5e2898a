import { hash as digest } from 'node:crypto';
import type { BlockHeader } from '../../ledger/block.ts';
import type { ChainChange } from '../../ledger/chain-change.ts';
import type { Genesis } from '../../ledger/genesis.ts';
import type { Operation } from '../../ledger/operation.ts';
import {
  type PlainChain,
  plainChangeBytes,
  plainConfigurationHash,
  type PlainProposal,
  plainValidatorsHash,
} from './plain-chain.ts';
import type { PlainCode } from './plain-codes.ts';
import type { PlainChangeEffect } from './plain-roots.ts';

/*
 * Changes of the chain once more, by the text of `src/ledger/README.md`, sharing no code with the
 * ledger's rules.
 */

const maxExpiryAhead = 100_000;
const bounds = { maxTransactions: [1, 1_024], maxOperations: [256, 2_048], maxBytes: [32_768, 2_097_152] };

/** Who asks, in which block. */
interface PlainTerms {
  readonly sender: string;
  readonly balance: bigint;
  readonly height: number;
  readonly validatorsHash: string;
  readonly transactionHash: string;
  readonly operation: number;
}

/** A chain on which nothing was changed yet. */
export function plainChainOf({
  version = 1,
  fee = 0n,
  validators = [],
}: Partial<Pick<PlainChain, 'version' | 'fee' | 'validators'>>): PlainChain {
  const limits = { maxTransactions: 1_024, maxOperations: 2_048, maxBytes: 2_097_152 };
  return { version, fee, limits, validators, scheduled: [], proposals: new Map() };
}

/** What a chain starts with. */
export function plainGenesisChain(
  header: Pick<BlockHeader, 'protocolVersion'>,
  genesis: Pick<Genesis, 'feePerOperation' | 'consensus' | 'validators'>,
): PlainChain {
  const keys = genesis.validators.map(({ publicKey }) => publicKey);
  return plainChainOf({
    version: header.protocolVersion,
    fee: genesis.feePerOperation,
    validators: genesis.consensus.engine === 'pbft' ? keys : [],
  });
}

/** The chain's parameters for a block at this height. */
export function plainChainAt(chain: PlainChain, height: number): PlainChain {
  let next = chain;
  for (const { from, change } of chain.scheduled) {
    if (from > height) continue;
    if (change.type === 'validators') next = { ...next, validators: change.validators };
    else if (change.type === 'protocol-version') next = { ...next, version: change.version };
    else if (change.type === 'fee-floor') next = { ...next, fee: change.feePerOperation };
    else next = { ...next, limits: change.limits };
  }
  return { ...next, scheduled: chain.scheduled.filter(({ from }) => from > height) };
}

type Changed = { readonly chain: PlainChain; readonly effect: PlainChangeEffect };

/** Does what a validator asks, or says why not. */
export function changePlainly(
  chain: PlainChain,
  operation: Extract<Operation, { readonly type: 'propose-change' | 'approve-change' }>,
  terms: PlainTerms,
): Changed | PlainCode {
  return operation.type === 'propose-change'
    ? proposePlainly(chain, operation, terms)
    : approvePlainly(chain, operation.proposal, terms);
}

function proposePlainly(
  chain: PlainChain,
  operation: Extract<Operation, { readonly type: 'propose-change' }>,
  terms: PlainTerms,
): Changed | PlainCode {
  const { change, expiryHeight, validatorsHash } = operation;
  const { sender, height, transactionHash } = terms;
  const pbft = chain.validators.length > 0;
  const changes = chain.scheduled.some((scheduled) => scheduled.change.type === 'validators');
  if (validatorsHash !== terms.validatorsHash || changes) return 'change/other-validators';
  let electors = chain.validators;
  if (pbft && operation.members.length > 0) return 'change/other-validators';
  if (!pbft) {
    if (change.type === 'validators') return 'change/members';
    const found = plainConfigurationHash(operation.members);
    if (found === null || found.hash !== validatorsHash) return 'change/other-validators';
    if (found.joint) return 'change/members-changing';
    electors = found.voters;
  }
  if (!electors.includes(sender)) return 'change/not-a-validator';
  if (height > expiryHeight || expiryHeight - height > maxExpiryAhead) return 'change/wrong-expiry';
  const former = [...chain.proposals.values()].find(({ proposer }) => proposer === sender);
  const open =
    former !== undefined &&
    former.decidedAt === null &&
    former.validatorsHash === validatorsHash &&
    former.expiryHeight >= height;
  if (open && !operation.replaces) return 'change/proposal-open';
  const wrong = wrongChange(chain, change, expiryHeight, terms.balance);
  if (wrong !== null) return wrong;
  const id = digest(
    'sha256',
    Buffer.concat([
      Buffer.from('quorate/v1/proposal\0'),
      Buffer.from(transactionHash, 'hex'),
      Buffer.from([terms.operation >> 8, terms.operation & 255]),
    ]),
  );
  const proposals = new Map(
    [...chain.proposals].filter(
      ([, other]) => other.proposer !== sender && other.validatorsHash === validatorsHash,
    ),
  );
  const proposal: PlainProposal = {
    proposer: sender,
    change,
    expiryHeight,
    validatorsHash,
    electors: pbft ? [] : electors,
    approvals: [],
    decidedAt: null,
  };
  return countPlainly({ ...chain, proposals }, id, proposal, terms);
}

function approvePlainly(chain: PlainChain, id: string, terms: PlainTerms): Changed | PlainCode {
  const proposal = chain.proposals.get(id);
  if (proposal === undefined) return 'change/unknown-proposal';
  if (proposal.decidedAt !== null) return 'change/decided';
  const changes = chain.scheduled.some(({ change }) => change.type === 'validators');
  if (changes || proposal.validatorsHash !== terms.validatorsHash) return 'change/other-validators';
  if (![...chain.validators, ...proposal.electors].includes(terms.sender)) return 'change/not-a-validator';
  if (proposal.expiryHeight < terms.height) return 'change/expired';
  if (proposal.approvals.includes(terms.sender)) return 'change/already-approved';
  const wrong = wrongChange(chain, proposal.change, proposal.expiryHeight, terms.balance);
  return wrong ?? countPlainly(chain, id, proposal, terms);
}

function countPlainly(
  chain: PlainChain,
  id: string,
  proposal: PlainProposal,
  { sender, height, operation }: PlainTerms,
): Changed {
  const { change } = proposal;
  const approvals = [...proposal.approvals, sender];
  const n = proposal.electors.length || chain.validators.length;
  const f = proposal.electors.length > 0 ? 0 : Math.trunc((n - 1) / 3);
  const needed = Math.trunc((n + f) / 2) + 1;
  const decided = approvals.length >= needed;
  const from = change.type === 'validators' ? height + 1 : (change.height ?? height + 1);
  const proposals = new Map(chain.proposals);
  proposals.set(id, { ...proposal, approvals, decidedAt: decided ? height : null });
  const others = chain.scheduled.filter((scheduled) => scheduled.change.type !== change.type);
  return {
    chain: { ...chain, proposals, scheduled: decided ? [...others, { from, change }] : chain.scheduled },
    effect: { operation, proposal: id, approvals: approvals.length, needed, from: decided ? from : null },
  };
}

function wrongChange(
  chain: PlainChain,
  change: ChainChange,
  expiryHeight: number,
  balance: bigint,
): PlainCode | null {
  const coming = chain.scheduled.find((scheduled) => scheduled.change.type === change.type);
  if ('height' in change && change.height !== undefined && change.height <= expiryHeight)
    return 'change/height-not-ahead';
  if (coming !== undefined && plainChangeBytes(coming.change).equals(plainChangeBytes(change)))
    return 'change/nothing-changes';
  switch (change.type) {
    case 'validators': {
      const { validators } = change;
      if (validators.length === 0) return 'change/no-validators';
      if (validators.some((key, index) => validators.indexOf(key) !== index))
        return 'change/repeated-validator';
      return plainValidatorsHash(validators) === plainValidatorsHash(chain.validators)
        ? 'change/nothing-changes'
        : null;
    }
    case 'protocol-version':
      return change.version <= chain.version ? 'change/version-not-above' : null;
    case 'fee-floor':
      if (coming === undefined && change.feePerOperation === chain.fee) return 'change/nothing-changes';
      return change.feePerOperation > balance ? 'change/fee-not-payable' : null;
    case 'limits': {
      let same = true;
      for (const name of ['maxTransactions', 'maxOperations', 'maxBytes'] as const) {
        const [least, most] = bounds[name] as [number, number];
        if (change.limits[name] < least || change.limits[name] > most) return 'change/limits';
        same &&= change.limits[name] === chain.limits[name];
      }
      return same && coming === undefined ? 'change/nothing-changes' : null;
    }
  }
}
