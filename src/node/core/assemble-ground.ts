import { newestProtocolVersion } from '../../ledger/protocol-version.ts';
import { Mempool } from '../../mempool/mempool.ts';
import { upcomingParameters } from '../effects/upcoming.ts';
import { Chain } from '../effects/chain.ts';
import { type Restored, rosterOf } from '../effects/restore.ts';
import { ClockWatch } from '../process/clock-watch.ts';
import { Decided } from './decided.ts';
import type { LastingOptions } from './options.ts';
import { VersionWatch } from '../effects/version-watch.ts';
import { end, type Loop } from './loop.ts';

/**
 * What everything else stands on: the chain in memory, the mempool, and what the engine decided. The state
 * that was restored is the chain's from then on: another holder would keep each entry as it was at the start
 * beside what it becomes.
 */
export function assembleGround<M extends object>(
  options: LastingOptions<M>,
  restored: Restored,
  { ports: { clock }, listeners }: Loop<M>,
) {
  const { genesis, log, identity } = options;
  const { capabilities } = options.protocol;
  const { chainId } = genesis;
  const { final } = restored;
  const next = upcomingParameters(final);
  const known = options.newestProtocolVersion ?? newestProtocolVersion;
  const chain = new Chain({
    genesis,
    final,
    newestProtocolVersion: known,
    inFlightBytes: capabilities.inFlightBytes,
  });
  final.state.release();
  const { state } = chain.final;
  for (const block of restored.candidates) chain.add(block, { stored: true });
  const mempool = new Mempool({
    chainId,
    next,
    height: final.height,
    ...(capabilities.censorshipMs !== null && { bounds: { patienceMs: capabilities.censorshipMs } }),
    accountOf: state.account.bind(state),
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
    versionWatch: new VersionWatch({ known, final: () => chain.final, log, end }),
    decided: new Decided(final.height, rosterOf(restored)),
  };
}

export type Ground<M extends object> = ReturnType<typeof assembleGround<M>>;
