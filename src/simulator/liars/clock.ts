import { limits } from '../../base/limits.ts';
import type { Hash } from '../../crypto/hash.ts';
import { draftOf, type Liar, type LiarTools } from './liar.ts';
import { Twins } from './twins.ts';

/** How far ahead of the clocks its blocks are: as far as it may be, and a little more. */
const aheadMs = [
  limits.maxClockAheadMs - 300,
  limits.maxClockAheadMs - 50,
  limits.maxClockAheadMs + 50,
  limits.maxClockAheadMs + 60_000,
];

/**
 * As primary it dates its blocks ahead, up to what honest clocks let pass and past it, so that everything
 * after has to be later still.
 */
export function clock(tools: LiarTools): Liar {
  const twins = new Twins();
  const dates = new Map<Hash, number>();
  return {
    outgoing: (message) => {
      if (message.kind === 'prepare' || message.kind === 'commit') {
        const blockHash = twins.of(message.blockHash) ?? message.blockHash;
        return [tools.sign({ ...draftOf(message), blockHash } as typeof message)];
      }
      if (message.kind !== 'pre-prepare') return [message];
      if (twins.of(message.blockHash) === undefined) {
        // What stands on a block that it changed has to change with it.
        const mustChange = (twins.of(message.proposal.header.parentHash) ?? null) !== null;
        const ahead = tools.chance.happens(0.3) ? 0 : tools.chance.pick(aheadMs);
        if (ahead === 0 && !mustChange) twins.keep(message.blockHash);
        else dates.set(message.blockHash, message.proposal.header.timestamp + ahead);
      }
      const timestamp = dates.get(message.blockHash);
      if (timestamp === undefined) return [message];
      tools.lied();
      return [tools.sign(draftOf(twins.proposal(message, () => ({ timestamp }))))];
    },
  };
}
