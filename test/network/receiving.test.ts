import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { Receiving } from '../../src/network/receiving.ts';
import { concat } from '../../src/base/bytes.ts';
import { BarePeer, bareIdentity, yamux } from './bare-peer.ts';
import { eventually } from '../support/eventually.ts';
import { addressOf, Libp2pWorld, nodeSeed } from './libp2p-world.ts';
import { portOf } from './line.ts';
import { protocolNames } from '../../src/network/protocol-names.ts';
import { Recorder } from './recorder.ts';

const { members, strangers } = limits.receivingBytes;

function scene() {
  const gone: string[] = [];
  const receiving = new Receiving((holder) => gone.push(holder));
  const link = (id: string, member?: string) =>
    receiving.meter({ member, invited: false, connection: { id } } as Parameters<Receiving['meter']>[0]);
  return { gone, link };
}

test('who holds the most of what is not whole is cut off when the room is full, and what it holds is free', () => {
  const { gone, link } = scene();
  const honest = link('honest', 'honest');
  honest.holds(members / 100);
  const streams = Array.from({ length: 8 }, (_, index) => link(`liar ${index}`, 'liar'));
  for (const stream of streams) stream.holds(members / 8);
  assert.deepEqual(gone, ['liar'], 'all connections of a key are one');
  for (const stream of streams) stream.holds(members);
  assert.deepEqual(gone, ['liar'], 'what it still sends counts no more');
  link('another', 'another').holds(members - members / 100);
  assert.deepEqual(gone, ['liar']);
  honest.holds(0);
});

test('strangers have room of their own', () => {
  const { gone, link } = scene();
  link('member', 'member').holds(members - 1);
  for (let index = 0; index < 3; index++) link(`stranger ${index}`).holds(strangers / 3 + index);
  assert.deepEqual(gone, ['stranger 2']);
});

test('strangers who leave many messages unfinished are cut off, and what is kept of them is bounded', async () => {
  const world = new Libp2pWorld();
  const callers: BarePeer[] = [];
  try {
    const network = await world.create({ index: 0, overrides: { now: () => 1_000 } });
    class Host extends Recorder {
      override memberKeyOf(): undefined {}
    }
    const handlers = new Host();
    await network.start(handlers);
    const port = portOf(addressOf(network));
    // Each sends seven eighths of a message on two streams, within its own budget and that of all.
    const unfinished = limits.consensusMessageBytes;
    const each = (unfinished * 7) / 8;
    const needed = Math.ceil(strangers / (2 * each)) + 1;
    for (let index = 1; index <= needed; index++) {
      const caller = await BarePeer.connect(
        { port, from: `127.0.${index}.1` },
        await bareIdentity(nodeSeed(index)),
      );
      callers.push(caller);
      assert.equal(await caller.greet(), 'accepted');
      await eventually('it is connected', () => handlers.presence(caller.identity.id).length === 1);
      for (let count = 0; count < 2; count++) {
        const stream = caller.speak(protocolNames('test').direct);
        const header = Buffer.alloc(4);
        header.writeUInt32BE(unfinished);
        // Within the window of the stream, which grows as it is read.
        let sent = 0;
        while (sent < each && caller.isOpen) {
          const piece = new Uint8Array(64 * 1024);
          stream.send(sent === 0 ? concat(header, piece) : piece);
          sent += piece.length;
          await caller.drained();
          caller.frame({ type: yamux.ping, flags: yamux.syn, length: sent });
          const pings = (caller.frames[yamux.ping] ?? 0) + 1;
          await Promise.race([
            caller.closed,
            eventually('it was read', () => (caller.frames[yamux.ping] ?? 0) >= pings || !caller.isOpen),
          ]);
        }
      }
    }
    await eventually('somebody is cut off', () => callers.some(({ isOpen }) => !isOpen));
    assert.ok(
      callers.some(({ isOpen }) => isOpen),
      'and not all of them',
    );
  } finally {
    for (const caller of callers) caller.destroy();
    await world.close();
  }
});
