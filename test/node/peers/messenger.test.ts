import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { decodeMessage } from '../../../src/consensus/raft/message.ts';
import { unwrap } from '../../../src/base/problem.ts';
import { Messenger } from '../../../src/node/peers/messenger.ts';
import { Cluster, raftGenesis, signedTransaction, testGenesis, testProtocol } from '../cluster.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const validators = ['a', 'b', 'c', 'd'] as never;

describe('the messenger', () => {
  test('tells the network what is urgent, and sends to everybody that is meant but itself', () => {
    const sent: [string, number, boolean | undefined][] = [];
    const messenger = new Messenger<object>({
      protocol: testProtocol(testGenesis(4)),
      network: {
        send: (peer, bytes, urgent) => sent.push([peer, bytes.length, urgent]) > 0,
        publish: () => assert.fail('nobody is out of reach'),
        askForGossip: () => assert.fail('nobody is heard through others'),
      },
      registry: { peerOf: (validator) => `peer-${validator}`, validators, isStranger: () => false },
      clock: new VirtualTime().clock(),
      relay: { seal: () => assert.fail('nothing goes by gossip') },
      self: () => 1,
    });
    messenger.send('all', new Uint8Array(3), true);
    messenger.send([2], new Uint8Array(5));
    assert.deepEqual(sent, [
      ['peer-0', 3, true],
      ['peer-2', 3, true],
      ['peer-3', 3, true],
      ['peer-2', 5, false],
    ]);
  });
});

test('what has no room on the stream of its validator burdens nobody else: it is said again', () => {
  const messenger = new Messenger<object>({
    protocol: testProtocol(testGenesis(4)),
    network: {
      send: () => false,
      publish: () => assert.fail('nobody is out of reach'),
      askForGossip: () => assert.fail('nobody is out of reach'),
    },
    registry: { peerOf: (validator) => `peer-${validator}`, validators, isStranger: () => false },
    clock: new VirtualTime().clock(),
    relay: { seal: () => assert.fail('nothing goes by gossip') },
    self: () => 1,
  });
  messenger.heardByGossip(3, 'peer-2');
  messenger.send('all', new Uint8Array(3));
  assert.deepEqual(messenger.counters, { sent: 0, relayed: 0, unsent: 3 });
});

describe('a message to a validator that only others can reach', () => {
  test('goes by gossip, and is not handed to it again at once, however often it is repeated', () => {
    const time = new VirtualTime();
    const published: number[] = [];
    const messenger = new Messenger<object>({
      protocol: testProtocol(testGenesis(4)),
      network: {
        send: () => true,
        publish: (_topic, bytes) => published.push(bytes[0] ?? -1),
        askForGossip: () => undefined,
      },
      registry: {
        peerOf: (validator) => (validator === 3 ? undefined : `peer-${validator}`),
        validators,
        isStranger: () => false,
      },
      clock: time.clock(),
      relay: { seal: (_from, message) => message },
      self: () => 1,
    });
    messenger.heardByGossip(3, 'peer-2');
    for (let round = 0; round < 3; round++) {
      messenger.send('all', Uint8Array.of(1));
      messenger.send([3], Uint8Array.of(2));
    }
    assert.deepEqual(published, [1, 2]);
    time.run(limits.relayRepeatMs);
    messenger.send('all', Uint8Array.of(1));
    assert.deepEqual(published, [1, 2, 1]);
  });
});

test('who is heard by gossip lacks a link, for as long as that lasts', () => {
  const time = new VirtualTime();
  const messenger = new Messenger<object>({
    protocol: testProtocol(testGenesis(4)),
    network: { send: () => true, publish: () => undefined, askForGossip: () => undefined },
    registry: { peerOf: (validator) => `peer-${validator}`, validators, isStranger: () => false },
    clock: time.clock(),
    relay: { seal: (_from, message) => message },
    self: () => 1,
  });
  assert.equal(messenger.someLackLinks, false);
  messenger.heardByGossip(2, 'peer-0');
  messenger.heardByGossip(3, 'peer-0');
  time.run(limits.relayHeardMs - 1);
  messenger.heardByGossip(2, 'peer-0');
  time.run(1);
  assert.equal(messenger.someLackLinks, true);
  time.run(limits.relayHeardMs);
  assert.equal(messenger.someLackLinks, false);
});

describe('those who bring messages of a validator that this node does not reach', () => {
  function asking(
    self: number | undefined,
    isStranger: (peer: string) => boolean = () => false,
  ): {
    messenger: Messenger<object>;
    asked: string[];
    time: VirtualTime;
  } {
    const time = new VirtualTime();
    const asked: string[] = [];
    const messenger = new Messenger<object>({
      protocol: testProtocol(testGenesis(4)),
      network: {
        send: () => true,
        publish: () => undefined,
        askForGossip: (peer) => void asked.push(`${time.now} ${peer}`),
      },
      registry: {
        peerOf: (validator) => (validator === 3 ? undefined : `peer-${validator}`),
        validators,
        isStranger,
      },
      clock: time.clock(),
      relay: { seal: (_from, message) => message },
      self: () => self,
    });
    return { messenger, asked, time };
  }

  test('are asked for all gossip, again before it lapses, and only a few of them', () => {
    const { messenger, asked, time } = asking(1);
    const half = limits.gossipAskedMs / 2;
    messenger.heardByGossip(2, 'peer-0');
    assert.deepEqual(asked, []);
    for (let round = 0; round < 3; round++) {
      messenger.heardByGossip(3, 'peer-2');
      time.run(half / 2);
    }
    assert.deepEqual(asked.splice(0), ['0 peer-2', `${half} peer-2`]);
    for (let other = 0; other < 10; other++) messenger.heardByGossip(3, `other-${other}`);
    assert.equal(asked.splice(0).length, limits.gossipAsked - 1);
    // Who brings nothing any more makes room.
    time.run(limits.gossipAskedMs);
    messenger.heardByGossip(3, 'other-9');
    assert.deepEqual(asked, [`${time.now} other-9`]);
  });

  test('are members as well where strangers bring them first: each has its turn', () => {
    const { messenger, asked, time } = asking(1, (peer) => peer.startsWith('stranger'));
    const heard = (): string[] => asked.splice(0).map((line) => line.split(' ')[1] ?? '');
    for (let name = 0; name < 20; name++) messenger.heardByGossip(3, `stranger-${name}`);
    assert.deepEqual(heard(), ['stranger-0', 'peer-0', 'stranger-1', 'peer-1']);
    const members = new Set<string>();
    for (let turn = 0; turn < 4; turn++) {
      time.run(limits.gossipAskedMs);
      for (let name = 0; name < 20; name++) messenger.heardByGossip(3, `stranger-${turn}-${name}`);
      const names = heard();
      assert.equal(names.filter((name) => name.startsWith('stranger')).length, 2);
      for (const name of names) members.add(name);
    }
    for (const name of ['peer-0', 'peer-1', 'peer-2']) assert.ok(members.has(name), name);
    // And who brings something as a member is asked as before.
    time.run(limits.gossipAskedMs);
    messenger.heardByGossip(3, 'peer-2');
    assert.deepEqual(heard(), ['peer-2']);
  });

  test('are asked for nothing by an observer, which they would refuse', () => {
    const { messenger, asked } = asking(undefined);
    messenger.heardByGossip(3, 'peer-2');
    assert.deepEqual(asked, []);
  });
});

describe('what a node calls urgent', () => {
  async function urgentKinds(engine: 'raft' | 'pbft'): Promise<Map<string, Set<boolean>>> {
    const genesis = engine === 'raft' ? raftGenesis(3) : testGenesis(4);
    const cluster = await Cluster.start(genesis.validators.length, genesis);
    const kinds = new Map<string, Set<boolean>>();
    cluster.net.onSend = (_from, _to, bytes, urgent = false) => {
      const kind = engine === 'raft' ? unwrap(decodeMessage(bytes)).kind : 'pbft';
      kinds.set(kind, (kinds.get(kind) ?? new Set()).add(urgent));
      return bytes;
    };
    cluster.time.run(4_000);
    cluster.submit('validator-0', signedTransaction(genesis, 'alice', { nonce: 0 }));
    assert.ok(
      cluster.time.runUntil(() => cluster.nonces('alice').every((at) => at === 1), 10_000),
      cluster.why(),
    );
    return kinds;
  }

  test('in Raft: all that keeps or makes a leader, and never a block', async () => {
    const kinds = await urgentKinds('raft');
    for (const kind of ['vote-request', 'vote', 'heartbeat', 'heartbeat-answer']) {
      assert.deepEqual([...(kinds.get(kind) ?? [])], [true], kind);
    }
    for (const kind of ['append', 'accepted']) assert.deepEqual([...(kinds.get(kind) ?? [])], [false], kind);
  });

  test('in PBFT: nothing', async () => {
    assert.deepEqual([...((await urgentKinds('pbft')).get('pbft') ?? [])], [false]);
  });
});
