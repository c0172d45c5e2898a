import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import type { Libp2p } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { tls } from '@libp2p/tls';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { SecureChannel } from '../../src/network/secure-channel.ts';
import { eventually } from './eventually.ts';
import { Libp2pWorld, addressOf, nodeSeed, peerIdOf } from './libp2p-world.ts';
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
