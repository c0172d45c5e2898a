import { fromHex } from '../base/bytes.ts';
import type { Height } from '../ledger/block.ts';
import type { ChainChange } from '../ledger/chain-change.ts';
import type { Operation } from '../ledger/operation.ts';
import type { ChainParametersAnswer } from './answers.ts';

/** A proposal to change the chain, made for the validators that the parameters name. */
export function proposalOf(
  { validatorsHash, members }: Pick<ChainParametersAnswer, 'validatorsHash' | 'members'>,
  change: ChainChange,
  options: { readonly expiryHeight: Height; readonly replaces?: boolean },
): Operation {
  const { expiryHeight, replaces = false } = options;
  return {
    type: 'propose-change',
    change,
    expiryHeight,
    validatorsHash,
    members: fromHex(members),
    replaces,
  };
}
