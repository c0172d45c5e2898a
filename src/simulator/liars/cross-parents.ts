import type { PbftMessage } from '../../consensus/pbft/message.ts';
import { draftOf, Halves, type Liar, type LiarTools } from './liar.ts';
import { Twins } from './twins.ts';

/**
 * As primary it shows each half another block at one height, and at the next height everybody the same: a
 * block on what only one half was shown. It is valid, and the others can get all that it stands on.
 */
export function crossParents(tools: LiarTools): Liar {
  const { chance } = tools;
  const halves = new Halves(chance);
  const twins = new Twins();
  /** By height, whether all are shown the branch of the second half there. */
  const crossed = new Map<number, boolean>();
  return {
    outgoing: (message, to) => {
      if (message.kind !== 'pre-prepare') {
        const votes = message.kind === 'prepare' || message.kind === 'commit';
        const twin = votes ? (twins.of(message.blockHash) ?? null) : null;
        // Its votes go with the branch on which it built further.
        if (!votes || twin === null || !halves.inSecond(to)) return [message];
        return [tools.sign({ ...draftOf(message), blockHash: twin } as typeof message)];
      }
      const { header } = message.proposal;
      const parentHasTwin = (twins.of(header.parentHash) ?? null) !== null;
      let onTwin = crossed.get(message.height);
      if (onTwin === undefined) {
        onTwin = parentHasTwin && chance.happens(0.5);
        crossed.set(message.height, onTwin);
      }
      if (parentHasTwin) {
        tools.lied();
        return onTwin ? [tools.sign(draftOf(twins.proposal(message, () => ({}))))] : [message];
      }
      return [halves.inSecond(to) ? other(message) : message];
    },
  };

  function other(message: Extract<PbftMessage, { kind: 'pre-prepare' }>): PbftMessage {
    tools.lied();
    return tools.sign(draftOf(twins.proposal(message, ({ timestamp }) => ({ timestamp: timestamp + 1 }))));
  }
}
