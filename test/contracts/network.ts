import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { Problem } from '../../src/base/problem.ts';
import type { GossipVerdict, Network, Topic } from '../../src/network/port.ts';
import type { Behaviour, Recorder } from '../network/recorder.ts';

export interface ContractMember {
  readonly network: Network;
  readonly handlers: Recorder;
}

/** How an implementation of the `Network` port is put under the contract. */
export interface ContractWorld {
  /**
   * Starts `count` members that are configured to connect to each other, all with their handlers. Does not wait for connections.
   * `hello` gives each member's hello text; members differ only in it, in their behaviour, and in whom they
   * are `linked` to: all others unless given.
   */
  start(options: {
    readonly count: number;
    readonly linked?: (a: number, b: number) => boolean;
    readonly hello?: (index: number) => string;
    readonly behaviour?: (index: number) => Behaviour;
  }): Promise<readonly ContractMember[]>;
  /** Lets the world go on until the condition holds; throws with `what` when it does not in good time. */
  until(what: string, condition: () => boolean): Promise<void>;
  /** Stops every member that is still up. */
  close(): Promise<void>;
}

/**
 * What every implementation of the `Network` port promises to the node. An exception is a promise that an implementation for tests does not
 * keep, with the reason. It has to fail there: one that is kept by now is none any more.
 */
export function networkContract(
  name: string,
  createWorld: () => ContractWorld,
  exceptions: Readonly<Record<string, string>> = {},
): void {
  const unknown = new Set(Object.keys(exceptions));
  const inWorld = (title: string, story: (world: ContractWorld) => Promise<void>): void => {
    unknown.delete(title);
    const reason = exceptions[title];
    const play = async (): Promise<void> => {
      const world = createWorld();
      try {
        await story(world);
      } finally {
        await world.close();
      }
    };
    if (reason === undefined) void test(title, play);
    else void test(`not kept, because ${reason}: ${title}`, () => assert.rejects(play));
  };

  void describe(`network contract: ${name}`, () => {
    inWorld('members find each other, and each hears a hello before anything else', async (world) => {
      const members = await connected(world, 3);
      for (const { network, handlers } of members) {
        assert.deepEqual([...network.peers()].sort(), others(members, network));
        for (const peer of network.peers()) {
          const first = handlers.events.find((event) => event.peer === peer);
          assert.equal(first?.kind, 'hello');
          assert.deepEqual(handlers.presence(peer), ['connected']);
        }
      }
    });

    inWorld('messages of one peer arrive complete and in the order they were sent', async (world) => {
      const [a, b] = pair(await connected(world, 2));
      const sent = Array.from({ length: 500 }, (_, index) => payload(index, 1 + ((index * 131) % 3_000)));
      for (const bytes of sent) assert.equal(a.network.send(b.network.self, bytes), true);
      await world.until('all arrived', () => b.handlers.count('message') === sent.length);
      assert.deepEqual(b.handlers.messages(a.network.self), sent);
    });

    inWorld('urgent messages overtake what fills the queue, and keep their order', async (world) => {
      const [a, b] = pair(await connected(world, 2));
      const size = 256 * 1024;
      const large = Array.from({ length: Math.floor(limits.peerSendQueueBytes / (size + 4)) }, (_, index) =>
        payload(index, size),
      );
      const urgent = Array.from({ length: 5 }, (_, index) => payload(1_000 + index, 60));
      for (const bytes of large) assert.equal(a.network.send(b.network.self, bytes), true);
      for (const bytes of urgent) assert.equal(a.network.send(b.network.self, bytes, true), true);
      await world.until('all arrived', () => b.handlers.count('message') === large.length + urgent.length);
      const named = (bytes: Uint8Array): string => `${bytes.length} bytes, ${bytes[0]} ${bytes[1]}`;
      assert.deepEqual(b.handlers.messages(a.network.self).map(named), [...urgent, ...large].map(named));
    });

    inWorld('both directions and all sizes work at the same time', async (world) => {
      const [a, b] = pair(await connected(world, 2));
      const sizes = [1, 100, 64 * 1024, 1024 * 1024, limits.consensusMessageBytes, 5];
      for (const [index, size] of sizes.entries()) {
        a.network.send(b.network.self, payload(index, size));
        b.network.send(a.network.self, payload(index, size));
      }
      const all = (): boolean => [a, b].every(({ handlers }) => handlers.count('message') === sizes.length);
      await world.until('all arrived on both sides', all);
      for (const [to, from] of [
        [a, b],
        [b, a],
      ] as const) {
        const received = to.handlers.messages(from.network.self);
        for (const [index, size] of sizes.entries()) assert.deepEqual(received[index], payload(index, size));
      }
    });

    inWorld('a message to a stranger is refused at once', async (world) => {
      const [a] = pair(await connected(world, 2));
      assert.equal(a.network.send('nobody', payload(0, 10)), false);
    });

    inWorld('a message above the limit is not sent and does no harm', async (world) => {
      const [a, b] = pair(await connected(world, 2));
      assert.equal(a.network.send(b.network.self, new Uint8Array(limits.consensusMessageBytes + 1)), false);
      assert.equal(a.network.send(b.network.self, payload(1, 10)), true);
      await world.until('the next one arrived', () => b.handlers.count('message') === 1);
      assert.deepEqual(b.handlers.messages(a.network.self), [payload(1, 10)]);
      assert.deepEqual(a.handlers.presence(b.network.self), ['connected']);
    });

    inWorld('the send queue is bounded: the oldest messages give way and are counted', async (world) => {
      const [a, b] = pair(await connected(world, 2));
      const size = 256 * 1024;
      const count = Math.ceil(limits.peerSendQueueBytes / size) * 2;
      for (let index = 0; index < count; index++) {
        assert.equal(a.network.send(b.network.self, payload(index, size)), true);
      }
      const [stats] = a.network.stats();
      assert.ok((stats?.queuedBytes ?? 0) <= limits.peerSendQueueBytes + limits.consensusMessageBytes);
      assert.ok((stats?.droppedMessages ?? 0) > 0);
      const last = payload(count - 1, size);
      const newest = (): Uint8Array | undefined => b.handlers.messages(a.network.self).at(-1);
      await world.until('the newest arrived', () => newest()?.[0] === last[0] && newest()?.[1] === last[1]);
      const arrived = b.handlers.count('message');
      assert.equal(arrived + (a.network.stats()[0]?.droppedMessages ?? 0), count);
    });

    inWorld('what is published once gossip is open to a peer reaches it at the first try', async (world) => {
      const members = await connected(world, 3);
      const isOpen = (): boolean => members.every(({ handlers }) => handlers.count('gossip-open') === 2);
      await world.until('gossip is open to all', isOpen);
      for (const [index, { network }] of members.entries())
        network.publish('transactions', payload(index, 20));
      await world.until('all arrived', () =>
        members.every(({ handlers }) => handlers.count('gossip') === members.length - 1),
      );
      for (const { network, handlers } of members) {
        for (const peer of network.peers()) {
          const kinds = handlers.events.flatMap((event) => (event.peer === peer ? [event.kind] : []));
          assert.ok(kinds.indexOf('connected') < kinds.indexOf('gossip-open'), 'not before it is connected');
        }
      }
    });

    inWorld('gossip reaches every member exactly once, and not its publisher', async (world) => {
      const members = await gossiping(world, 4);
      const [first] = members as [ContractMember];
      const frames = Array.from({ length: 20 }, (_, index) => payload(index, 2_000 + index));
      for (const frame of frames) first.network.publish('transactions', frame);
      const rest = members.slice(1);
      const arrived = (): boolean =>
        rest.every(({ handlers }) => handlers.gossip('transactions').length >= frames.length);
      await world.until('all have all frames', arrived);
      // One more round trip through everybody: a copy on the way would arrive before it.
      for (const [index, { network }] of members.entries())
        network.publish('evidence', payload(1_000 + index, 50));
      await world.until('the second round is through', () =>
        members.every(({ handlers }) => handlers.gossip('evidence').length === members.length - 1),
      );
      assert.deepEqual(first.handlers.gossip('transactions'), []);
      for (const { handlers } of rest) {
        const numbers = handlers.gossip('transactions').map(numberOf).sort(ascending);
        assert.deepEqual(numbers, frames.map(numberOf));
      }
    });

    inWorld('in a star each member hears each other through the one in the middle', async (world) => {
      // The strangers are there first, and ask for gossip as members do.
      const strangers = 4;
      const members = await star(world, { strangers, leaves: 6 });
      const leaves = members.slice(1 + strangers);
      for (const topic of ['consensus', 'transactions', 'blocks'] satisfies Topic[]) {
        let round = 0;
        await world.until(`each hears the ${topic} of all others`, () => {
          round += 1;
          for (const [index, { network }] of leaves.entries()) {
            network.publish(topic, Uint8Array.of(index, round >> 8, round & 0xff));
          }
          return leaves.every(({ handlers }, index) => {
            const heard = new Set(handlers.gossip(topic).map(([from]) => from));
            return !heard.has(index) && heard.size === leaves.length - 1;
          });
        });
      }
    });

    inWorld('a stranger is told what its peer says itself, and nothing that it relays', async (world) => {
      const members = await star(world, { strangers: 1, leaves: 3 });
      const [middle, stranger, from, to] = members as [
        ContractMember,
        ContractMember,
        ContractMember,
        ContractMember,
      ];
      for (const topic of ['consensus', 'transactions'] satisfies Topic[]) {
        let round = 0;
        await world.until(`${topic} is relayed`, () => {
          from.network.publish(topic, Uint8Array.of(1, ++round));
          return to.handlers.gossip(topic).length > 0;
        });
        await world.until('the middle is heard', () => {
          middle.network.publish(topic, Uint8Array.of(2, ++round));
          return stranger.handlers.gossip(topic).length > 0;
        });
        assert.ok(stranger.handlers.gossip(topic).every(([who]) => who === 2));
      }
    });

    inWorld('gossip that nobody looked at is taken from the next who brings it', async (world) => {
      const verdicts: GossipVerdict[] = [];
      const { middle, stranger, member } = await between(world, () => verdicts.shift() ?? 'accept');
      for (const first of [stranger, member]) {
        const second = first === member ? stranger : member;
        const bytes = payload(first === member ? 1 : 2, 100);
        verdicts.push('unread');
        await hears(world, middle, first, bytes);
        await hears(world, middle, second, bytes);
        assert.deepEqual(verdicts, []);
      }
    });

    inWorld('gossip of a member does not wait for what a stranger brought of it', async (world) => {
      const { middle, stranger, member, settle } = await between(world);
      const bytes = payload(1, 100);
      await hears(world, middle, stranger, bytes);
      await hears(world, middle, member, bytes);
      // What waits is waited for by whoever brings it no earlier, and what was looked at is known.
      const known = payload(2, 100);
      await hears(world, middle, stranger, known);
      settle();
      member.network.publish('transactions', known);
      await hears(world, middle, member, payload(3, 100));
      stranger.network.publish('transactions', payload(3, 100));
      await hears(world, middle, stranger, payload(4, 100));
      const heard = middle.handlers.gossip('transactions').map(numberOf);
      assert.deepEqual(heard, [1, 1, 2, 3, 4]);
    });

    inWorld(
      'consensus messages cross the only link between two groups, and all others once its ends asked',
      async (world) => {
        const size = 5;
        const group = (index: number): number => Math.floor(index / size);
        const linked = (a: number, b: number): boolean =>
          group(a) === group(b) || (a % size === 0 && b % size === 0);
        const members = await world.start({ count: 2 * size, linked });
        await world.until('all are connected', () =>
          members.every(
            ({ network }, index) => network.peers().length === (index % size === 0 ? size : size - 1),
          ),
        );
        const [first, last] = [members[1], members.at(-1)] as [ContractMember, ContractMember];
        let round = 0;
        await world.until('each hears the other', () => {
          round += 1;
          first.network.publish('consensus', Uint8Array.of(1, round >> 8, round & 0xff));
          last.network.publish('consensus', Uint8Array.of(2, round >> 8, round & 0xff));
          return [first, last].every(({ handlers }) => handlers.gossip('consensus').length > 0);
        });
        const [one, other] = [members[0], members[size]] as [ContractMember, ContractMember];
        await world.until('each hears all of the other', () => {
          round += 1;
          one.network.askForGossip(other.network.self);
          other.network.askForGossip(one.network.self);
          const topics = ['transactions', 'blocks'] as const;
          for (const topic of topics)
            first.network.publish(topic, Uint8Array.of(1, round >> 8, round & 0xff));
          for (const topic of topics) last.network.publish(topic, Uint8Array.of(2, round >> 8, round & 0xff));
          const across = [first, last] as const;
          return across.every(({ handlers }) => topics.every((topic) => handlers.gossip(topic).length > 0));
        });
      },
    );

    inWorld('a request gets the answer of the asked peer, also many at once', async (world) => {
      const [a, b] = pair(await answering(world, (bytes, respond) => respond(Uint8Array.of(42, ...bytes))));
      const answers: (Uint8Array | Problem)[] = [];
      for (let index = 0; index < 20; index++) {
        a.network.request(b.network.self, 'blocks', Uint8Array.of(index), (answer) => answers.push(answer));
      }
      await world.until('all answered', () => answers.length === 20);
      const numbers = answers.map((answer) => (answer instanceof Problem ? answer.code : answer[1]));
      assert.deepEqual(
        numbers.sort(ascending),
        Array.from({ length: 20 }, (_, index) => index),
      );
    });

    inWorld('an answer may be as large as the limit; a larger one is a refusal', async (world) => {
      const [a, b] = pair(
        await answering(world, (bytes, respond) =>
          respond(new Uint8Array(limits.responseBytes + (bytes[0] as number))),
        ),
      );
      const answers: (Uint8Array | Problem)[] = [];
      a.network.request(b.network.self, 'blocks', Uint8Array.of(0), (answer) => answers.push(answer));
      await world.until('answered', () => answers.length === 1);
      a.network.request(b.network.self, 'blocks', Uint8Array.of(1), (answer) => answers.push(answer));
      await world.until('refused', () => answers.length === 2);
      assert.equal((answers[0] as Uint8Array).length, limits.responseBytes);
      assertProblem(answers[1], 'network/refused');
    });

    inWorld('a message goes between the pieces of large answers', async (world) => {
      const count = 2;
      const waiting: (() => void)[] = [];
      const [a, b] = pair(
        await answering(world, (_bytes, respond) =>
          waiting.push(() => respond(new Uint8Array(limits.responseBytes))),
        ),
      );
      /** For each answer that is whole, and not given up, how many messages were there before it. */
      const answers: (number | Problem)[] = [];
      for (let index = 0; index < count; index++) {
        a.network.request(b.network.self, 'blocks', Uint8Array.of(index), (answer) => {
          answers.push(answer instanceof Problem ? answer : a.handlers.count('message'));
        });
      }
      await world.until('all are asked', () => waiting.length === count);
      for (const respond of waiting) respond();
      // After the answers began: nothing of them is ahead of it but what their streams may hold at once.
      await new Promise((resolve) => setImmediate(resolve));
      b.network.send(a.network.self, payload(1, 60), true);
      await world.until('all answered', () => answers.length === count);
      assert.ok(!answers.includes(0), 'an answer overtook the message');
    });

    inWorld('a peer that has no answer says so', async (world) => {
      const [a, b] = pair(await answering(world, (_bytes, respond) => respond(null)));
      let answer: Uint8Array | Problem | undefined;
      a.network.request(b.network.self, 'snapshot', Uint8Array.of(1), (result) => (answer = result));
      await world.until('answered', () => answer !== undefined);
      assertProblem(answer, 'network/refused');
    });

    inWorld('a request that is never answered ends with a timeout, once', async (world) => {
      const [a, b] = pair(await answering(world, () => {}));
      const answers: (Uint8Array | Problem)[] = [];
      a.network.request(b.network.self, 'candidate', Uint8Array.of(1), (result) => answers.push(result));
      await world.until('given up', () => answers.length > 0);
      assert.equal(answers.length, 1);
      assertProblem(answers[0], 'network/timeout');
    });

    inWorld('a request to a stranger fails, and not before the call returned', async (world) => {
      const [a] = pair(await connected(world, 2));
      const answers: (Uint8Array | Problem)[] = [];
      a.network.request('nobody', 'blocks', Uint8Array.of(1), (result) => answers.push(result));
      assert.equal(answers.length, 0);
      await world.until('answered', () => answers.length === 1);
      assertProblem(answers[0], 'network/lost');
    });

    inWorld('a peer that stops is lost, once, and its open requests fail', async (world) => {
      const [a, b] = pair(await answering(world, () => {}));
      const answers: (Uint8Array | Problem)[] = [];
      a.network.request(b.network.self, 'blocks', Uint8Array.of(1), (result) => answers.push(result));
      await world.until('the request is there', () => b.handlers.count('request') === 1);
      await b.network.stop();
      await world.until('a noticed', () => a.network.peers().length === 0);
      await world.until('the request failed', () => answers.length === 1);
      assertProblem(answers[0], 'network/lost');
      assert.deepEqual(a.handlers.presence(b.network.self), ['connected', 'lost']);
      assert.equal(a.network.send(b.network.self, payload(1, 10)), false);
    });

    inWorld('a refused hello keeps the two apart, whoever refuses', async (world) => {
      const members = await world.start({
        count: 3,
        hello: (index) => (index === 2 ? 'chain two' : 'chain one'),
        behaviour: () => ({ judgeHello: refuseChainTwo }),
      });
      const [a, b, c] = members as [ContractMember, ContractMember, ContractMember];
      await world.until('the like-minded are connected', () =>
        [a, b].every(({ network }) => network.peers().length === 1),
      );
      await world.until('the other was heard by both', () =>
        [a, b].every(({ handlers }) =>
          handlers.events.some((event) => event.kind === 'hello' && event.peer === c.network.self),
        ),
      );
      let number = 0;
      await world.until('gossip works', () => {
        // The first ones may come before the other told what it listens to.
        a.network.publish('blocks', payload(number++, 100));
        return b.handlers.count('gossip') > 0;
      });
      for (const { network, handlers } of [a, b]) {
        assert.ok(!network.peers().includes(c.network.self));
        assert.deepEqual(handlers.presence(c.network.self), []);
      }
      assert.deepEqual(c.network.peers(), []);
      assert.equal(
        c.handlers.count('connected') + c.handlers.count('gossip') + c.handlers.count('message'),
        0,
      );
    });

    inWorld(
      'rejected gossip counts nothing by itself: who judged it says what it is worth',
      async (world) => {
        const members = await gossiping(world, 2, { behaviour: () => ({ judgeGossip: () => 'reject' }) });
        const [a, b] = pair(members);
        let number = 0;
        await world.until('much of it was heard', () => {
          a.network.publish('transactions', payload(number++, 100));
          return b.handlers.count('gossip') > 50;
        });
        assert.equal(b.network.stats()[0]?.penalties ?? 0, 0);
        assert.deepEqual(b.handlers.presence(a.network.self), ['connected']);
      },
    );

    inWorld('penalties add up, the peer is disconnected, and none of it throws', async (world) => {
      const [a, b] = pair(await connected(world, 2));
      a.network.penalise(b.network.self, 'bad message');
      assert.equal(a.network.stats()[0]?.penalties, 1);
      assert.deepEqual(a.network.peers(), [b.network.self]);
      for (let count = 0; count < 100; count++) a.network.penalise(b.network.self, 'bad message');
      a.network.penalise('nobody', 'not even here');
      await world.until('b is gone', () => a.network.peers().length === 0);
      assert.deepEqual(a.handlers.presence(b.network.self), ['connected', 'lost']);
      await world.until('b noticed', () => b.handlers.presence(a.network.self).includes('lost'));
    });

    inWorld('after stop nothing is delivered and calls do no harm', async (world) => {
      const [a, b] = pair(await connected(world, 2));
      await a.network.stop();
      const heard = a.handlers.events.length;
      assert.equal(a.network.send(b.network.self, payload(1, 10)), false);
      a.network.publish('blocks', payload(1, 10));
      a.network.askForGossip(b.network.self);
      a.network.penalise(b.network.self, 'late');
      let answer: Uint8Array | Problem | undefined;
      a.network.request(b.network.self, 'blocks', Uint8Array.of(1), (result) => (answer = result));
      await world.until('the request failed', () => answer !== undefined);
      await a.network.stop();
      assert.equal(a.handlers.events.length, heard);
    });

    void test('exceptions are of promises that there are', () => assert.deepEqual([...unknown], []));
  });
}

async function connected(
  world: ContractWorld,
  count: number,
  options: { behaviour?: (index: number) => Behaviour } = {},
): Promise<readonly ContractMember[]> {
  const members = await world.start({ count, ...options });
  await world.until('all are connected', () =>
    members.every(({ network }) => network.peers().length === count - 1),
  );
  return members;
}

/** Member 0 is in the middle; then come the strangers, then the other members. */
async function star(
  world: ContractWorld,
  { strangers, leaves }: { strangers: number; leaves: number },
): Promise<readonly ContractMember[]> {
  const count = 1 + strangers + leaves;
  const members = await world.start({
    count,
    linked: (a, b) => a === 0 || b === 0,
    hello: (index) => (index >= 1 && index <= strangers ? 'stranger' : 'member'),
    behaviour: () => ({ isStranger: (text) => text === 'stranger' }),
  });
  await world.until('all are connected', () => members[0]?.network.peers().length === count - 1);
  return members;
}

/** A member in the middle, with a stranger and a member beside it, which gossip of both reaches. */
async function between(
  world: ContractWorld,
  judge?: () => GossipVerdict,
): Promise<Record<'middle' | 'stranger' | 'member', ContractMember> & { settle: () => void }> {
  const waiting: (() => void)[] = [];
  const members = await world.start({
    count: 3,
    linked: (a, b) => a === 0 || b === 0,
    hello: (index) => (index === 1 ? 'stranger' : 'member'),
    behaviour: () => ({
      isStranger: (text) => text === 'stranger',
      judgeTransactions: (decide) => {
        if (judge === undefined) waiting.push(() => decide('ignore'));
        else decide(judge());
      },
    }),
  });
  const [middle, stranger, member] = members as [ContractMember, ContractMember, ContractMember];
  let round = 0;
  await world.until('gossip of both reaches the middle', () => {
    round += 1;
    for (const [index, { network }] of members.entries())
      network.publish('blocks', Uint8Array.of(index, round >> 8, round & 0xff));
    return new Set(middle.handlers.gossip('blocks').map(([from]) => from)).size === 2;
  });
  return { middle, stranger, member, settle: () => waiting.splice(0).forEach((each) => each()) };
}

/** It publishes these bytes, and the other one hears them of it. */
async function hears(
  world: ContractWorld,
  { handlers }: ContractMember,
  from: ContractMember,
  bytes: Uint8Array,
): Promise<void> {
  const count = (): number =>
    handlers.events.filter(
      (event) =>
        event.kind === 'gossip' && event.peer === from.network.self && event.topic === 'transactions',
    ).length;
  const before = count();
  from.network.publish('transactions', bytes);
  await world.until('it is heard', () => count() > before);
}

function answering(
  world: ContractWorld,
  answer: NonNullable<Behaviour['answer']>,
): Promise<readonly ContractMember[]> {
  return connected(world, 2, { behaviour: () => ({ answer }) });
}

function refuseChainTwo(_peer: string, hello: string): undefined | Problem {
  if (hello !== 'chain two') return undefined;
  return new Problem('network/other-chain', 'another chain', { remedy: 'Use the same genesis file.' });
}

/** Connected, and every member hears the gossip of every other: subscriptions need a moment. */
async function gossiping(
  world: ContractWorld,
  count: number,
  options: { behaviour?: (index: number) => Behaviour } = {},
): Promise<readonly ContractMember[]> {
  const members = await connected(world, count, options);
  let probe = 0;
  await world.until('gossip flows between all', () => {
    for (const { network } of members) network.publish('blocks', payload(probe++, 20));
    return members.every(({ network, handlers }) => {
      const heard = new Set(
        handlers.events.flatMap((event) => (event.kind === 'gossip' ? [event.peer] : [])),
      );
      return heard.size === network.peers().length;
    });
  });
  return members;
}

function pair(members: readonly ContractMember[]): [ContractMember, ContractMember] {
  const [a, b] = members;
  assert.ok(a !== undefined && b !== undefined);
  return [a, b];
}

function others(members: readonly ContractMember[], self: Network): string[] {
  return members
    .map(({ network }) => network.self)
    .filter((id) => id !== self.self)
    .sort();
}

/** Bytes of a given size that start with a number, as far as they reach. */
function payload(number: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size).fill(number % 251);
  bytes[0] = number & 0xff;
  if (size > 1) bytes[1] = number >> 8;
  return bytes;
}

function numberOf(bytes: Uint8Array): number {
  return (bytes[0] as number) + (bytes[1] as number) * 256;
}

function ascending(a: unknown, b: unknown): number {
  return Number(a) - Number(b);
}

function assertProblem(result: unknown, code: string): void {
  assert.ok(result instanceof Problem, `a problem, got ${typeof result}`);
  assert.equal(result.code, code);
}
