import type { PbftMessage } from '../../consensus/pbft/message.ts';
import type { Liar, LiarTools } from './liar.ts';

/**
 * Presents each vote that it hears as a vote of the other kind: the same slot, the same
 * signature, another kind in front.
 */
export function prepareAsCommit(tools: LiarTools): Liar {
  return {
    incoming: (message) => {
      const { kind } = message;
      if (kind !== 'prepare' && kind !== 'commit' && kind !== 'pre-prepare') return;
      const { epoch, from, view, height, blockHash, signature } = message;
      const disguised: PbftMessage = {
        kind: kind === 'prepare' ? 'commit' : 'prepare',
        epoch,
        from,
        view,
        height,
        blockHash,
        signature,
      };
      for (const peer of tools.peers()) {
        if (!tools.chance.happens(0.3)) continue;
        tools.lied();
        tools.send(peer, disguised);
      }
    },
  };
}
