import type { GossipSub } from '@libp2p/gossipsub';
import { invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import type { PeerId } from './port.ts';

/** What gossipsub does not offer in public, where the pinned version keeps it. */
interface Insides {
  readonly mesh?: Map<string, Set<PeerId>>;
  readonly topics?: Map<string, Set<PeerId>>;
  /** Who was refused lately, by topic. */
  readonly backoff?: Map<string, Map<PeerId, number>>;
  selectPeersToForward?: (topic: string, source: PeerId, excluded?: ReadonlySet<PeerId>) => Set<PeerId>;
  getRandomGossipPeers?: (topic: string, count: number, filter?: (peer: PeerId) => boolean) => Set<PeerId>;
  graftOnSubscribe?: (peer: PeerId, topic: string) => boolean;
  handleGraft?: (peer: PeerId, graft: readonly Graft[]) => Promise<readonly object[]>;
  addToMesh?: (peer: PeerId, topic: string, reason: unknown) => void;
  makePrune?: (peer: PeerId, topic: string, exchange: boolean, leaving: boolean) => Promise<object>;
}

interface Graft {
  readonly topicID?: string | undefined;
}

/**
 * To whom gossip of others is passed on. By itself gossipsub passes it on to its mesh: a few peers, whoever
 * came first. In a star the one in the middle would tell three of the others and nobody else, ever; and
 * three strangers who ask for a place take all. So the mesh is for members, as long as there is one: whoever
 * asks gets in. And what has to get around wherever links are missing (`floods`) goes to every member, as
 * all does where there are few. Strangers get what its sender sends to all it has.
 *
 * Fails loudly when a version keeps these elsewhere.
 */
export function relayToMembers(
  router: GossipSub,
  options: {
    readonly isMember: (peer: PeerId) => boolean;
    /** Whether messages of this topic are for all members, and not only for those in the mesh. */
    readonly floods: (topic: string) => boolean;
  },
): void {
  const { isMember, floods } = options;
  const insides = router as unknown as Insides;
  const { mesh, topics, selectPeersToForward: select, getRandomGossipPeers: pick } = insides;
  const { graftOnSubscribe: take, handleGraft: graft, makePrune: prune, addToMesh: add, backoff } = insides;
  invariant(mesh instanceof Map && topics instanceof Map, 'gossipsub knows who is in which topic and mesh');
  invariant(select !== undefined && pick !== undefined, 'gossipsub chooses to whom it passes on');
  invariant(take !== undefined && graft !== undefined && prune !== undefined, 'gossipsub grafts and prunes');
  invariant(add !== undefined && backoff instanceof Map, 'gossipsub adds to its mesh, or refuses');
  const membersOf = (topic: string): PeerId[] => [...(topics.get(topic) ?? [])].filter(isMember);
  const hasMember = (topic: string): boolean => {
    for (const peer of topics.get(topic) ?? []) if (isMember(peer)) return true;
    return false;
  };

  insides.selectPeersToForward = (topic, source, excluded) => {
    const chosen = select.call(router, topic, source, excluded);
    const members = membersOf(topic);
    if (!floods(topic) && members.length > limits.gossipFewMembers) return chosen;
    for (const peer of members) if (peer !== source && excluded?.has(peer) !== true) chosen.add(peer);
    return chosen;
  };
  insides.getRandomGossipPeers = (topic, count, filter = () => true) => {
    const members = pick.call(router, topic, count, (peer) => isMember(peer) && filter(peer));
    return members.size > 0 || hasMember(topic) ? members : pick.call(router, topic, count, filter);
  };
  // The heartbeat picks from all that are there, when the mesh is too small.
  insides.addToMesh = (peer, topic, reason) => {
    if (isMember(peer) || !hasMember(topic)) add.call(router, peer, topic, reason);
  };
  insides.graftOnSubscribe = (peer, topic) => {
    if (!isMember(peer)) return !hasMember(topic) && take.call(router, peer, topic);
    for (const other of mesh.get(topic) ?? []) if (!isMember(other)) mesh.get(topic)?.delete(other);
    return take.call(router, peer, topic);
  };
  insides.handleGraft = async (peer, all) => {
    if (isMember(peer)) return await graft.call(router, peer, all);
    // To ask twice for one place is to ask for no more.
    const asked = [...new Set(all.flatMap(({ topicID }) => topicID ?? []))];
    const isRefused = (topic: string): boolean => {
      const inMesh = mesh.get(topic);
      if (inMesh === undefined || inMesh.has(peer)) return false;
      return inMesh.size >= limits.gossipMeshStrangers || hasMember(topic);
    };
    const refused = new Set(asked.filter(isRefused));
    const welcome = asked.filter((topic) => !refused.has(topic)).map((topicID) => ({ topicID }));
    const taken = await graft.call(router, peer, welcome);
    // Who asks on and on was told.
    const untold = [...refused].filter((topic) => backoff.get(topic)?.has(peer) !== true);
    const prunes = untold.map((topic) => prune.call(router, peer, topic, false, false));
    return [...taken, ...(await Promise.all(prunes))];
  };
}
