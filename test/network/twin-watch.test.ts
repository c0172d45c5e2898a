import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TwinWatch } from '../../src/network/twin-watch.ts';
import { eventually } from '../support/eventually.ts';
import { addressOf, Libp2pWorld, peerIdOf } from './libp2p-world.ts';
import { Recorder } from './recorder.ts';

test('a session that comes back after another one took its place is a second process; one that is new is a restart', () => {
  const watch = new TwinWatch();
  const greeted = (...sessions: readonly string[]): boolean[] =>
    sessions.map((session) => watch.greeted('a', session));
  assert.deepEqual(greeted('1', '1', '2', '3'), [false, false, false, false]);
  assert.equal(watch.greeted('b', '1'), false, 'of another peer');
  assert.deepEqual(greeted('3', '2', '2', '3'), [false, true, false, true]);
});

test('two processes with one key that call the same node are told of in its log', async () => {
  const world = new Libp2pWorld();
  const warnings: string[] = [];
  const log = {
    debug: () => {},
    info: () => {},
    warn: (message: string, details?: object) => warnings.push(`${message} ${JSON.stringify(details)}`),
  };
  try {
    const node = await world.create({ index: 0, overrides: { log } });
    await node.start(new Recorder());
    for (let twin = 0; twin < 2; twin++) {
      const network = await world.create({ index: 1, peers: [addressOf(node)] });
      await network.start(new Recorder());
    }
    const peer = await peerIdOf(1);
    await eventually('it is told', () =>
      warnings.some((line) => line.startsWith('two processes use one key') && line.includes(peer)),
    );
  } finally {
    await world.close();
  }
});
