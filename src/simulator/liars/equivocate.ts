import type { PbftMessage, PrePrepare } from '../../consensus/pbft/message.ts';
import { draftOf, Halves, type Liar, type LiarTools } from './liar.ts';
import { Twins } from './twins.ts';

/**
 * An equivocating primary: one half of the others gets its proposals, the other half gets different
 * blocks, equally valid, that differ in their timestamps, each chained to the one before; and its votes
 * match what each half was told.
 */
export function equivocate(tools: LiarTools): Liar {
  const halves = new Halves(tools.chance);
  const twins = new Twins();
  return {
    outgoing: (message, to) => [halves.inSecond(to) ? otherFace(message) : message],
  };

  function otherFace(message: PbftMessage): PbftMessage {
    if (message.kind === 'prepare' || message.kind === 'commit') {
      const blockHash = twins.of(message.blockHash) ?? null;
      return blockHash === null ? message : tools.sign({ ...draftOf(message), blockHash } as typeof message);
    }
    return message.kind === 'pre-prepare' ? otherProposal(message) : message;
  }

  function otherProposal(message: PrePrepare): PbftMessage {
    const hasTwinParent = (twins.of(message.proposal.header.parentHash) ?? null) !== null;
    if (twins.of(message.blockHash) === undefined && !hasTwinParent && tools.chance.happens(0.5)) {
      twins.keep(message.blockHash);
    }
    if (twins.of(message.blockHash) === null) return message;
    tools.lied();
    return tools.sign(draftOf(twins.proposal(message, ({ timestamp }) => ({ timestamp: timestamp + 1 }))));
  }
}
