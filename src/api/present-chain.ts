import { toHex } from '../base/bytes.ts';
import { encodeAddress } from '../crypto/address.ts';
import { chainChangeJson } from '../ledger/chain-change.ts';
import type { NodeIdentity } from './backend.ts';
import type { ChainParametersView, ProposalView } from './chain-views.ts';
import { originOf } from './present.ts';
import type { ChainParametersJson, ChainProposalsJson } from './schemas.ts';

export function chainParametersJson(
  identity: NodeIdentity,
  { feePerOperation, limits, scheduled, validators, members, ...rest }: ChainParametersView,
): ChainParametersJson {
  return {
    ...originOf(identity),
    ...rest,
    feePerOperation: `${feePerOperation}`,
    limits: { ...limits },
    scheduled: scheduled.map(({ height, change }) => ({ height, change: chainChangeJson(change) })),
    validators: validators.map((one) => ({ ...one, address: encodeAddress(one.publicKey) })),
    members: toHex(members),
  };
}

export function proposalJson({
  proposer,
  change,
  approvals,
  ...rest
}: ProposalView): ChainProposalsJson['proposals'][number] {
  return {
    ...rest,
    proposer: encodeAddress(proposer),
    change: chainChangeJson(change),
    approvals: approvals.map(encodeAddress),
  };
}
