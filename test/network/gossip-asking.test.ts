import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GossipSub } from '@libp2p/gossipsub';
import { limits } from '../../src/base/limits.ts';
import { type GossipAsking, relayToAskers } from '../../src/network/gossip-asking.ts';

/** As much of gossipsub as is used. Members have names with a capital, and A is in its mesh. */
class Router {
  readonly topics = new Map([['frames', new Set(['A', 'B', 'C', 'D', 'x'])]]);
  readonly backoff = new Map<string, Map<string, number>>();
  readonly sent: string[] = [];
  readonly asking: GossipAsking;
  now = 0;

  constructor() {
    this.asking = relayToAskers(this as unknown as GossipSub, {
      isMember: (peer) => peer !== peer.toLowerCase(),
      now: () => this.now,
      askTopic: 'all',
    });
  }

  selectPeersToForward(_topic: string, _source: string, _excluded?: ReadonlySet<string>): Set<string> {
    return new Set(['A']);
  }

  handleGraft(peer: string, _graft: readonly { readonly topicID?: string }[]): Promise<object[]> {
    return Promise.resolve([{ peer }]);
  }

  sendGraft(peer: string, topics: readonly string[]): void {
    this.sent.push(`${peer} ${topics.join()}`);
  }

  relayed(source = 'B', excluded?: ReadonlySet<string>, topic = 'frames'): string[] {
    return [...this.selectPeersToForward(topic, source, excluded)];
  }
}

describe('gossip of others', () => {
  test('goes to members that asked for all of it, for a while, and to no stranger', async () => {
    const router = new Router();
    await router.handleGraft('C', [{ topicID: 'frames' }, {}]);
    assert.deepEqual(router.relayed(), ['A']);
    for (const peer of ['B', 'D', 'x', 'E']) {
      assert.deepEqual(await router.handleGraft(peer, [{ topicID: 'frames' }, { topicID: 'all' }]), [
        { peer },
      ]);
    }
    assert.deepEqual(router.relayed('B'), ['A', 'D']);
    assert.deepEqual(router.relayed('C', new Set(['B'])), ['A', 'D']);
    assert.deepEqual(router.relayed('C', undefined, 'others'), ['A']);
    router.now = limits.gossipAskedMs - 1;
    await router.handleGraft('D', [{ topicID: 'all' }]);
    assert.deepEqual(router.relayed('C'), ['A', 'B', 'D']);
    router.now += 1;
    assert.deepEqual(router.relayed('C'), ['A', 'D']);
    router.asking.forget('D');
    assert.deepEqual(router.relayed('C'), ['A']);
  });

  test('is asked for by the topic that says nothing else, and not of those who refused', () => {
    const router = new Router();
    router.backoff.set('all', new Map([['B', 1]]));
    for (const peer of ['A', 'B']) router.asking.ask(peer);
    assert.deepEqual(router.sent, ['A all']);
  });

  test('of another version, which keeps these elsewhere, is not taken', () => {
    const options = { isMember: () => true, now: () => 0, askTopic: 'all' };
    assert.throws(() => relayToAskers({} as GossipSub, options), /gossipsub relays/);
  });
});
