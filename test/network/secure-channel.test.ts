import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import type { Libp2p } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { tls } from '@libp2p/tls';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { limits } from '../../src/base/limits.ts';
import type { Problem } from '../../src/base/problem.ts';
import { boundHidden } from '../../src/network/secure-bytes.ts';
import { SecureChannel } from '../../src/network/secure-channel.ts';
import { type BareIdentity, bareIdentity, BarePeer } from './bare-peer.ts';
import { eventually } from '../support/eventually.ts';
import { Libp2pWorld, addressOf, nodeSeed, peerIdOf } from './libp2p-world.ts';
import { portOf } from './line.ts';
import { Recorder } from './recorder.ts';

/** libp2p as it comes, with its own TLS. */
async function plainHost(index: number): Promise<Libp2p> {
  return await createLibp2p({
    privateKey: await generateKeyPairFromSeed('Ed25519', nodeSeed(index)),
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [tls()],
    streamMuxers: [yamux()],
  });
}

void test('it speaks TLS as libp2p does, called and calling, and each knows the other', async () => {
  const world = new Libp2pWorld();
  const plain = await plainHost(1);
  try {
    const called = await world.create({ index: 0 });
    await called.start(new Recorder());
    const connection = await plain.dial(multiaddr(addressOf(called)));
    assert.equal(connection.remotePeer.toString(), await peerIdOf(0));
    assert.deepEqual([connection.encryption, connection.multiplexer], ['/tls/1.0.0', '/yamux/1.0.0']);

    const callers: string[] = [];
    plain.addEventListener('connection:open', ({ detail }) => callers.push(detail.remotePeer.toString()));
    const calling = await world.create({ index: 2, peers: [String(plain.getMultiaddrs()[0])] });
    await calling.start(new Recorder());
    await eventually('it was called', () => callers.length > 0);
    assert.equal(callers[0], await peerIdOf(2));
  } finally {
    await world.close();
    await plain.stop();
  }
});

void test('another peer than the one expected is not taken for it', async () => {
  const world = new Libp2pWorld();
  try {
    const called = await world.create({ index: 0 });
    await called.start(new Recorder());
    const address = addressOf(called).replace(called.self, await peerIdOf(5));
    const handlers = new Recorder();
    const problems: string[] = [];
    const log = { debug: (text: string, details?: object) => problems.push(JSON.stringify([text, details])) };
    const calling = await world.create({
      index: 1,
      peers: [address],
      overrides: { log: { ...log, info: () => {}, warn: () => {} } },
    });
    await calling.start(handlers);
    await eventually('it says so', () => problems.some((text) => text.includes('was expected')));
    assert.equal(handlers.count('connected'), 0);
  } finally {
    await world.close();
  }
});

void test('all connections of a day have one certificate, and a clock that was set back has another', async () => {
  const privateKey = await generateKeyPairFromSeed('Ed25519', nodeSeed(0));
  let now = Date.UTC(2026, 10, 28);
  const channel = new SecureChannel(
    { privateKey, upgrader: { getStreamMuxers: () => new Map() } },
    { now: () => now },
  );
  const first = await channel.context();
  now += 23 * 60 * 60 * 1_000;
  assert.equal(await channel.context(), first);
  now += 60 * 60 * 1_000;
  const second = await channel.context();
  assert.notEqual(second, first);
  now -= 1;
  assert.notEqual(await channel.context(), second);
});

/** The port of a node that waits for callers, and who may be one. */
async function calledBy(t: TestContext, index: number) {
  const world = new Libp2pWorld();
  t.after(() => world.close());
  const called = await world.create({ index: 0 });
  await called.start(new Recorder());
  return { port: portOf(addressOf(called)), identity: await bareIdentity(nodeSeed(index)) };
}

void test('a chain of certificates ends the handshake before any of them is looked at', async (t) => {
  const { port, identity } = await calledBy(t, 1);
  const withMore = (count: number): BareIdentity => ({
    ...identity,
    cert: `${identity.cert}\n`.repeat(1 + count),
  });
  const honest = await BarePeer.connect({ port }, withMore(0));
  assert.equal(await honest.greet(), 'accepted');
  honest.destroy();
  const chained = await BarePeer.connect({ port }, withMore(8)).catch(() => undefined);
  assert.equal(await chained?.greet().catch(() => undefined), undefined);
  await chained?.closed;
});

void test('a caller chooses among arithmetic that is cheap for the node', async (t) => {
  const { port, identity } = await calledBy(t, 1);
  const agrees = async (more: ConnectionOptions): Promise<string | undefined> => {
    const peer = await BarePeer.connect({ port }, identity, undefined, more).catch(() => undefined);
    const answer = await peer?.greet();
    peer?.destroy();
    return answer;
  };
  for (const ecdhCurve of ['X25519MLKEM768', 'X25519', 'P-256']) {
    assert.equal(await agrees({ ecdhCurve }), 'accepted', ecdhCurve);
  }
  for (const ecdhCurve of ['P-384', 'P-521', 'X448', 'ffdhe2048', 'ffdhe3072']) {
    assert.equal(await agrees({ ecdhCurve }), undefined, ecdhCurve);
  }
  const honest = await BarePeer.connect({ port }, identity);
  // What it signs may be signed with, as it asked for.
  assert.deepEqual(honest.socket.getSharedSigalgs(), ['ECDSA+SHA256']);
  honest.destroy();
});

class FakeSocket extends PassThrough {
  readonly faults: Problem[] = [];
  readonly under = new PassThrough();

  /** `yieldOf` tells what the socket makes of a piece: the sizes of its records' data. */
  constructor(yieldOf: (piece: Uint8Array) => readonly number[]) {
    super();
    this.under.on('data', (piece: Uint8Array) => {
      for (const size of yieldOf(piece)) this.push(Buffer.alloc(size));
    });
    boundHidden(this, this.under, (problem) => this.faults.push(problem));
    this.resume();
  }

  async come(size: number, times: number): Promise<void> {
    for (let index = 0; index < times; index++) {
      this.under.write(Buffer.alloc(size));
      await setImmediate();
    }
  }
}

void test('records that carry nothing end a secured line, and those that carry data never do', async () => {
  const { hiddenBytes } = limits.secureChannel;
  const keys = new FakeSocket(() => []);
  await keys.come(27, Math.floor(hiddenBytes / 27));
  assert.equal(keys.faults.length, 0);
  await keys.come(27, 1);
  assert.equal(keys.faults[0]?.code, 'network/too-much');

  const small = new FakeSocket(() => [1]);
  await small.come(23, hiddenBytes / 16);
  // Three pieces for each of the largest records, the last with some of the next.
  let came = 0;
  const large = new FakeSocket(({ length }) => {
    const before = Math.floor(came / 16_406);
    came += length;
    return Array.from({ length: Math.floor(came / 16_406) - before }, () => 16_384);
  });
  await large.come(6_000, 200);
  // A few new keys beside data are what TLS is allowed.
  const mixed = new FakeSocket(() => [0, 1]);
  await mixed.come(50, 2_000);
  assert.deepEqual([...small.faults, ...large.faults, ...mixed.faults], []);
});
