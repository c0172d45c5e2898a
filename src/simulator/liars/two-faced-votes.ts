import type { Hash } from '../../crypto/hash.ts';
import { draftOf, Halves, type Liar, type LiarTools } from './liar.ts';

/**
 * An equivocating voter: to one half it votes for what was proposed, to the other for another block of that
 * height, or for none that exists.
 */
export function twoFacedVotes(tools: LiarTools): Liar {
  const halves = new Halves(tools.chance);
  const seen = new Map<number, Hash>();
  const nowhere = 'ab'.repeat(32) as Hash;
  return {
    incoming: (message) => {
      if (message.kind === 'pre-prepare') seen.set(message.height, message.blockHash);
    },
    outgoing: (message, to) => {
      if (message.kind !== 'prepare' && message.kind !== 'commit') return [message];
      if (!halves.inSecond(to)) return [message];
      const other = seen.get(message.height);
      const blockHash = other === undefined || other === message.blockHash ? nowhere : other;
      tools.lied();
      const lie = tools.sign({ ...draftOf(message), blockHash } as typeof message);
      return tools.chance.happens(0.3) ? [lie, message] : [lie];
    },
  };
}
