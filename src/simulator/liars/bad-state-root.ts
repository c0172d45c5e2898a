import type { Hash } from '../../crypto/hash.ts';
import { hashHeader } from '../../ledger/block.ts';
import { draftOf, type Liar, type LiarTools } from './liar.ts';

/**
 * As primary it proposes blocks that do not do what they say: another state root, receipts root, or a
 * later time than allowed.
 */
export function badStateRoot(tools: LiarTools): Liar {
  const { chance } = tools;
  const wrong = 'cd'.repeat(32) as Hash;
  const lies = new Map<Hash, 'stateRoot' | 'receiptsRoot' | 'transactionRoot' | 'timestamp' | 'none'>();
  return {
    outgoing: (message) => {
      if (message.kind !== 'pre-prepare') return [message];
      const lie =
        lies.get(message.blockHash) ??
        chance.pick([
          'stateRoot',
          'stateRoot',
          'receiptsRoot',
          'transactionRoot',
          'timestamp',
          'none',
        ] as const);
      lies.set(message.blockHash, lie);
      if (lie === 'none') return [message];
      tools.lied();
      const { header } = message.proposal;
      const changed = { ...header, [lie]: lie === 'timestamp' ? header.timestamp + 3_600_000 : wrong };
      const proposal = { ...message.proposal, header: changed };
      return [
        tools.sign({ ...draftOf(message), blockHash: hashHeader(changed), proposal } as typeof message),
      ];
    },
  };
}
