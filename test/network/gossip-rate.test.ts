import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GossipSub } from '@libp2p/gossipsub';
import { limits } from '../../src/base/limits.ts';
import { boundGossip } from '../../src/network/gossip-internals.ts';
import { GossipRate } from '../../src/network/gossip-rate.ts';

const { member, stranger, strangers, quiet } = limits.gossipMessages;

/** Members have names with a capital, and there are those who become some. */
function world(members = new Set<string>()) {
  const clock = { now: 0 };
  const rate = new GossipRate({
    isMember: (peer) => peer !== peer.toLowerCase() || members.has(peer),
    now: () => clock.now,
  });
  /** How many deliveries of one message each are taken. */
  const deliver = (peer: string, count: number): number => {
    let taken = 0;
    for (let index = 0; index < count; index++) {
      if (!rate.accepts(peer)) continue;
      rate.count(peer);
      taken += 1;
    }
    return taken;
  };
  return { clock, rate, deliver };
}

describe('gossip of one peer', () => {
  test('is taken up to its burst, and then as fast as its rate', () => {
    const { clock, deliver } = world();
    assert.equal(deliver('Alice', member.burst), member.burst / 2);
    clock.now += 1_000;
    assert.equal(deliver('Alice', member.burst), member.perSecond / 2);
    assert.equal(deliver('Bob', 10), 10, 'others have their own');
  });

  test('has the rate of a member from when it becomes one, and of a stranger from when it is none any more', () => {
    const members = new Set<string>();
    const { deliver } = world(members);
    for (let identity = 0; identity < 40; identity++) deliver(`s${identity}`, stranger.burst);
    assert.equal(deliver('elected', 1_000), quiet.burst / 2);
    members.add('elected');
    assert.equal(deliver('elected', 1_000), 1_000);
    members.delete('elected');
    assert.equal(deliver('elected', 1_000), quiet.burst / 2);
  });

  test('is not kept of peers that are gone, whose last messages come after them', () => {
    const { rate } = world();
    for (let index = 0; index < 2 * limits.peersRemembered; index++) {
      rate.accepts(`peer ${index}`);
      rate.forget(`peer ${index}`);
      rate.count(`peer ${index}`);
    }
    assert.ok(rate.size <= limits.peersRemembered, `${rate.size} are kept`);
  });

  test('counts each message in a delivery, so a large one is paid for later', () => {
    const { clock, rate } = world();
    assert.equal(rate.accepts('s'), true);
    for (let message = 0; message < 2 * stranger.burst; message++) rate.count('s');
    assert.equal(rate.accepts('s'), false);
    clock.now += (stranger.burst / stranger.perSecond) * 1_000;
    assert.equal(rate.accepts('s'), false);
    clock.now += 1_000;
    assert.equal(rate.accepts('s'), true);
  });
});

describe('gossip of strangers', () => {
  test('is bounded in all, whatever their number, and leaves members alone', () => {
    const { deliver } = world();
    let taken = 0;
    for (let identity = 0; identity < 40; identity++) taken += deliver(`s${identity}`, stranger.burst);
    assert.ok(taken <= (strangers.burst + 40 * quiet.burst) / 2, String(taken));
    assert.equal(deliver('Alice', 1_000), 1_000);
  });

  test('is bounded in all for ever, however evenly each of them sends what one may', () => {
    const { clock, deliver } = world();
    const seconds = 20;
    let taken = 0;
    for (let step = 0; step < 10 * seconds; step++, clock.now += 100) {
      for (let identity = 0; identity < limits.strangerConnections; identity++)
        taken += deliver(`s${identity}`, stranger.perSecond / 20);
    }
    const all = strangers.burst + seconds * strangers.perSecond;
    const quietOnes = limits.strangerConnections * (quiet.burst + seconds * quiet.perSecond + 1);
    assert.ok(2 * taken <= all + quietOnes, `${taken} of ${(all + quietOnes) / 2}`);
  });

  test('of one who is quiet is heard on and on, while the others send all they may', () => {
    const { clock, deliver } = world();
    for (let second = 0; second < 20; second++, clock.now += 1_000) {
      for (let identity = 0; identity < 40; identity++) deliver(`s${identity}`, stranger.burst);
      assert.equal(deliver('honest', quiet.perSecond / 2), quiet.perSecond / 2);
    }
  });

  test('in a delivery of many messages is paid for in full by one whom only its own share lets in', () => {
    const { clock, rate, deliver } = world();
    for (let identity = 0; identity < 40; identity++) deliver(`s${identity}`, stranger.burst);
    assert.equal(rate.accepts('full'), true);
    for (let message = 0; message < 64; message++) rate.count('full');
    assert.equal(rate.accepts('full'), false);
    clock.now += 10;
    // What came back meanwhile is what others send, and no debt of theirs.
    assert.ok(deliver('another', stranger.burst) >= quiet.burst / 2);
  });

  test('is heard a little of each, whatever the others send: what it listens to is in that', () => {
    const { deliver } = world();
    for (let identity = 0; identity < 40; identity++) deliver(`s${identity}`, stranger.burst);
    assert.equal(deliver('honest', 100), quiet.burst / 2);
  });
});

describe('gossipsub', () => {
  /** The parts of it that are bounded, as the pinned version has them. */
  function router() {
    const entries = new Map<string, unknown>();
    const received: Uint8Array[] = [];
    return {
      entries,
      received,
      seenCache: {
        entries,
        put: (key: string) => {
          if (entries.has(key)) return true;
          entries.set(key, {});
          return false;
        },
      },
      mcache: { put: (): boolean => assert.fail('messages are not kept') },
      handleReceivedMessage: (_from: string, message: { data?: Uint8Array }) =>
        void received.push(message.data ?? new Uint8Array()),
    };
  }
  const bound = (inside: object, count: (from: string) => void = () => {}): void =>
    boundGossip(inside as GossipSub, 3, count);

  test('remembers only so many messages, and forgets the oldest', () => {
    const inside = router();
    bound(inside);
    for (const key of ['a', 'b', 'c', 'a', 'd']) inside.seenCache.put(key);
    assert.deepEqual([...inside.entries.keys()], ['b', 'c', 'd']);
    assert.equal(inside.seenCache.put('d'), true);
  });

  test('keeps no messages for others', () => {
    const inside = router();
    bound(inside);
    assert.equal(inside.mcache.put(), true);
  });

  test('gets a small message of a large delivery in memory of its own, and a large one as it came', () => {
    const inside = router();
    bound(inside);
    const delivery = Uint8Array.from({ length: 1_000 }, (_, place) => place);
    const large = delivery.subarray(20, 980);
    inside.handleReceivedMessage('peer', { data: delivery.subarray(10, 20) });
    inside.handleReceivedMessage('peer', { data: large });
    const [copy, same] = inside.received;
    assert.deepEqual(copy, delivery.subarray(10, 20));
    assert.equal(copy?.buffer.byteLength, 10);
    assert.equal(same, large);
  });

  test('tells of each message that comes, before it looks at it', () => {
    const inside = router();
    const counted: string[] = [];
    bound(inside, (from) => counted.push(`${from} ${inside.received.length}`));
    for (const from of ['a', 'a', 'b']) inside.handleReceivedMessage(from, { data: Uint8Array.of(1) });
    assert.deepEqual(counted, ['a 0', 'a 1', 'b 2']);
  });

  test('of another version, which keeps these elsewhere, is not taken', () => {
    const { seenCache, mcache } = router();
    assert.throws(() => bound({}), /gossipsub keeps what it saw/);
    assert.throws(() => bound({ seenCache }), /keeps messages to give them/);
    assert.throws(() => bound({ seenCache, mcache }), /one by one/);
  });
});
