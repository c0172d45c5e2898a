import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { Problem } from '../../src/base/problem.ts';
import type { Network } from '../../src/network/port.ts';
import { BarePeer, bareIdentity, bareSocket } from './bare-peer.ts';
import { eventually } from '../support/eventually.ts';
import { Libp2pWorld, addressOf, nodeSeed, peerIdOf } from './libp2p-world.ts';
import { portOf } from './line.ts';
import { Recorder } from './recorder.ts';

const attacker = '127.66.0.1';
const elsewhere = '127.77.0.1';

/** Who is a member is told. */
class Members extends Recorder {
  #members: Set<string>;
  constructor(members: readonly string[]) {
    super();
    this.#members = new Set(members);
  }
  add(peer: string): void {
    this.#members.add(peer);
  }
  remove(peer: string): void {
    this.#members.delete(peer);
  }
  override memberKeyOf(peer: string): string | undefined {
    return this.#members.has(peer) ? `key of ${peer}` : undefined;
  }
}

class Scene extends Libp2pWorld {
  readonly handlers: Members;
  network: Network | undefined;
  readonly #sockets: Socket[] = [];
  readonly #callers: BarePeer[] = [];

  private constructor(members: readonly string[]) {
    super();
    this.handlers = new Members(members);
  }

  static async open(options: { members?: readonly number[]; penaltyLimit?: number } = {}): Promise<Scene> {
    const scene = new Scene(await Promise.all((options.members ?? []).map((index) => peerIdOf(index))));
    const tuning = { penaltyLimit: options.penaltyLimit ?? 1_000_000 };
    scene.network = await scene.create({ index: 0, tuning, overrides: { now: () => 1_000 } });
    await scene.network.start(scene.handlers);
    return scene;
  }

  get port(): number {
    return portOf(addressOf(this.network as Network));
  }

  async silent(from: string): Promise<Socket> {
    const socket = await bareSocket({ port: this.port, from });
    this.#sockets.push(socket);
    return socket;
  }

  /** Connects and says hello; the verdict, or undefined when it was turned away. */
  async greet(index: number, from: string): Promise<{ caller: BarePeer; verdict: string } | undefined> {
    try {
      const caller = await BarePeer.connect({ port: this.port, from }, await bareIdentity(nodeSeed(index)));
      this.#callers.push(caller);
      const verdict = await caller.greet();
      return verdict === undefined ? undefined : { caller, verdict };
    } catch {
      return undefined;
    }
  }

  override async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const caller of this.#callers) caller.destroy();
    await super.close();
  }
}

const inScene = (
  title: string,
  options: Parameters<typeof Scene.open>[0],
  story: (scene: Scene, network: Network) => Promise<void>,
): void => {
  void test(title, async () => {
    const scene = await Scene.open(options);
    try {
      await story(scene, scene.network as Network);
    } finally {
      await scene.close();
    }
  });
};

inScene(
  'silent callers, as many as there are places and more, keep nobody out',
  {},
  async (scene, network) => {
    for (let count = 0; count < limits.callers.places + 40; count++) await scene.silent(attacker);
    assert.equal((await scene.greet(1, attacker))?.verdict, 'accepted');
    assert.equal((await scene.greet(2, elsewhere))?.verdict, 'accepted');
    await eventually('both are connected', () => network.peers().length === 2);
  },
);

inScene(
  'who calls and hangs up without end is not even heard after a while, and others are',
  {},
  async (scene, network) => {
    const { burst } = limits.callers.calls.block;
    for (let count = 0; count < burst; count++) (await scene.silent(attacker)).resetAndDestroy();
    const last = [await scene.silent(attacker), await scene.silent(attacker)];
    for (const socket of last) socket.resume();
    await eventually('the last are turned away', () => last.every(({ destroyed }) => destroyed));
    assert.equal(await scene.greet(1, attacker), undefined);
    assert.equal((await scene.greet(2, elsewhere))?.verdict, 'accepted');
    await eventually('it is connected', () => network.peers().length === 1);
  },
);

inScene('callers who hang up in the handshake keep no places', {}, async (scene) => {
  for (let count = 0; count < limits.callers.places + 40; count++) {
    const socket = await scene.silent(attacker);
    socket.write(Buffer.from('\x13/multistream/1.0.0\n\x0b/tls/1.0.0\n'));
    socket.end();
  }
  assert.equal((await scene.greet(1, elsewhere))?.verdict, 'accepted');
});

inScene(
  'one address block has a burst of handshakes and no more, and takes none of a member’s',
  { members: [1, 2] },
  async (scene) => {
    assert.equal((await scene.greet(1, elsewhere))?.verdict, 'accepted');
    let accepted = 0;
    for (let index = 0; index < limits.callers.block.burst + 10; index++) {
      if ((await scene.greet(10 + index, attacker)) !== undefined) accepted++;
    }
    assert.equal(accepted, limits.callers.block.burst);
    assert.equal(await scene.greet(2, attacker), undefined, 'a member, from an address that is not known');
    assert.equal((await scene.greet(2, elsewhere))?.verdict, 'accepted');
  },
);

inScene(
  'what strangers do wrong falls back on where they come from: their keys are free',
  { members: [1], penaltyLimit: 4 },
  async (scene, network) => {
    assert.equal((await scene.greet(1, attacker))?.verdict, 'accepted');
    for (const index of [2, 3, 4]) assert.equal((await scene.greet(index, attacker))?.verdict, 'accepted');
    assert.equal((await scene.greet(5, elsewhere))?.verdict, 'accepted');
    await eventually('all are connected', () => network.peers().length === 5);
    const ids = await Promise.all([1, 2, 3, 4, 5].map((index) => peerIdOf(index)));
    for (const id of [ids[1], ids[1], ids[2], ids[2]]) network.penalise(id as string, 'a lie');
    // Two each: nobody reached the limit, and their block did.
    assert.deepEqual(new Set(network.peers()), new Set([ids[0], ids[4]]));
    assert.equal((await scene.greet(6, attacker))?.verdict, 'network/banned');
    assert.equal((await scene.greet(1, attacker))?.verdict, 'accepted', 'a member from there is welcome');
  },
);

inScene('a peer that is banned at once is cut, and stays out', { members: [1] }, async (scene, network) => {
  const greeted = await scene.greet(1, attacker);
  const id = await peerIdOf(1);
  await eventually('it is connected', () => network.peers().length === 1);
  network.penalise(id, 'muted', 30_000);
  assert.deepEqual(network.peers(), []);
  await greeted?.caller.closed;
  assert.equal(await scene.greet(1, attacker), undefined);
});

inScene(
  'a member that was removed is judged anew: it stays as a stranger, or goes',
  { members: [1] },
  async (scene, network) => {
    let isOpen = true;
    scene.handlers.behaviour.judgeHello = () =>
      isOpen ? undefined : new Problem('network/not-a-member', 'no', { remedy: 'Be listed.' });
    const id = await peerIdOf(1);
    await scene.greet(1, attacker);
    await scene.greet(2, elsewhere);
    await eventually('both are connected', () => network.peers().length === 2);
    const judged = scene.handlers.count('hello');
    scene.handlers.remove(id);
    await eventually('it is judged anew', () => scene.handlers.count('hello') > judged);
    assert.equal(network.peers().length, 2);

    scene.handlers.add(await peerIdOf(3));
    await scene.greet(3, elsewhere);
    await eventually('all are connected', () => network.peers().length === 3);
    isOpen = false;
    scene.handlers.remove(await peerIdOf(3));
    await eventually('it goes', () => network.peers().length === 2);
  },
);
