import { Mempool } from '../../mempool/mempool.ts';
import { Chain } from '../effects/chain.ts';
import { rosterOf } from '../effects/restore.ts';
import { ClockWatch } from '../process/clock-watch.ts';
import { Decided } from './decided.ts';
import type { DriverOptions } from './options.ts';
import type { Loop } from './loop.ts';

/** What everything else stands on: the chain in memory, the mempool, and what the engine decided. */
export function assembleGround<M extends object>(
  { genesis, protocol: { capabilities }, restored, log, identity }: DriverOptions<M>,
  { ports: { clock }, listeners }: Loop<M>,
) {
  const { chainId } = genesis;
  const { final } = restored;
  const chain = new Chain({ genesis, final, membersChange: capabilities.membersChange });
  for (const block of restored.candidates) chain.add(block, { stored: true });
  const mempool = new Mempool({
    chainId,
    feePerOperation: genesis.feePerOperation,
    height: final.height,
    ...(capabilities.censorshipMs !== null && { bounds: { patienceMs: capabilities.censorshipMs } }),
    accountOf: final.state.account.bind(final.state),
    dropped: (transaction, reason) => listeners.dropped.tell(transaction, reason),
  });
  return {
    chain,
    mempool,
    clockWatch: new ClockWatch({
      clock,
      log,
      final: () => chain.final.header,
      self: identity.publicKey,
    }),
    decided: new Decided(final.height, rosterOf(restored)),
  };
}

export type Ground<M extends object> = ReturnType<typeof assembleGround<M>>;
