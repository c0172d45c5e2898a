import type { PbftMessage } from '../../consensus/pbft/message.ts';
import type { Hash } from '../../crypto/hash.ts';
import { hashHeader } from '../../ledger/block.ts';
import { draftOf, Halves, type Liar, type LiarTools } from './liar.ts';

/**
 * An equivocating primary: one half of the others gets its proposals, the other half gets different blocks, equally valid,
 * that differ in their timestamps, each chained to the one before; and its votes match what each half was told.
 */
export function equivocate(tools: LiarTools): Liar {
  const halves = new Halves(tools.chance);
  const twins = new Map<Hash, Hash | null>();
  return {
    outgoing: (message, to) => [halves.inSecond(to) ? otherFace(message) : message],
  };

  function otherFace(message: PbftMessage): PbftMessage {
    switch (message.kind) {
      case 'pre-prepare': {
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
        return tools.sign({
          ...draftOf(message),
          kind: 'pre-prepare',
          blockHash,
          proposal: { ...message.proposal, header: twin },
        } as Parameters<LiarTools['sign']>[0]);
      }
      case 'prepare':
      case 'commit': {
        const blockHash = twins.get(message.blockHash) ?? null;
        return blockHash === null
          ? message
          : tools.sign({ ...draftOf(message), blockHash } as typeof message);
      }
      default:
        return message;
    }
  }
}
