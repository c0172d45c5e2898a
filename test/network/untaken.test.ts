import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '@libp2p/interface';
import { limits } from '../../src/base/limits.ts';
import { joinFrames } from '../../src/network/frames.ts';
import { protocolNames } from '../../src/network/protocol-names.ts';
import { untaken } from '../../src/network/untaken.ts';
import { BarePeer, bareIdentity, yamux } from './bare-peer.ts';
import { eventually } from '../support/eventually.ts';
import { Libp2pWorld, addressOf, nodeSeed } from './libp2p-world.ts';
import { portOf } from './line.ts';
import { Recorder } from './recorder.ts';

const linkOf = (bytes: number, member?: string) => ({
  connection: { bytes } as unknown as Connection,
  member,
});
const bytesOf = (connection: Connection): number => (connection as unknown as { bytes: number }).bytes;

test('of strangers and of members those go who hold the most, until the rest fits', () => {
  const links = [linkOf(5), linkOf(30), linkOf(10), linkOf(60, 'a'), linkOf(50, 'b')];
  const gone = (strangers: number, members: number): number[] =>
    untaken(links, bytesOf, { strangers, members }).map(({ connection }) => bytesOf(connection));
  assert.deepEqual(gone(45, 110), []);
  assert.deepEqual(gone(44, 110), [30]);
  assert.deepEqual(gone(14, 109), [30, 10, 60]);
});

test('strangers who allow all answers to be sent and take none are cut off before these fill the memory', async () => {
  const world = new Libp2pWorld();
  const answer = new Uint8Array(3_000_000);
  const node = new Recorder({ answer: (_request, respond) => respond(answer) });
  const network = await world.create({ index: 0 });
  await network.start(Object.assign(node, { memberKeyOf: () => undefined }));
  const served = (): number => node.events.filter(({ kind }) => kind === 'request').length;
  const greedy: BarePeer[] = [];
  const isOneGone = (): boolean => network.peers().length < greedy.length;
  try {
    // Two answers are less than may wait under one connection, and nothing more is read until they leave.
    while (!isOneGone() && served() * answer.length < 2 * limits.untakenBytes.strangers) {
      const identity = await bareIdentity(nodeSeed(greedy.length + 1));
      const peer = await BarePeer.connect({ port: portOf(addressOf(network)) }, identity);
      assert.equal(await peer.greet(), 'accepted');
      await eventually('it is connected', () => network.peers().includes(identity.id));
      greedy.push(peer);
      const streams = Array.from({ length: 2 }, () => peer.speak(protocolNames('test').request('blocks')));
      for (const { id } of streams) peer.frame({ type: yamux.windowUpdate, stream: id, length: 0xffff_ffff });
      // Their protocol is agreed on before it stops to read.
      await eventually('its streams are open', () => (peer.frames[yamux.data] ?? 0) >= streams.length);
      peer.socket.pause();
      for (const stream of streams) {
        const before = served();
        stream.send(joinFrames([Uint8Array.of(1)]));
        await eventually('it is served, or one is gone', () => served() > before || isOneGone());
      }
    }
    assert.ok(isOneGone(), 'one is cut off');
  } finally {
    for (const peer of greedy) peer.destroy();
    await world.close();
  }
});
