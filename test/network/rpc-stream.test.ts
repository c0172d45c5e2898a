import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { concat, utf8 } from '../../src/base/bytes.ts';
import { limits } from '../../src/base/limits.ts';
import { Problem } from '../../src/base/problem.ts';
import { protocolNames } from '../../src/network/protocol-names.ts';
import { RpcReader } from '../../src/network/rpc-stream.ts';
import { BarePeer, bareIdentity, yamux, yamuxHeader, type BareStream } from './bare-peer.ts';
import { eventually } from '../support/eventually.ts';
import { addressOf, Libp2pWorld, nodeSeed } from './libp2p-world.ts';
import { portOf } from './line.ts';
import { Recorder } from './recorder.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 0x80)) {
    bytes.push((rest & 0x7f) | (rest >= 0x80 ? 0x80 : 0));
    if (rest < 0x80) return Uint8Array.from(bytes);
  }
}

const delivery = (body: Uint8Array): Uint8Array => concat(varint(body.length), body);
const field = (number: number, bytes: Uint8Array): Uint8Array =>
  concat(varint(number * 8 + 2), varint(bytes.length), bytes);

void test('however the bytes are cut, the same deliveries come out, each once, whole and in order', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 12 }), cuts, (bodies, sizes) => {
      const deliveries = bodies.map(delivery);
      const bytes = concat(...deliveries);
      const reader = new RpcReader(1_000);
      const out: Uint8Array[] = [];
      for (let at = 0, cut = 0; at < bytes.length; cut++) {
        const size = sizes[Math.min(cut, sizes.length - 1)] ?? 1;
        assert.equal(
          reader.read(bytes.subarray(at, at + size), (rpc) => out.push(rpc.slice())),
          undefined,
        );
        at += size;
      }
      assert.deepEqual(
        out,
        deliveries.map((each) => Uint8Array.from(each)),
      );
      assert.equal(reader.heldBytes, 0);
    }),
    { seed: 20261128 },
  );
});

void test('a delivery that is too long is refused at its length, of which not even four bytes are waited for', () => {
  const refused = (prefix: Uint8Array): string | undefined => {
    const problem = new RpcReader(1_000).read(prefix, () => assert.fail('nothing is handed over'));
    return problem instanceof Problem ? problem.code : undefined;
  };
  assert.equal(refused(varint(1_001)), 'network/oversize');
  assert.equal(refused(Uint8Array.of(0xff, 0xff, 0xff, 0xff)), 'network/oversize');
  assert.equal(refused(varint(1_000)), undefined);
});

void test('an unfinished delivery takes twice what came of it at most', () => {
  const reader = new RpcReader(700 * KiB);
  reader.read(varint(700 * KiB), () => {});
  for (let came = 1; came < 100 * KiB; came++) {
    reader.read(Uint8Array.of(0), () => {});
    assert.ok(reader.heldBytes <= Math.max(512, 2 * (came + 3)), `${reader.heldBytes} bytes for ${came}`);
  }
});

/** A node, and a caller by hand with a stream to it. */
async function inScene(
  protocol: string,
  story: (caller: BarePeer, stream: BareStream, handlers: Recorder) => Promise<void>,
): Promise<void> {
  const world = new Libp2pWorld();
  try {
    // Its clock stands, so that what is missing of a budget does not come back.
    const network = await world.create({ index: 0, overrides: { now: () => 1_000 } });
    const handlers = new Recorder();
    await network.start(handlers);
    const identity = await bareIdentity(nodeSeed(1));
    const caller = await BarePeer.connect({ port: portOf(addressOf(network)) }, identity);
    assert.equal(await caller.greet(), 'accepted');
    await eventually('it is connected', () => handlers.presence(identity.id).length === 1);
    await story(caller, caller.speak(protocol), handlers);
    caller.destroy();
  } finally {
    await world.close();
  }
}

/** One RPC that publishes messages of transactions. */
const publication = (...messages: readonly Uint8Array[]): Uint8Array => {
  const topic = utf8(protocolNames('test').topic('transactions'));
  return delivery(concat(...messages.map((message) => field(2, concat(field(2, message), field(4, topic))))));
};

/** What lives in the heap and outside of it, for JavaScript. */
function livingBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

void test('a delivery that comes a byte at a time, each byte beside much else, keeps its own bytes alive and no more', async () => {
  await inScene('/meshsub/1.2.0', async (caller, stream, handlers) => {
    const message = new Uint8Array(3_000).fill(7);
    const rpc = publication(message);
    const other = new Uint8Array(15_000);
    // A stream that is not there: nothing of it is kept.
    const beside = concat(yamuxHeader({ type: yamux.data, stream: 77, length: other.length }), other);
    const before = livingBytes();
    for (const byte of rpc.subarray(0, 2_900)) {
      const piece = concat(
        yamuxHeader({ type: yamux.data, stream: stream.id, length: 1 }),
        Uint8Array.of(byte),
        beside,
      );
      if (!caller.write(piece)) await caller.drained();
    }
    // In the order of the line: what came before was read.
    caller.frame({ type: yamux.ping, flags: yamux.syn, length: 5 });
    await eventually('all of it was read', () => caller.frames[yamux.ping] === 1);
    // What waits to be collected, or to be sent, goes within a moment.
    await eventually('what came beside it is free', () => livingBytes() - before < 4 * MiB);
    stream.send(rpc.subarray(2_900));
    await eventually('it is heard', () => handlers.count('gossip') === 1);
    assert.deepEqual(handlers.gossip('transactions'), [message]);
  });
});

for (const [what, protocol, smallest] of [
  ['deliveries of nothing', '/meshsub/1.2.0', Uint8Array.of(0)],
  ['heartbeats', protocolNames('test').direct, Uint8Array.of(0, 0, 0, 0)],
  ['messages of a byte', protocolNames('test').direct, Uint8Array.of(0, 0, 0, 1, 9)],
] as const) {
  void test(`${what} without end: past the budget the connection ends, however few bytes they are`, async () => {
    await inScene(protocol, async (caller, stream, handlers) => {
      const { burst } = limits.line.member.messages;
      const many = concat(...Array.from({ length: burst / 16 }, () => smallest));
      for (let part = 0; part < 16; part++) stream.send(many);
      caller.frame({ type: yamux.ping, flags: yamux.syn, length: 5 });
      await eventually('all of it was read', () => caller.frames[yamux.ping] === 1);
      stream.send(smallest);
      await caller.closed;
      assert.ok(handlers.count('message') <= burst);
    });
  });
}

void test('a message that is known counts each time that it comes: past the rate nothing more is looked at', async () => {
  await inScene('/meshsub/1.2.0', async (caller, stream, handlers) => {
    const perDelivery = 64;
    const known = utf8('known');
    stream.send(publication(known));
    await eventually('it is heard', () => handlers.count('gossip') === 1);
    const again = publication(...Array.from({ length: perDelivery }, () => known));
    const deliveries = Math.ceil(limits.gossipMessages.member.burst / perDelivery);
    const read = async (): Promise<void> => {
      const before = caller.frames[yamux.ping] ?? 0;
      caller.frame({ type: yamux.ping, flags: yamux.syn, length: 5 });
      await eventually('it was read', () => (caller.frames[yamux.ping] ?? 0) > before);
    };
    for (let sent = 1; sent <= deliveries; sent++) {
      stream.send(again);
      // Slowly enough for the window of the stream.
      if (sent % 32 === 0) await read();
    }
    await read();
    stream.send(publication(utf8('new')));
    for (let turn = 1; turn <= 3; turn++) await read();
    assert.deepEqual(handlers.gossip('transactions'), [known]);
  });
});

void test('a length above the limit ends the connection', async () => {
  await inScene('/meshsub/1.2.0', async (caller, stream) => {
    stream.send(varint(limits.gossipMessageBytes + 65 * KiB));
    await caller.closed;
  });
});
