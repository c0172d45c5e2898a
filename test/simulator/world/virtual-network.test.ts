import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { utf8 } from '../../../src/base/bytes.ts';
import { limits } from '../../../src/base/limits.ts';
import { Problem } from '../../../src/base/problem.ts';
import type { GossipVerdict, Network, NetworkHandlers } from '../../../src/network/port.ts';
import { type LinkConditions, Links } from '../../../src/simulator/world/links.ts';
import { ProcessLife } from '../../../src/simulator/world/process-life.ts';
import { Scheduler } from '../../../src/simulator/world/scheduler.ts';
import { Trace } from '../../../src/simulator/world/trace.ts';
import { peerName } from '../../../src/simulator/world/station.ts';
import { VirtualNetwork } from '../../../src/simulator/world/virtual-network.ts';

const calm: LinkConditions = { delayMs: [1, 5], loss: 0, duplication: 0, reordering: 0 };

interface Node {
  readonly network: Network;
  readonly life: ProcessLife;
  readonly events: string[];
  verdict: GossipVerdict;
}

/** A network of nodes that note what happens to them. */
class Fixture {
  readonly scheduler = new Scheduler();
  readonly faults: string[] = [];
  readonly trace = new Trace(true);
  readonly links: Links;
  readonly network: VirtualNetwork;
  readonly nodes: Node[] = [];

  constructor(size: number, conditions: Partial<LinkConditions> = {}, seed = 1) {
    this.links = new Links({
      size,
      seed,
      conditions: { ...calm, ...conditions },
      count: (fault) => this.faults.push(fault),
    });
    this.network = new VirtualNetwork({
      scheduler: this.scheduler,
      links: this.links,
      trace: this.trace,
      seed,
      size,
      kindOf: () => 'kind',
    });
    for (let index = 0; index < size; index++) this.start(index);
  }

  start(index: number, onHello: NetworkHandlers['onHello'] = () => undefined): Node {
    const life = new ProcessLife((error) => {
      throw error;
    });
    const network = this.network.join(index, {
      life,
      hello: () => utf8(`hello of ${index}`),
      onPenalise: (peer, reason) => events.push(`penalised ${peer}: ${reason}`),
    });
    const events: string[] = [];
    const node: Node = { network, life, events, verdict: 'accept' };
    void network.start({
      onHello,
      onConnected: (peer) => events.push(`+${peer}`),
      onLost: (peer) => events.push(`-${peer}`),
      onMessage: (peer, bytes) => events.push(`${peer} says ${text(bytes)}`),
      onGossip: (topic, bytes, from, decide) => {
        events.push(`${topic} ${text(bytes)} from ${from}`);
        decide(node.verdict);
      },
      onRequest: (_peer, protocol, bytes, respond) => {
        respond(text(bytes) === 'refuse' ? null : utf8(`${protocol} of ${index}: ${text(bytes)}`));
      },
    });
    this.nodes[index] = node;
    return node;
  }

  node(index: number): Node {
    return this.nodes[index] as Node;
  }

  run(duration: number): void {
    const until = this.scheduler.now + duration;
    while (this.scheduler.step(until));
  }

  /** Everything connected, and the notes so far thrown away. */
  settled(): this {
    this.run(1_000);
    for (const node of this.nodes) node.events.length = 0;
    return this;
  }

  /** Said by a node from now on. */
  heard(index: number): string[] {
    return this.node(index).events.splice(0);
  }
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function traceOf(seed: number): string {
  const world = new Fixture(3, { loss: 0.2, duplication: 0.2, reordering: 0.2 }, seed).settled();
  for (let i = 0; i < 50; i++) {
    world.node(i % 3).network.publish('consensus', utf8(`${i}`));
    world.run(3);
  }
  world.run(100);
  return `${world.trace.digest}\n${world.trace.text.join('\n')}`;
}

describe('virtual network', () => {
  test('everybody meets everybody, and messages arrive in order', () => {
    const world = new Fixture(3);
    world.run(1_000);
    assert.deepEqual(world.node(0).network.peers(), ['node-1', 'node-2']);
    assert.deepEqual(
      world.heard(0).sort((a, b) => a.localeCompare(b)),
      ['+node-1', '+node-2'],
    );
    world.heard(1);
    for (let i = 0; i < 20; i++) assert.equal(world.node(0).network.send('node-1', utf8(`${i}`)), true);
    world.run(10);
    assert.deepEqual(
      world.heard(1),
      Array.from({ length: 20 }, (_, i) => `node-0 says ${i}`),
    );
  });

  test('a hello that one side refuses makes no connection', () => {
    const world = new Fixture(2);
    world.network.leave(1);
    world.start(1, (_peer, hello) => {
      assert.equal(text(hello), 'hello of 0');
      return new Problem('network/other-chain', 'another chain', { remedy: 'none' });
    });
    world.run(3_000);
    assert.deepEqual(world.node(0).network.peers(), []);
    assert.equal(world.node(0).network.send('node-1', utf8('x')), false);
  });

  test('loss, duplication and reordering happen as often as asked', () => {
    const world = new Fixture(2, { loss: 0.3, duplication: 0.5, reordering: 0.3 }).settled();
    const sent = 2_000;
    for (let i = 0; i < sent; i++) {
      world.node(0).network.send('node-1', utf8(`${i}`));
      world.run(1);
    }
    world.run(100);
    const heard = world.heard(1).map((line) => Number(line.split(' ').pop()));
    const lost = sent - new Set(heard).size;
    const doubled = heard.length - new Set(heard).size;
    const overtaken = heard.filter((value, i) => value < (heard[i - 1] ?? 0)).length;
    assert.ok(Math.abs(lost / sent - 0.3) < 0.05, `${lost} lost`);
    assert.ok(Math.abs(doubled / (sent - lost) - 0.5) < 0.05, `${doubled} doubled`);
    assert.ok(overtaken > 100, `${overtaken} overtaken`);
  });

  test('a cut in one direction is silent: one side hears, the other does not, and neither is told', () => {
    const world = new Fixture(2).settled();
    world.links.cut(0, 1);
    world.network.reconcile();
    world.node(0).network.send('node-1', utf8('lost'));
    world.node(1).network.send('node-0', utf8('heard'));
    world.run(10_000);
    assert.deepEqual(world.heard(0), ['node-1 says heard']);
    assert.deepEqual(world.heard(1), []);
  });

  test('a cut in both directions loses the connection, and mending it brings it back', () => {
    const world = new Fixture(2).settled();
    for (const [from, to] of [
      [0, 1],
      [1, 0],
    ] as const)
      world.links.cut(from, to);
    world.network.reconcile();
    world.run(3_000);
    assert.deepEqual(world.heard(0), ['-node-1']);
    for (const [from, to] of [
      [0, 1],
      [1, 0],
    ] as const)
      world.links.mend(from, to);
    world.network.reconcile();
    world.run(3_000);
    assert.deepEqual(world.heard(0), ['+node-1']);
  });

  test('a restart before anybody noticed the crash is a loss and a new connection', () => {
    const world = new Fixture(2).settled();
    world.node(1).life.kill();
    world.network.leave(1);
    world.start(1);
    world.run(3_000);
    assert.deepEqual(world.heard(0), ['-node-1', '+node-1']);
    assert.deepEqual(world.heard(1), ['+node-0']);
  });

  test('what was on its way to a process that died never reaches the next one', () => {
    const world = new Fixture(2, { delayMs: [500, 500] }).settled();
    world.node(0).network.send('node-1', utf8('old'));
    world.node(1).life.kill();
    world.network.leave(1);
    const next = world.start(1);
    world.run(5_000);
    assert.deepEqual(next.events, ['+node-0']);
  });

  test('gossip floods over intermediate nodes, once to each, as far as verdicts let it', () => {
    const world = new Fixture(4).settled();
    // 0 - 1 - 2 - 3 in a line.
    for (const [a, b] of [
      [0, 2],
      [0, 3],
      [1, 3],
    ] as const) {
      world.links.cut(a, b);
      world.links.cut(b, a);
    }
    world.network.reconcile();
    world.settled();
    world.run(3_000);
    for (let i = 0; i < 4; i++) world.heard(i);
    world.node(0).network.publish('transactions', utf8('frame'));
    world.run(100);
    assert.deepEqual(world.heard(3), ['transactions frame from node-2']);
    assert.deepEqual(world.heard(0), [], 'the publisher does not hear its own');
    world.heard(1);
    world.node(1).verdict = 'reject';
    world.node(0).network.publish('transactions', utf8('bad'));
    world.run(100);
    assert.deepEqual(world.heard(1), ['transactions bad from node-0']);
    assert.deepEqual(world.heard(2).slice(1), [], 'what is rejected is not relayed');
  });

  test('a request is answered once: with the answer, a refusal, a loss or a timeout', () => {
    const world = new Fixture(3, { duplication: 1 }).settled();
    const answers: string[] = [];
    const ask = (peer: number, question: string): void =>
      world
        .node(0)
        .network.request(peerName(peer), 'blocks', utf8(question), (response) =>
          answers.push(response instanceof Problem ? response.code : text(response)),
        );
    ask(1, 'one');
    world.run(100);
    ask(1, 'refuse');
    world.run(100);
    assert.deepEqual(answers.splice(0), ['blocks of 1: one', 'network/refused']);
    world.links.cut(0, 2);
    ask(2, 'lost on the way');
    world.run(limits.requestTimeoutMs);
    assert.deepEqual(answers.splice(0), ['network/timeout']);
    world.node(1).life.kill();
    world.network.leave(1);
    ask(1, 'to the dead');
    world.run(3_000);
    assert.deepEqual(answers.splice(0), ['network/lost']);
    ask(1, 'not connected');
    world.run(1);
    assert.deepEqual(answers, ['network/lost']);
  });

  test('a clogged link is slow, and its queue is bounded', () => {
    const world = new Fixture(2).settled();
    world.links.clog(0, 1, 10);
    const results = Array.from({ length: 100 }, () =>
      world.node(0).network.send('node-1', new Uint8Array(1_000)),
    );
    assert.ok(!results.includes(false), 'the oldest give way, and none is refused');
    const [link] = world.node(0).network.stats();
    assert.ok((link?.droppedMessages ?? 0) > 0 && (link?.queuedBytes ?? 0) > 0, 'the queue is bounded');
    world.run(1_000);
    const soon = world.heard(1).length;
    assert.ok(soon >= 9 && soon <= 10, `${soon} messages of 1000 bytes in a second at 10 bytes per ms`);
  });

  test('one message, however large, does not hold a link for long that is free again', () => {
    const world = new Fixture(2).settled();
    world.links.clog(0, 1, 0.05);
    const { network } = world.node(0);
    network.publish('transactions', new Uint8Array(30_000));
    world.run(10);
    world.links.clog(0, 1, null);
    network.send('node-1', utf8('later'));
    world.run(4_000);
    assert.ok(world.heard(1).includes('node-0 says later'));
  });

  test('what is urgent overtakes what waits for a clogged link, in its own order', () => {
    const world = new Fixture(2).settled();
    world.links.clog(0, 1, 1);
    const { network } = world.node(0);
    for (const size of [400, 300]) network.send('node-1', utf8('x'.repeat(size)));
    for (const beat of ['beat 1', 'beat 2', 'beat 3']) network.send('node-1', utf8(beat), true);
    world.run(10);
    assert.deepEqual(world.heard(1), ['node-0 says beat 1', 'node-0 says beat 2', 'node-0 says beat 3']);
    world.run(800);
    assert.equal(world.heard(1).length, 2);
  });

  test('a paused process hears everything when it wakes up', () => {
    const world = new Fixture(2).settled();
    world.node(1).life.pause();
    world.node(0).network.send('node-1', utf8('hello'));
    world.run(100);
    assert.deepEqual(world.heard(1), []);
    world.node(1).life.resume();
    assert.deepEqual(world.heard(1), ['node-0 says hello']);
  });

  test('the same seed gives the same trace', () => {
    assert.equal(traceOf(7), traceOf(7));
    assert.notEqual(traceOf(7), traceOf(8));
  });
});
