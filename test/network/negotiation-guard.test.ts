import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import { BarePeer, bareIdentity, bareSocket } from './bare-peer.ts';
import { eventually } from '../support/eventually.ts';
import { Libp2pWorld, addressOf, nodeSeed } from './libp2p-world.ts';
import { portOf } from './line.ts';
import { Recorder } from './recorder.ts';
import { NegotiationGuard } from '../../src/network/negotiation-guard.ts';

const text = new TextEncoder();

function line(name: string): Uint8Array {
  const size = name.length + 1;
  const length = size < 128 ? [size] : [(size & 0x7f) | 0x80, size >> 7];
  return Uint8Array.from([...length, ...text.encode(`${name}\n`)]);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const greeting = line('/multistream/1.0.0');
const isKnown = (name: string): boolean => name === '/known/1';

describe('the guard of a negotiation', () => {
  test('lets a protocol that we have through, in any pieces, and all that comes behind it', () => {
    const said = joined(greeting, line('/known/1'), new Uint8Array(100_000));
    for (const size of [1, 7, said.length]) {
      const guard = new NegotiationGuard(isKnown);
      for (let at = 0; at < said.length; at += size) {
        assert.equal(guard.read(said.subarray(at, at + size)), undefined);
      }
    }
  });

  test('declines some that we do not have, as another version asks for them, and then takes ours', () => {
    const guard = new NegotiationGuard(isKnown);
    const others = ['/a', '/b', '/c', '/d'].map(line);
    assert.equal(guard.read(joined(greeting, ...others, line('/known/1'), ...others, ...others)), undefined);
  });

  test('ends it at the fifth, however they come', () => {
    for (const others of [
      ['/a', '/a', '/a', '/a', '/a'],
      ['ls', 'ls', 'ls', 'ls', 'ls'],
      ['', '', '', '', ''],
    ]) {
      const guard = new NegotiationGuard(isKnown);
      assert.ok(guard.read(joined(greeting, ...others.map(line))) instanceof Problem);
    }
  });

  test('a greeting that is repeated is a name like any other', () => {
    const guard = new NegotiationGuard(isKnown);
    assert.ok(guard.read(joined(...Array.from({ length: 6 }, () => greeting))) instanceof Problem);
  });

  test('keeps no line that is longer than any name', () => {
    const guard = new NegotiationGuard(isKnown);
    // 1,152 bytes are announced in two bytes.
    assert.ok(guard.read(Uint8Array.of(0x80, 0x09)) instanceof Problem);
    const other = new NegotiationGuard(isKnown);
    assert.ok(other.read(new Uint8Array(1_100).fill(0xff)) instanceof Problem);
  });
});

/** A node on a port of its own, until the story ends. */
const beforeANode = async (story: (port: number) => Promise<void>): Promise<void> => {
  const world = new Libp2pWorld();
  try {
    // It is the rule that ends them, and no deadline.
    const network = await world.create({ index: 0, tuning: { handshakeMs: 600_000 } });
    await network.start(new Recorder());
    await story(portOf(addressOf(network)));
  } finally {
    await world.close();
  }
};
const names = Array.from({ length: 5 }, (_, index) => line(`/no/such/${index}`));

describe('who asks for one protocol after the other that nobody has is cut off', () => {
  test('before the secure channel', () =>
    beforeANode(async (port) => {
      const socket = await bareSocket({ port });
      socket.resume();
      socket.write(joined(greeting, ...names));
      await eventually('it is over', () => socket.destroyed);
    }));

  for (const when of ['before', 'after'] as const) {
    test(`on a stream ${when} the hello`, () =>
      beforeANode(async (port) => {
        const caller = await BarePeer.connect({ port }, await bareIdentity(nodeSeed(1)));
        if (when === 'after') assert.equal(await caller.greet(), 'accepted');
        caller.openStream().send(joined(greeting, ...names));
        await eventually('it is over', () => !caller.isOpen);
      }));
  }

  test('who names no muxer in the handshake of the secure channel, too', () =>
    beforeANode(async (port) => {
      const caller = await BarePeer.connect({ port }, await bareIdentity(nodeSeed(1)), ['libp2p']);
      await eventually('it is over', () => !caller.isOpen);
    }));
});
