import type { NewView, PbftMessage, ViewChange } from '../../consensus/pbft/message.ts';
import { type Height, toHeight, type View, toView } from '../../ledger/block.ts';
import { byzantineQuorum } from '../../ledger/quorum.ts';
import { draftOf, type Liar, type LiarTools } from './liar.ts';

/**
 * When it is its turn to start a view, it hides what was certified: its own ViewChange in the NewView knows nothing, and of the others' it prefers
 * those that know least. It also sends an old NewView with another view on it, and one with a view change twice.
 */
export function forgeNewView(tools: LiarTools): Liar {
  const heard = new Map<string, ViewChange>();
  let last: NewView | null = null;
  return {
    incoming: (message) => {
      if (message.kind !== 'view-change') return;
      heard.set(`${message.view}/${message.from}`, message);
      if (heard.size > 100) heard.delete(heard.keys().next().value ?? '');
      if (message.view % tools.validators === tools.self) startEarly(message.view);
    },
    outgoing: (message) => {
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

  /** As soon as its lie and the view changes of others make a quorum, without waiting for what its honest side knows. */
  function startEarly(view: View): void {
    const forged = forge(view);
    if (forged === null) return;
    for (const peer of tools.peers()) {
      if (!tools.chance.happens(0.5)) continue;
      tools.lied();
      tools.send(peer, forged);
    }
  }

  function forge(view: View): PbftMessage | null {
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
    const enough = others.length === byzantineQuorum(tools.validators) - 1;
    const first = others[0];
    if (!enough && (first === undefined || tools.chance.happens(0.8))) return null;
    const padding = enough || first === undefined ? [] : [first];
    const viewChanges = [ignorant, ...others, ...padding].sort((a, b) => a.from - b.from);
    return tools.sign({ kind: 'new-view', from: tools.self, view, viewChanges });
  }
}

function knowledge(change: ViewChange): number {
  return Math.max(rankOf(change.highest), rankOf(change.finalCertificate));
}

function rankOf(place: { view: View; height: Height } | undefined): number {
  return place === undefined ? 0 : place.view * 1_000_000 + place.height;
}
