import type { GossipSub } from '@libp2p/gossipsub';
import { invariant } from '../base/invariant.ts';
import type { PeerId } from './port.ts';

/** What gossipsub does not offer in public, where the pinned version keeps it. */
interface Insides {
  readonly topics?: Map<string, Set<PeerId>>;
  readonly streamsOutbound?: Map<PeerId, object>;
  sendSubscriptions?: (peer: PeerId, topics: readonly string[], subscribe: boolean) => void;
}

/**
 * Tells when gossip can reach a peer: there is a stream to it, and it said what it listens to. Both take a
 * moment, and either may come first. Once for each stream.
 *
 * Fails loudly when a version keeps these elsewhere.
 */
export function tellOpening(
  router: GossipSub,
  { topic, onOpen }: { readonly topic: string; readonly onOpen: (peer: PeerId) => void },
): void {
  const insides = router as unknown as Insides;
  const { topics, streamsOutbound: streams, sendSubscriptions: send } = insides;
  invariant(topics instanceof Map && streams instanceof Map, 'gossipsub knows its streams, and who listens');
  invariant(send !== undefined, 'gossipsub tells a peer its topics when there is a stream to it');
  const told = new WeakSet<object>();

  const look = (peer: PeerId): void => {
    const stream = streams.get(peer);
    if (stream === undefined || told.has(stream) || topics.get(topic)?.has(peer) !== true) return;
    told.add(stream);
    onOpen(peer);
  };
  insides.sendSubscriptions = (peer, names, subscribe) => {
    send.call(router, peer, names, subscribe);
    look(peer);
  };
  router.addEventListener('subscription-change', ({ detail }) => look(detail.peerId.toString()));
}
