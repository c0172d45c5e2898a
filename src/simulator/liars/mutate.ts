import type { PbftMessage, PrePrepare } from '../../consensus/pbft/message.ts';
import type { Hash } from '../../crypto/hash.ts';
import { hashHeader, toHeight, toView } from '../../ledger/block.ts';
import type { Certificate } from '../../ledger/certificate.ts';
import { draftOf, type Liar, type LiarTools } from './liar.ts';
import { RogueBlocks } from './rogue-blocks.ts';

/**
 * Small-scope mutations before signing, to some receivers only: view ± 1, height ± 1, another digest, a stale
 * certificate, an empty proof. (Most bugs in such protocols show within one step of a right message: Winter
 * and others, "Randomized testing of Byzantine fault tolerant algorithms", OOPSLA 2023.)
 */
export function mutate(tools: LiarTools): Liar {
  const { chance } = tools;
  const blocks = new RogueBlocks(tools.genesis, tools.publicKey);
  const digests: Hash[] = [];
  const certificates: Certificate[] = [];
  return {
    incoming: (message) => learn(message),
    outgoing: (message, to) => {
      learn(message);
      if (!chance.happens(0.3)) return [message];
      const changed = mutation(message);
      if (changed === null) return [message];
      tools.lied();
      const lie = tools.sign(draftOf(changed));
      if (chance.happens(0.3)) tools.send(to, lie);
      return chance.happens(0.5) ? [lie] : [message, lie];
    },
  };

  function learn(message: PbftMessage): void {
    blocks.learn(message);
    if ('blockHash' in message) keep(digests, message.blockHash);
    if ('finalCertificate' in message && message.finalCertificate !== undefined) {
      keep(certificates, message.finalCertificate);
    }
    if ('highest' in message && message.highest !== undefined) keep(certificates, message.highest);
  }

  /** A valid block in the place of the proposal, on whatever block. */
  function rogueProposal(message: PrePrepare): PbftMessage | null {
    const child = blocks.emptyChild(chance.pick(blocks.known), message.view);
    if (child === null) return null;
    const { blockHash, ...proposal } = child;
    return { ...message, height: child.header.height, blockHash, proposal };
  }

  function keep<T>(list: T[], item: T): void {
    if (list.length < 50) list.push(item);
    else list[chance.between(0, 49)] = item;
  }

  function step<T extends number>(value: T, make: (value: number) => T): T {
    return make(Math.max(0, value + (chance.happens(0.5) ? 1 : -1)));
  }

  function certificate(): Certificate | undefined {
    return certificates.length === 0 || chance.happens(0.3) ? undefined : chance.pick(certificates);
  }

  function mutation(message: PbftMessage): PbftMessage | null {
    switch (message.kind) {
      case 'prepare':
      case 'commit':
        return chance.pick([
          { ...message, view: step(message.view, toView) },
          { ...message, height: step(message.height, toHeight) },
          { ...message, blockHash: chance.pick([...digests, message.blockHash]) },
        ]);
      case 'pre-prepare': {
        if (chance.happens(0.4)) return rogueProposal(message);
        const { header } = message.proposal;
        const changed = chance.pick([
          header,
          { ...header, height: step(header.height, toHeight) },
          { ...header, view: step(header.view, toView) },
          { ...header, parentHash: chance.pick([...digests, header.parentHash]) },
          { ...header, timestamp: header.timestamp + chance.pick([-100_000, 1, 100_000]) },
        ]);
        return {
          ...message,
          view: header === changed ? step(message.view, toView) : message.view,
          height: changed.height,
          blockHash: hashHeader(changed),
          proposal: { ...message.proposal, header: changed },
        };
      }
      case 'suspect':
        return { ...message, view: step(message.view, toView) };
      case 'view-change': {
        const [finalCertificate, highest] = [certificate(), certificate()];
        return chance.pick([
          { ...message, view: step(message.view, toView) },
          { ...message, highest },
          { ...message, finalCertificate, finalHeight: finalCertificate?.height ?? toHeight(0) },
          { ...message, finalHeight: step(message.finalHeight, toHeight) },
          { ...message, highest: highest === undefined ? undefined : { ...highest, signatures: [] } },
        ]);
      }
      case 'new-view': {
        const changes = message.viewChanges;
        return chance.pick([
          { ...message, view: step(message.view, toView) },
          { ...message, viewChanges: changes.slice(1) },
          {
            ...message,
            viewChanges: changes.map((change, i) => (i === 1 ? (changes[0] ?? change) : change)),
          },
          { ...message, viewChanges: [] },
        ]);
      }
      case 'status': {
        const finalCertificate = certificate();
        return chance.pick([
          { ...message, view: step(message.view, toView) },
          { ...message, finalHeight: step(message.finalHeight, toHeight) },
          { ...message, finalCertificate, finalHeight: finalCertificate?.height ?? toHeight(0) },
        ]);
      }
      case 'reply-stable': {
        const finalCertificate = certificate();
        return chance.pick([
          { ...message, nonce: step(message.nonce, (nonce) => nonce) },
          { ...message, finalCertificate, finalHeight: finalCertificate?.height ?? toHeight(0) },
          { ...message, highest: certificate() },
        ]);
      }
      case 'query-stable':
        return { ...message, nonce: step(message.nonce, (nonce) => nonce) };
      case 'evidence':
        return null;
    }
  }
}
