import { type Height, toHeight } from '../../src/ledger/block.ts';
import type { ChainChange } from '../../src/ledger/chain-change.ts';
import { type Genesis, genesisValidators } from '../../src/ledger/genesis.ts';
import { encodeConfiguration } from '../../src/ledger/members.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import { proposalId } from '../../src/ledger/proposal.ts';
import type { Transaction } from '../../src/ledger/transaction.ts';
import { signedTransaction } from './cluster.ts';

/** A proposal for the validators that a chain starts with. */
export function proposing(
  genesis: Genesis,
  change: ChainChange,
  expiryHeight: Height = toHeight(4),
): Operation {
  const validators = genesisValidators(genesis);
  const members = validators.keys.map((key) => ({ key, role: 'voter' as const }));
  return {
    type: 'propose-change',
    change,
    expiryHeight,
    validatorsHash: validators.hash,
    members: genesis.consensus.engine === 'raft' ? encodeConfiguration(members) : new Uint8Array(),
    replaces: false,
  };
}

/** A change that the first of the validators propose and approve, each with its first transaction. */
export function deciding(
  genesis: Genesis,
  change: ChainChange,
  approvals: number,
  expiryHeight?: Height,
): Transaction[] {
  const by = (index: number, operation: Operation): Transaction =>
    signedTransaction(genesis, `validator-${index}`, { nonce: 0, fee: 0n, operation });
  const proposal = by(0, proposing(genesis, change, expiryHeight));
  const id = proposalId(proposal.hash, 0);
  const approve: Operation = { type: 'approve-change', proposal: id };
  return [proposal, ...Array.from({ length: approvals - 1 }, (_, index) => by(index + 1, approve))];
}
