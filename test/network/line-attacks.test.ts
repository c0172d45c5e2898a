import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat } from '../../src/base/bytes.ts';
import { limits } from '../../src/base/limits.ts';
import { eventually } from '../support/eventually.ts';
import { BarePeer, bareIdentity, yamux, yamuxHeader, type FrameHeader } from './bare-peer.ts';
import { Libp2pWorld, addressOf, nodeSeed } from './libp2p-world.ts';
import { portOf } from './line.ts';
import { Recorder } from './recorder.ts';

/** A node whose clock stands, so that budgets hold their bursts and nothing more, and callers by hand. */
class Scene extends Libp2pWorld {
  readonly handlers = new Recorder();
  #port = 0;
  readonly #callers: BarePeer[] = [];

  static async open(): Promise<Scene> {
    const scene = new Scene();
    const tuning = { penaltyLimit: 1_000_000 };
    const network = await scene.create({ index: 0, tuning, overrides: { now: () => 1_000 } });
    await network.start(scene.handlers);
    scene.#port = portOf(addressOf(network));
    return scene;
  }

  async caller(index: number): Promise<BarePeer> {
    const caller = await BarePeer.connect({ port: this.#port }, await bareIdentity(nodeSeed(index)));
    this.#callers.push(caller);
    return caller;
  }

  override async close(): Promise<void> {
    for (const caller of this.#callers) caller.destroy();
    await super.close();
  }
}

const inScene = (title: string, story: (scene: Scene) => Promise<void>): void => {
  void test(title, async () => {
    const scene = await Scene.open();
    try {
      await story(scene);
    } finally {
      await scene.close();
    }
  });
};

/** Frames that the muxer by itself would answer or keep, each past a rule; `before` says what is sent first. */
const illegal: Record<string, { readonly frame: FrameHeader; readonly opens?: true }> = {
  'a frame of 4 GiB': { frame: { type: yamux.data, stream: 1, length: 0xffff_ffff } },
  'a frame of 4 GiB that opens its stream': {
    frame: { type: yamux.data, flags: yamux.syn, stream: 99, length: 0xffff_ffff },
  },
  'a frame just longer than the window of its stream': {
    frame: { type: yamux.data, stream: 1, length: 256 * 1024 + 1 },
    opens: true,
  },
  'a frame on a stream that is gone, longer than any window': {
    frame: { type: yamux.data, stream: 99, length: limits.streamWindowBytes + 1 },
  },
  'a kind of frame that there is not': { frame: { type: 9, stream: 1 } },
};

for (const [what, { frame, opens }] of Object.entries(illegal)) {
  inScene(`${what} ends the connection at its header`, async (scene) => {
    const caller = await scene.caller(1);
    assert.equal(await caller.greet(), 'accepted');
    if (opens === true) caller.frame({ type: yamux.windowUpdate, flags: yamux.syn, stream: 1 });
    caller.write(yamuxHeader(frame));
    await eventually('it is over', () => !caller.isOpen);
  });
}

const header = (frame: FrameHeader): Uint8Array => yamuxHeader(frame);
const ping = header({ type: yamux.ping, flags: yamux.syn });

/** What a caller sends again and again, for the number of the round. */
const floods: Record<string, (round: number) => Uint8Array> = {
  pings: () => ping,
  'streams opened and reset': (round) =>
    concat(
      header({ type: yamux.windowUpdate, flags: yamux.syn, stream: 1_001 + 2 * round }),
      header({ type: yamux.windowUpdate, flags: yamux.rst, stream: 1_001 + 2 * round }),
    ),
  'streams that stay open': (round) =>
    header({ type: yamux.windowUpdate, flags: yamux.syn, stream: 1_001 + 2 * round }),
  'windows of streams that there are not': () => header({ type: yamux.windowUpdate, stream: 77, length: 1 }),
  'empty frames': () => header({ type: yamux.data, stream: 77 }),
  'bytes for streams that there are not': () =>
    concat(header({ type: yamux.data, stream: 77, length: 4_000 }), new Uint8Array(4_000)),
};

const roundsUntilOver = async (caller: BarePeer, flood: (round: number) => Uint8Array): Promise<number> => {
  for (let round = 0; round < 1_000_000; round += 50) {
    if (!caller.isOpen) return round;
    const some = Array.from({ length: 50 }, (_, index) => flood(round + index));
    if (!caller.write(concat(...some))) await caller.drained();
    if (round % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('the connection goes on');
};

for (const [what, flood] of Object.entries(floods)) {
  inScene(
    `${what} without end: the connection ends, before the hello soon, and after it, too`,
    async (scene) => {
      const early = await scene.caller(1);
      await roundsUntilOver(early, flood);
      const late = await scene.caller(2);
      assert.equal(await late.greet(), 'accepted');
      const presence = (): string[] => scene.handlers.presence(late.identity.id);
      await eventually('it is connected', () => presence().length === 1);
      await roundsUntilOver(late, flood);
      assert.equal(scene.handlers.presence(early.identity.id).length, 0);
      await eventually('it is lost', () => presence().includes('lost'));
    },
  );
}

inScene('before the hello no more pings are answered than the budget has frames', async (scene) => {
  const caller = await scene.caller(1);
  await roundsUntilOver(caller, () => ping);
  await caller.closed;
  const answered = caller.frames[yamux.ping] ?? 0;
  assert.ok(answered <= limits.line.greeting.frames.burst, `${answered} answers`);
});

inScene('a frame that comes a byte at a time takes the budget of a frame for each piece', async (scene) => {
  const caller = await scene.caller(1);
  caller.frame({ type: yamux.windowUpdate, flags: yamux.syn, stream: 1 });
  caller.write(header({ type: yamux.data, stream: 1, length: 10_000 }));
  for (let count = 0; count < 10_000 && caller.isOpen; count++) {
    if (!caller.write(Uint8Array.of(0))) await caller.drained();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually('it is over', () => !caller.isOpen);
});
