import type { PbftMessage, PrePrepare } from '../../consensus/pbft/message.ts';
import type { Hash } from '../../crypto/hash.ts';
import { hashHeader } from '../../ledger/block.ts';
import { draftOf, Halves, type Liar, type LiarTools } from './liar.ts';

/**
 * An equivocating primary: one half of the others gets its proposals, the other half gets different blocks, equally valid,
 * that differ in their timestamps, each chained to the one before; and its votes match what each half was told.
 */
export function equivocate(tools: LiarTools): Liar {
  const halves = new Halves(tools.chance);
  /** By block, the one that the second half gets instead; null for one that all get. */
  const twins = new Map<Hash, Hash | null>();
  return {
    outgoing: (message, to) => [halves.inSecond(to) ? otherFace(message) : message],
  };

  function otherFace(message: PbftMessage): PbftMessage {
    if (message.kind === 'prepare' || message.kind === 'commit') {
      const blockHash = twins.get(message.blockHash) ?? null;
      return blockHash === null ? message : tools.sign({ ...draftOf(message), blockHash } as typeof message);
    }
    return message.kind === 'pre-prepare' ? otherProposal(message) : message;
  }

  function otherProposal(message: PrePrepare): PbftMessage {
    const { header } = message.proposal;
    const parent = twins.get(header.parentHash) ?? null;
    if (!twins.has(message.blockHash) && parent === null && tools.chance.happens(0.5)) {
      twins.set(message.blockHash, null);
    }
    if (twins.get(message.blockHash) === null) return message;
    const twin = { ...header, timestamp: header.timestamp + 1, parentHash: parent ?? header.parentHash };
    const blockHash = hashHeader(twin);
    twins.set(message.blockHash, blockHash);
    tools.lied();
    const proposal = { ...message.proposal, header: twin };
    return tools.sign({ ...draftOf(message), blockHash, proposal } as PrePrepare);
  }
}
