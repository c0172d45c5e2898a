import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GossipSub } from '@libp2p/gossipsub';
import { relayToMembers } from '../../src/network/gossip-relay.ts';

/** Members have names with a capital. */
const isMember = (peer: string): boolean => peer !== peer.toLowerCase();

/** As much of gossipsub as is used: it takes whoever asks, and picks in the order in which they came. */
class Router {
  readonly topics = new Map<string, Set<string>>();
  readonly mesh = new Map<string, Set<string>>();
  readonly backoff = new Map<string, Map<string, number>>();
  /** How often it was asked who is a member. */
  looks = 0;

  constructor(present: readonly string[], inMesh: readonly string[] = []) {
    for (const topic of ['all', 'some']) {
      this.topics.set(topic, new Set(present));
      this.mesh.set(topic, new Set(inMesh));
    }
    const floods = (topic: string): boolean => topic === 'all';
    const counted = (peer: string): boolean => {
      this.looks += 1;
      return isMember(peer);
    };
    relayToMembers(this as unknown as GossipSub, { isMember: counted, floods });
  }

  selectPeersToForward(topic: string, source: string, excluded?: ReadonlySet<string>): Set<string> {
    const inMesh = [...(this.mesh.get(topic) ?? [])];
    return new Set(inMesh.filter((peer) => peer !== source && excluded?.has(peer) !== true));
  }

  getRandomGossipPeers(topic: string, count: number, filter: (peer: string) => boolean = () => true) {
    return new Set([...(this.topics.get(topic) ?? [])].filter((peer) => filter(peer)).slice(0, count));
  }

  graftOnSubscribe(peer: string, topic: string): boolean {
    const inMesh = this.mesh.get(topic);
    if (inMesh === undefined || inMesh.size >= 2) return false;
    this.addToMesh(peer, topic);
    return true;
  }

  addToMesh(peer: string, topic: string): void {
    this.mesh.get(topic)?.add(peer);
  }

  /** Fills each mesh up with whoever is there. */
  heartbeat(): void {
    for (const [topic, present] of this.topics) for (const peer of present) this.addToMesh(peer, topic);
  }

  handleGraft(peer: string, graft: readonly { readonly topicID?: string }[]): Promise<object[]> {
    for (const { topicID = '' } of graft) this.addToMesh(peer, topicID);
    return Promise.resolve([]);
  }

  makePrune(peer: string, topic: string): Promise<object> {
    const refused = this.backoff.get(topic) ?? new Map<string, number>();
    this.backoff.set(topic, refused.set(peer, 60_000));
    return Promise.resolve({ peer, topic });
  }

  inMesh(topic = 'some'): string[] {
    return [...(this.mesh.get(topic) ?? [])];
  }
}

describe('gossip of others', () => {
  test('is passed on to the mesh, and of a topic that floods to every member besides', () => {
    const router = new Router(['A', 'B', 'C', 'D', 'E', 'x', 'y'], ['A', 'x']);
    assert.deepEqual([...router.selectPeersToForward('some', 'B')], ['A', 'x']);
    assert.deepEqual([...router.selectPeersToForward('all', 'B')], ['A', 'x', 'C', 'D', 'E']);
    assert.deepEqual([...router.selectPeersToForward('all', 'B', new Set(['C']))], ['A', 'x', 'D', 'E']);
  });

  test('is passed on to all members where there are few', () => {
    const router = new Router(['A', 'B', 'C', 'D', 'x', 'y'], ['A']);
    assert.deepEqual([...router.selectPeersToForward('some', 'B')], ['A', 'C', 'D']);
  });
});

describe('the mesh', () => {
  test('is filled with members, and with strangers only where there is no member', () => {
    assert.deepEqual([...new Router(['x', 'A', 'y', 'B']).getRandomGossipPeers('some', 3)], ['A', 'B']);
    const router = new Router(['x', 'A']);
    assert.deepEqual([...router.getRandomGossipPeers('some', 2, (peer) => peer !== 'A')], []);
    assert.deepEqual([...new Router(['x', 'y']).getRandomGossipPeers('some', 2)], ['x', 'y']);
  });

  test('takes every member that asks, and no stranger while there is one', async () => {
    const router = new Router(['A', 'x'], ['A', 'B', 'C', 'D']);
    assert.deepEqual(await router.handleGraft('E', [{ topicID: 'some' }]), []);
    assert.deepEqual(await router.handleGraft('x', [{ topicID: 'some' }]), [{ peer: 'x', topic: 'some' }]);
    assert.deepEqual(router.inMesh(), ['A', 'B', 'C', 'D', 'E']);
  });

  test('is asked for by strangers, again and again in one delivery, at little cost', async () => {
    const strangers = Array.from({ length: 200 }, (_, index) => `s${index}`);
    const router = new Router([...strangers, 'A'], ['A']);
    const asked = Array.from({ length: 16 }, (_, index) => ({ topicID: index % 2 === 0 ? 'some' : 'all' }));
    router.looks = 0;
    assert.equal((await router.handleGraft('s0', asked)).length, 2);
    for (let again = 0; again < 3; again++)
      assert.deepEqual(await router.handleGraft('s0', asked), [], 'it was told');
    router.backoff.clear();
    router.looks = 0;
    assert.equal((await router.handleGraft('s0', asked)).length, 2);
    assert.ok(router.looks <= 2 * (strangers.length + 1) + 1, `${router.looks} peers were looked at`);
  });

  test('takes three strangers where there is no member, and a fourth is refused', async () => {
    const router = new Router(['w', 'x', 'y', 'z']);
    for (const peer of ['w', 'x', 'y']) {
      assert.deepEqual(await router.handleGraft(peer, [{ topicID: 'some' }]), []);
    }
    assert.deepEqual(await router.handleGraft('z', [{ topicID: 'some' }]), [{ peer: 'z', topic: 'some' }]);
    assert.deepEqual(await router.handleGraft('w', [{ topicID: 'some' }, { topicID: 'none' }]), []);
    assert.deepEqual(router.inMesh(), ['w', 'x', 'y']);
  });

  test('is not filled up with strangers at a heartbeat, unless there are only those', () => {
    const router = new Router(['x', 'A', 'y']);
    router.heartbeat();
    assert.deepEqual(router.inMesh(), ['A']);
    const alone = new Router(['x', 'y']);
    alone.heartbeat();
    assert.deepEqual(alone.inMesh(), ['x', 'y']);
  });

  test('lets all strangers go when a member comes', () => {
    const router = new Router(['x', 'y', 'A'], ['x', 'y']);
    assert.equal(router.graftOnSubscribe('A', 'some'), true);
    assert.deepEqual(router.inMesh(), ['A']);
    assert.equal(router.graftOnSubscribe('y', 'some'), false);
    assert.equal(new Router(['y']).graftOnSubscribe('y', 'some'), true);
  });

  test('of another version, which keeps these elsewhere, is not taken', () => {
    const options = { isMember, floods: () => false };
    assert.throws(() => relayToMembers({} as GossipSub, options), /who is in which topic and mesh/);
  });
});
