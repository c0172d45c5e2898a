import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Stream } from '@libp2p/interface';
import { limits } from '../../src/base/limits.ts';
import { Problem } from '../../src/base/problem.ts';
import { createLibp2pNetwork } from '../../src/network/libp2p-network.ts';
import { limitWriteBuffer, receivedBytes, unsentBytes } from '../../src/network/libp2p-internals.ts';
import { readFrames, sendFrame } from '../../src/network/framed-stream.ts';
import type { NetworkLog } from '../../src/network/log.ts';
import { helloProtocol } from '../../src/network/protocol-names.ts';
import type { Network } from '../../src/network/port.ts';
import { eventually } from '../support/eventually.ts';
import { Libp2pWorld, addressOf, nodeSeed, peerIdOf } from './libp2p-world.ts';
import { Line, portOf } from './line.ts';
import { RawPeer } from './raw-peer.ts';
import { Recorder } from './recorder.ts';

const inWorld = (title: string, story: (scene: Scene) => Promise<void>): void => {
  void test(title, async () => {
    const scene = new Scene();
    try {
      await story(scene);
    } finally {
      await scene.close();
    }
  });
};

/** What a test starts, closed at its end. */
class Scene extends Libp2pWorld {
  readonly #rest: (() => Promise<void>)[] = [];

  async node(
    index: number,
    options: Omit<Parameters<Libp2pWorld['create']>[0], 'index'> & { handlers?: Recorder } = {},
  ): Promise<{ network: Network; handlers: Recorder }> {
    const network = await this.create({ index, ...options });
    const handlers = options.handlers ?? new Recorder();
    await network.start(handlers);
    return { network, handlers };
  }

  async raw(index: number, options: { onDirect?: (stream: Stream) => void } = {}): Promise<RawPeer> {
    const peer = await RawPeer.start(index, options);
    this.#rest.push(() => peer.stop());
    return peer;
  }

  async line(): Promise<Line> {
    const line = await Line.open();
    this.#rest.push(() => line.close());
    return line;
  }

  override async close(): Promise<void> {
    await super.close();
    await Promise.all(this.#rest.map((close) => close()));
  }
}

inWorld('a refused node is told the code, and dials again only after a long time', async (scene) => {
  const judge = new Recorder({
    judgeHello: () => new Problem('network/other-chain', 'no', { remedy: 'Use our genesis file.' }),
  });
  const a = await scene.node(0, { handlers: judge });
  const lines: string[] = [];
  const log: NetworkLog = {
    debug: () => {},
    info: () => {},
    warn: (message, details) => lines.push(`${message} ${JSON.stringify(details)}`),
  };
  const deaf = await scene.line();
  deaf.leadTo(1);
  const peers = [addressOf(a.network), `/ip4/127.0.0.1/tcp/${deaf.port}`];
  const b = await scene.node(1, { peers, overrides: { log }, tuning: { redialCapMs: 40 } });
  await eventually('b knows why', () => lines.some((line) => line.includes('network/other-chain')));
  await eventually('b has dialled another address often meanwhile', () => deaf.opened >= 8);
  assert.equal(judge.count('hello'), 1);
  assert.equal(b.handlers.count('connected'), 0);
});

inWorld(
  'who cannot be reached is listed with why, warned of once, and no more when it is there',
  async (scene) => {
    const lines: string[] = [];
    const log: NetworkLog = {
      debug: () => lines.push('debug'),
      info: () => {},
      warn: (message, details) => lines.push(`${message}: ${details?.['why']}`),
    };
    const nobody = '/ip4/127.0.0.1/tcp/1';
    const a = await scene.node(0);
    const peers = [nobody, addressOf(a.network)];
    const b = await scene.node(1, { peers, overrides: { log }, tuning: { redialCapMs: 40 } });
    await eventually('it tried again', () => lines.filter((text) => text === 'debug').length >= 3);
    await eventually('the other is there', () => b.handlers.count('connected') === 1);
    assert.deepEqual(
      b.network.unreached?.().map(({ address, why }) => [address, why]),
      [[nobody, 'nothing listens there']],
    );
    assert.equal(lines.filter((text) => text.endsWith('nothing listens there')).length, 1);
  },
);

inWorld('who could not be reached is there when it came by its own dial', async (scene) => {
  const first = await scene.node(0);
  const address = addressOf(first.network).replace(/\/p2p\/.*/, '');
  const b = await scene.node(1, { peers: [address], tuning: { redialBaseMs: 300, redialCapMs: 60_000 } });
  await eventually('b reached it', () => b.handlers.count('connected') === 1);
  await first.network.stop();
  await eventually('b cannot reach it', () => b.network.unreached?.().length === 1);
  await scene.node(0, { listen: address, peers: [addressOf(b.network)] });
  await eventually('it came back', () => b.handlers.count('connected') === 2);
  assert.deepEqual(b.network.unreached?.(), []);
});

inWorld('an oversize frame drops the peer, at its header', async (scene) => {
  const { network, handlers } = await scene.node(0);
  const raw = await scene.raw(1);
  await raw.connect(addressOf(network));
  assert.equal(await raw.greet(), undefined);
  const stream = await raw.open(raw.names.direct);
  sendFrame(stream, new Uint8Array(limits.consensusMessageBytes).fill(1));
  await eventually('the largest is accepted', () => handlers.count('message') === 1);
  const header = Buffer.alloc(4);
  header.writeUInt32BE(limits.consensusMessageBytes + 1);
  stream.send(header);
  await eventually('the peer is dropped', () => handlers.presence(raw.id).includes('lost'));
  assert.equal(handlers.count('message'), 1);
});

inWorld('nothing is served before the hello, and who never says it is disconnected', async (scene) => {
  const { network, handlers } = await scene.node(0, { tuning: { handshakeMs: 5_000 } });
  const raw = await scene.raw(1);
  const connection = await raw.connect(addressOf(network));
  const direct = await raw.open(raw.names.direct);
  sendFrame(direct, Uint8Array.of(1, 2, 3));
  const request = await raw.open(raw.names.request('blocks'));
  sendFrame(request, Uint8Array.of(1));
  await eventually('the connection is closed', () => connection.status !== 'open');
  assert.deepEqual(handlers.events, []);
});

inWorld('streams opened before the hello is settled are served after it', async (scene) => {
  const { network, handlers } = await scene.node(0);
  const raw = await scene.raw(1);
  await raw.connect(addressOf(network));
  const direct = await raw.open(raw.names.direct);
  for (let index = 0; index < 10; index++) sendFrame(direct, new Uint8Array(1_000).fill(index));
  assert.equal(await raw.greet(), undefined);
  await eventually('all messages arrived', () => handlers.messages(raw.id).length === 10);
  assert.deepEqual(
    handlers.events.slice(0, 2).map(({ kind }) => kind),
    ['hello', 'connected'],
  );
});

inWorld('a second hello on one connection, and a hello that is too long, get nowhere', async (scene) => {
  const { network, handlers } = await scene.node(0);
  const raw = await scene.raw(1);
  await raw.connect(addressOf(network));
  assert.equal(await raw.greet(), undefined);
  const again = await raw.open(helloProtocol);
  await eventually('the second is reset', () => again.status !== 'open');
  assert.equal(handlers.count('hello'), 1);

  const long = await scene.raw(2);
  const connection = await long.connect(addressOf(network));
  const stream = await long.open(helloProtocol);
  sendFrame(stream, new Uint8Array(5_000));
  await eventually('the long one is disconnected', () => connection.status !== 'open');
  assert.equal(handlers.count('hello'), 1);
});

inWorld('a peer that never reads costs a bounded queue, and nobody else waits for it', async (scene) => {
  const { network, handlers } = await scene.node(0);
  const raw = await scene.raw(1, { onDirect: (stream) => stream.pause() });
  await raw.connect(addressOf(network));
  assert.equal(await raw.greet(), undefined);
  const good = await scene.node(2, { peers: [addressOf(network)] });
  await eventually('both are connected', () => network.peers().length === 2);
  const bytes = new Uint8Array(256 * 1024);
  const rounds = 4 * Math.ceil(limits.peerSendQueueBytes / bytes.length);
  const statsOf = (peer: string) => network.stats().find((stats) => stats.peer === peer);
  for (let round = 1; round <= rounds; round++) {
    network.send(raw.id, bytes);
    network.send(good.network.self, bytes);
    await eventually('the good one has it', () => good.handlers.count('message') === round);
  }
  const stats = statsOf(raw.id);
  assert.ok(stats !== undefined && stats.queuedBytes <= limits.peerSendQueueBytes + 512 * 1024);
  assert.ok(stats.droppedMessages > rounds / 4, `dropped ${stats.droppedMessages}`);
  assert.equal(statsOf(good.network.self)?.droppedMessages, 0);
  assert.deepEqual(handlers.presence(raw.id), ['connected']);
});

inWorld('a slow reader that starts to read gets what was queued, in order', async (scene) => {
  const { network } = await scene.node(0);
  const received: number[] = [];
  let paused: Stream | undefined;
  const raw = await scene.raw(1, {
    onDirect: (stream) => {
      stream.pause();
      paused = stream;
    },
  });
  await raw.connect(addressOf(network));
  assert.equal(await raw.greet(), undefined);
  await eventually('the stream is open', () => paused !== undefined);
  const count = 60;
  for (let index = 0; index < count; index++) network.send(raw.id, new Uint8Array(100_000).fill(index));
  await eventually('the line is full', () => (network.stats()[0]?.queuedBytes ?? 0) < count * 100_000);
  const stream = paused as unknown as Stream;
  readFrames(stream, limits.consensusMessageBytes, {
    onFrame: (frame) => {
      if (frame.length > 0) received.push(frame[0] as number);
    },
    onEnd: () => {},
  });
  stream.resume();
  await eventually('all are there', () => received.length === count);
  assert.deepEqual(
    received,
    Array.from({ length: count }, (_, index) => index),
  );
  await eventually('the queue is empty', () => network.stats()[0]?.queuedBytes === 0);
});

inWorld('a reset stream is opened again, and messages go on', async (scene) => {
  const { network, handlers } = await scene.node(0);
  let streams = 0;
  let received = 0;
  const raw = await scene.raw(1, {
    onDirect: (stream) => {
      streams++;
      if (streams === 1) stream.abort(new Error('reset by the test'));
      else readFrames(stream, 1_000, { onFrame: () => received++, onEnd: () => {} });
    },
  });
  await raw.connect(addressOf(network));
  assert.equal(await raw.greet(), undefined);
  await eventually('messages flow on the second stream', () => {
    network.send(raw.id, Uint8Array.of(1));
    return received > 0;
  });
  assert.equal(streams, 2);
  assert.deepEqual(handlers.presence(raw.id), ['connected']);
});

inWorld('a peer that resets every stream loses its connection', async (scene) => {
  const { network, handlers } = await scene.node(0);
  const raw = await scene.raw(1, { onDirect: (stream) => stream.abort(new Error('reset by the test')) });
  await raw.connect(addressOf(network));
  assert.equal(await raw.greet(), undefined);
  await eventually('it is lost', () => handlers.presence(raw.id).includes('lost'));
});

inWorld(
  'answers that are not taken have one room: who takes least loses its oldest, and others are served',
  async (scene) => {
    const answer = new Uint8Array(limits.responseBytes);
    const handlers = new Recorder({ answer: (_bytes, respond) => respond(answer) });
    const { network } = await scene.node(0, { handlers, tuning: { requestTimeoutMs: 60_000 } });
    const deaf = Math.ceil(limits.answersBytes / limits.responseBytes / limits.requestsPerPeer) + 1;
    let lost = 0;
    const ask = async (peer: RawPeer, onFrame: (frame: Uint8Array) => void): Promise<Stream> => {
      const stream = await peer.open(peer.names.request('blocks'));
      readFrames(stream, limits.responseBytes + 1, { onFrame, onEnd: () => (lost += 1) });
      sendFrame(stream, Uint8Array.of(1));
      return stream;
    };
    for (let index = 1; index <= deaf; index++) {
      const raw = await scene.raw(index);
      await raw.connect(addressOf(network));
      assert.equal(await raw.greet(), undefined);
      for (let count = 0; count < limits.requestsPerPeer; count++) {
        const stream = await ask(raw, () => assert.fail('it does not read'));
        stream.pause();
      }
    }
    await eventually('all were asked for', () => handlers.count('request') === deaf * limits.requestsPerPeer);
    const raw = await scene.raw(deaf + 1);
    await raw.connect(addressOf(network));
    assert.equal(await raw.greet(), undefined);
    let heard = 0;
    await ask(raw, (frame) => (heard += frame.length));
    await eventually('who reads has its answer', () => heard === answer.length + 1);
  },
);

inWorld(
  'requests beyond the limit of one peer are answered busy, and the others still served',
  async (scene) => {
    const waiting: ((response: Uint8Array | null) => void)[] = [];
    const handlers = new Recorder({ answer: (_bytes, respond) => waiting.push(respond) });
    const { network } = await scene.node(0, { handlers });
    const raw = await scene.raw(1);
    await raw.connect(addressOf(network));
    assert.equal(await raw.greet(), undefined);
    const answers: number[] = [];
    const streams: Stream[] = [];
    for (let index = 0; index < limits.requestsPerPeer + 2; index++) {
      const stream = await raw.open(raw.names.request('blocks'));
      readFrames(stream, 100, { onFrame: (frame) => answers.push(frame[0] as number), onEnd: () => {} });
      sendFrame(stream, Uint8Array.of(index));
      streams.push(stream);
    }
    await eventually('two are turned away', () => answers.length === 2);
    assert.deepEqual(answers, [2, 2]);
    assert.equal(handlers.count('request'), limits.requestsPerPeer);
    // Hanging up does not free the place: the work was asked for and goes on.
    streams[0]?.abort(new Error('hung up'));
    const late = await raw.open(raw.names.request('blocks'));
    readFrames(late, 100, { onFrame: (frame) => answers.push(frame[0] as number), onEnd: () => {} });
    sendFrame(late, Uint8Array.of(9));
    await eventually('still busy', () => answers.length === 3);
    assert.equal(answers[2], 2);
    for (const respond of waiting) respond(Uint8Array.of(7));
    await eventually('the rest is answered', () => answers.filter((status) => status === 0).length === 3);
    const free = await raw.open(raw.names.request('blocks'));
    sendFrame(free, Uint8Array.of(10));
    await eventually('places are free again', () => handlers.count('request') === limits.requestsPerPeer + 1);
  },
);

inWorld('a node that restarts on its address is found again', async (scene) => {
  const a = await scene.node(0);
  const address = addressOf(a.network);
  const b = await scene.node(1, { peers: [address] });
  await eventually('connected', () => b.network.peers().length === 1);
  await a.network.stop();
  await eventually('lost', () => b.network.peers().length === 0);
  const again = await scene.node(0, { listen: `/ip4/127.0.0.1/tcp/${portOf(address)}` });
  await eventually('connected again', () => b.network.peers().length === 1);
  assert.deepEqual(b.handlers.presence(a.network.self), ['connected', 'lost', 'connected']);
  b.network.send(again.network.self, Uint8Array.of(5));
  await eventually('messages flow', () => again.handlers.count('message') === 1);
  await eventually('gossip flows', () => {
    b.network.publish('blocks', new Uint8Array(20).fill(again.handlers.events.length + 1));
    return again.handlers.count('gossip') > 0;
  });
});

async function through(line: Line, index: number): Promise<string> {
  return `/ip4/127.0.0.1/tcp/${line.port}/p2p/${await peerIdOf(index)}`;
}

inWorld('two that dial each other at the same moment are one peer to each other', async (scene) => {
  const toA = await scene.line();
  const toB = await scene.line();
  const a = await scene.node(0, { peers: [await through(toB, 1)] });
  const b = await scene.node(1, { peers: [await through(toA, 0)] });
  await eventually('both have dialled', () => toA.opened > 0 && toB.opened > 0);
  toA.leadTo(portOf(addressOf(a.network)));
  toB.leadTo(portOf(addressOf(b.network)));
  const messages = 200;
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    await eventually('connected', () => from.network.peers().length === 1);
    for (let index = 0; index < messages; index++) from.network.send(to.network.self, Uint8Array.of(index));
  }
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    await eventually('all messages arrived', () => to.handlers.count('message') === messages);
    const numbers = to.handlers.messages(from.network.self).map(([number]) => number);
    assert.deepEqual(
      numbers,
      Array.from({ length: messages }, (_, index) => index),
    );
    assert.deepEqual(to.handlers.presence(from.network.self), ['connected']);
  }
});

inWorld('a line that goes dead without a sign is noticed and replaced', async (scene) => {
  const line = await scene.line();
  const tuning = { silentHeartbeats: 8 };
  const a = await scene.node(0, { tuning });
  line.leadTo(portOf(addressOf(a.network)));
  const peers = [`/ip4/127.0.0.1/tcp/${line.port}/p2p/${a.network.self}`];
  const b = await scene.node(1, { peers, tuning });
  await eventually('connected', () => a.network.peers().length + b.network.peers().length === 2);
  line.goDead();
  await eventually('both lost it', () => [a, b].every(({ handlers }) => handlers.count('lost') > 0));
  await eventually('messages flow again', () => {
    b.network.send(a.network.self, Uint8Array.of(1));
    return a.handlers.count('message') > 0;
  });
  for (const { handlers } of [a, b]) assert.ok(handlers.count('connected') > 1);
});

inWorld('a peer that restarted behind a dead line replaces its old self at once', async (scene) => {
  const line = await scene.line();
  const a = await scene.node(0);
  line.leadTo(portOf(addressOf(a.network)));
  const before = await scene.node(1, {
    peers: [`/ip4/127.0.0.1/tcp/${line.port}/p2p/${a.network.self}`],
  });
  await eventually('connected', () => a.network.peers().length === 1);
  line.goDead();
  const after = await scene.node(1, { peers: [addressOf(a.network)] });
  await eventually('the new one is connected', () => a.handlers.count('connected') === 2);
  assert.deepEqual(a.handlers.presence(before.network.self), ['connected', 'lost', 'connected']);
  a.network.send(after.network.self, Uint8Array.of(1));
  await eventually('messages reach the new one', () => after.handlers.count('message') === 1);
});

inWorld('a banned peer is refused until its time is over', async (scene) => {
  const a = await scene.node(0, { tuning: { banMs: 600, penaltyLimit: 3 } });
  const b = await scene.node(1, { peers: [addressOf(a.network)] });
  await eventually('connected', () => a.network.peers().length === 1);
  const start = performance.now();
  for (let count = 0; count < 4; count++) a.network.penalise(b.network.self, 'liar');
  assert.deepEqual(a.network.peers(), []);
  await eventually('it comes back', () => a.network.peers().length === 1);
  assert.ok(performance.now() - start >= 600, 'and not before the ban ended');
});

inWorld('gossip without a verdict is given up and not relayed', async (scene) => {
  const silent = new Recorder({ judgeGossip: () => undefined });
  const a = await scene.node(0);
  const b = await scene.node(1, {
    peers: [addressOf(a.network)],
    handlers: silent,
    tuning: { gossipDecisionMs: 50 },
  });
  const c = await scene.node(2, { peers: [addressOf(b.network)] });
  await eventually('a line of three', () => b.network.peers().length === 2);
  let number = 0;
  await eventually('b hears a', () => {
    a.network.publish('blocks', Uint8Array.of(1, number++));
    return silent.count('gossip') > 3;
  });
  b.network.publish('blocks', Uint8Array.of(2));
  await eventually('c hears b', () => c.handlers.count('gossip') > 0);
  const heard = c.handlers.gossip('blocks').map(([first]) => first);
  assert.ok(!heard.includes(1), 'what b did not decide did not reach c');
});

inWorld('an accepted gossip message reaches a node that has no link to its publisher', async (scene) => {
  const a = await scene.node(0);
  const b = await scene.node(1, { peers: [addressOf(a.network)] });
  const c = await scene.node(2, { peers: [addressOf(b.network)] });
  await eventually('a line of three', () => b.network.peers().length === 2);
  let number = 0;
  await eventually('c hears a through b', () => {
    a.network.publish('consensus', Uint8Array.of(number & 0xff, number++ >> 8));
    return c.handlers.gossip('consensus').length > 0;
  });
  assert.equal(c.network.peers().includes(a.network.self), false);
});

inWorld(
  'the insides of libp2p that the adapter needs are where the pinned version keeps them',
  async (scene) => {
    const { network } = await scene.node(0);
    const raw = await scene.raw(1);
    const connection = await raw.connect(addressOf(network));
    assert.ok(receivedBytes(connection) > 0);
    assert.ok(limitWriteBuffer(connection, 1_000_000));
    assert.ok(unsentBytes(connection) >= 0);
  },
);

void test('an address that cannot be used is a problem that names it', async () => {
  const options = {
    seed: nodeSeed(0),
    chainId: 'test',
    hello: () => new Uint8Array(1),
    listen: ['/ip4/127.0.0.1/tcp/0'],
  };
  await assert.rejects(createLibp2pNetwork({ ...options, peers: ['localhost:7000'] }), {
    code: 'network/address',
    details: { address: 'localhost:7000' },
  });
  const first = await createLibp2pNetwork({ ...options, peers: [] });
  await first.start(new Recorder());
  const taken = `/ip4/127.0.0.1/tcp/${portOf(addressOf(first))}`;
  const second = await createLibp2pNetwork({ ...options, seed: nodeSeed(1), listen: [taken], peers: [] });
  await assert.rejects(second.start(new Recorder()), {
    code: 'network/listen',
    remedy: /Another program listens there/,
  });
  await second.stop();
  await first.stop();
});
