import type { GossipSub } from '@libp2p/gossipsub';
import { invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import type { PeerId } from './port.ts';

/** What gossipsub does not offer in public, where the pinned version keeps it. */
interface Insides {
  readonly topics?: Map<string, Set<PeerId>>;
  readonly backoff?: Map<string, Map<PeerId, number>>;
  sendGraft?: (peer: PeerId, topics: readonly string[]) => void;
  handleGraft?: (
    peer: PeerId,
    graft: readonly { readonly topicID?: string | undefined }[],
  ) => Promise<readonly object[]>;
  selectPeersToForward?: (topic: string, source: PeerId, excluded?: ReadonlySet<PeerId>) => Set<PeerId>;
}

/** Asks others for all gossip that they hear. */
export interface GossipAsking {
  ask(peer: PeerId): void;
  /** The peer is gone, and what it asked for. */
  forget(peer: PeerId): void;
}

/**
 * A mesh is made of choices, and where links are missing the only way may be chosen by nobody. So a member
 * can ask another one for all gossip, for a while: by a GRAFT for a topic that goes to all members in any
 * case, so that it says nothing else. It may be sent again and again, and nobody has to take it back.
 *
 * Fails loudly when a version keeps these elsewhere.
 */
export function relayToAskers(
  router: GossipSub,
  {
    isMember,
    now,
    askTopic,
  }: {
    readonly isMember: (peer: PeerId) => boolean;
    readonly now: () => number;
    /** A topic whose messages go to all members. */
    readonly askTopic: string;
  },
): GossipAsking {
  const insides = router as unknown as Insides;
  const { topics, backoff, sendGraft: send, handleGraft: graft, selectPeersToForward: select } = insides;
  invariant(topics instanceof Map && graft !== undefined && select !== undefined, 'gossipsub relays');
  invariant(send !== undefined && backoff instanceof Map, 'gossipsub asks, and knows who refused');
  const askedAt = new Map<PeerId, number>();

  insides.handleGraft = (peer, asked) => {
    if (isMember(peer) && asked.some(({ topicID }) => topicID === askTopic)) askedAt.set(peer, now());
    return graft.call(router, peer, asked);
  };
  insides.selectPeersToForward = (topic, source, excluded) => {
    const chosen = select.call(router, topic, source, excluded);
    for (const [peer, at] of askedAt) {
      if (now() - at >= limits.gossipAskedMs || !isMember(peer)) askedAt.delete(peer);
      else if (topics.get(topic)?.has(peer) === true && peer !== source && excluded?.has(peer) !== true)
        chosen.add(peer);
    }
    return chosen;
  };
  return {
    ask: (peer) => {
      // Who refused would hold it against us.
      if (backoff.get(askTopic)?.has(peer) !== true) send.call(router, peer, [askTopic]);
    },
    forget: (peer) => void askedAt.delete(peer),
  };
}
