import type { NewView, PbftMessage, Suspect, ViewChange } from '../../consensus/pbft/message.ts';
import { hashHeader, type Height, toHeight, type View, toView } from '../../ledger/block.ts';
import type { Certificate } from '../../ledger/certificate.ts';
import { byzantineQuorum } from '../../ledger/quorum.ts';
import { draftOf, type Liar, type LiarTools } from './liar.ts';
import { RogueBlocks } from './rogue-blocks.ts';

/**
 * When it is its turn to start a view, it hides what was certified: its own ViewChange in the NewView knows
 * nothing, of the others' it prefers those that know least, and where they are too few it uses one twice.
 * It does not wait for what its honest side knows, and at once proposes a block of its own on what such a
 * view would start from. It also sends an old NewView with another view on it, and joins everybody who
 * suspects the primary before it.
 */
export function forgeNewView(tools: LiarTools): Liar {
  const heard = new Map<string, ViewChange>();
  const blocks = new RogueBlocks(tools.genesis, tools.publicKey);
  let last: NewView | null = null;
  return {
    incoming: (message) => {
      blocks.learn(message);
      if (message.kind === 'suspect') support(message);
      if (message.kind !== 'view-change') return;
      heard.set(`${message.view}/${message.from}`, message);
      if (heard.size > 100) heard.delete(heard.keys().next().value ?? '');
      if (message.view % tools.validators === tools.self) startEarly(message.view);
    },
    outgoing: (message) => {
      blocks.learn(message);
      if (message.kind !== 'new-view') return [message];
      const forged = forge(message.view);
      const old = last;
      last = message;
      if (old !== null && tools.chance.happens(0.3)) {
        tools.lied();
        return [tools.sign({ ...draftOf(old), view: message.view } as NewView), message];
      }
      if (forged === null || tools.chance.happens(0.2)) return [message];
      tools.lied();
      return tools.chance.happens(0.5) ? [forged] : [forged, message];
    },
  };

  /** Whoever wants the view to end that comes before its own is not left alone. */
  function support(suspect: Suspect): void {
    if ((suspect.view + 1) % tools.validators !== tools.self) return;
    const own = tools.sign({ ...draftOf(suspect), from: tools.self });
    for (const peer of tools.peers()) tools.send(peer, own);
  }

  function startEarly(view: View): void {
    const forged = forge(view);
    if (forged === null) return;
    const proposal = firstProposal(forged);
    for (const peer of tools.peers()) {
      if (!tools.chance.happens(0.7)) continue;
      tools.lied();
      tools.send(peer, forged);
      if (proposal !== null) tools.send(peer, proposal);
    }
  }

  function forge(view: View): NewView | null {
    const ignorant = tools.sign({
      kind: 'view-change',
      from: tools.self,
      view: toView(view),
      finalHeight: toHeight(0),
      finalCertificate: undefined,
      highest: undefined,
    }) as ViewChange;
    const others = [...heard.values()]
      .filter((change) => change.view === view && change.from !== tools.self)
      .sort((a, b) => knowledge(a) - knowledge(b))
      .slice(0, byzantineQuorum(tools.validators) - 1);
    const [least] = others;
    const missing = byzantineQuorum(tools.validators) - 1 - others.length;
    if (least === undefined || (missing > 0 && tools.chance.happens(0.5))) return null;
    const padding = Array.from({ length: missing }, () => least);
    const viewChanges = [ignorant, ...others, ...padding].sort((a, b) => a.from - b.from);
    return tools.sign({ kind: 'new-view', from: tools.self, view, viewChanges }) as NewView;
  }

  /** The tip when there is one, and otherwise a block of its own above the base. */
  function firstProposal(newView: NewView): PbftMessage | null {
    let start: Pick<Certificate, 'height' | 'blockHash'> = {
      height: toHeight(0),
      blockHash: hashHeader(tools.genesis),
    };
    for (const { finalCertificate, highest } of newView.viewChanges) {
      for (const certificate of [finalCertificate, highest]) {
        if (certificate !== undefined && certificate.height >= start.height) start = certificate;
      }
    }
    const child = blocks.emptyChild(start.blockHash, newView.view);
    if (child === null) return null;
    const { blockHash, ...proposal } = child;
    const place = { view: newView.view, height: child.header.height, blockHash };
    return tools.sign({ kind: 'pre-prepare', from: tools.self, ...place, proposal });
  }
}

function knowledge(change: ViewChange): number {
  return Math.max(rankOf(change.highest), rankOf(change.finalCertificate));
}

function rankOf(place: { view: View; height: Height } | undefined): number {
  return place === undefined ? 0 : place.view * 1_000_000 + place.height;
}
