import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { utf8 } from '../../../src/base/bytes.ts';
import { limits } from '../../../src/base/limits.ts';
import { Chance } from '../../../src/simulator/world/chance.ts';
import { GossipMesh } from '../../../src/simulator/world/gossip-mesh.ts';
import { ProcessLife } from '../../../src/simulator/world/process-life.ts';
import { Scheduler } from '../../../src/simulator/world/scheduler.ts';
import { newStation, peerIndex, peerName, type Station } from '../../../src/simulator/world/station.ts';
import type { ContractMember } from '../../contracts/network.ts';
import { Recorder } from '../../network/recorder.ts';
import { SimulatedWorld } from '../../network/virtual-worlds.ts';

/** Nodes without a network: who is connected to whom is told to their mesh. */
class Meshed {
  readonly scheduler = new Scheduler();
  readonly stations: Station[] = [];
  readonly mesh: GossipMesh;

  constructor(size: number, isStranger: (index: number) => boolean = () => false) {
    const { scheduler, stations } = this;
    this.mesh = new GossipMesh({ scheduler, stations, chance: new Chance(1, 'test') });
    const life = new ProcessLife((error) => {
      throw error;
    });
    const hello = (): Uint8Array => utf8('hello');
    for (let index = 0; index < size; index++) {
      const handlers = new Recorder({ isStranger: (name) => isStranger(peerIndex(name)) });
      for (let other = 0; other < size; other++) handlers.onHello(peerName(other), utf8(peerName(other)));
      stations.push(newStation(index, { life, hello }, handlers));
    }
  }

  /** Until gossip is open between the two. */
  connect(a: number, b: number): void {
    this.#station(a).connected.add(b);
    this.#station(b).connected.add(a);
    this.mesh.connected(a, b);
    while (!this.#station(a).hearers.has(b) || !this.#station(b).hearers.has(a)) this.pass(1);
  }

  /** The one has not chosen the other, nor the other way round. */
  ignores(index: number, other: number): void {
    for (const mesh of this.#station(index).mesh.values()) mesh.delete(other);
  }

  ask(index: number, by: number): void {
    this.mesh.asked(this.#station(index), by);
  }

  pass(ms: number): void {
    const until = this.scheduler.now + ms;
    while (this.scheduler.step(until));
  }

  lose(a: number, b: number): void {
    this.#station(a).connected.delete(b);
    this.#station(b).connected.delete(a);
    this.mesh.lost(a, b);
  }

  relayed(index: number, source: number, topic: 'transactions' | 'consensus' = 'transactions'): number[] {
    return this.mesh.relayed(this.#station(index), topic, source);
  }

  #station(index: number): Station {
    return this.stations[index] as Station;
  }
}

describe('gossip of others in the virtual network', () => {
  test('goes to two members and to those that asked, and a consensus message to all', () => {
    const meshed = new Meshed(8);
    // Each of these has two others before it meets the one in the middle.
    for (const [a, b] of [
      [1, 2],
      [2, 3],
      [3, 1],
      [4, 5],
      [5, 6],
      [6, 4],
    ] as const)
      meshed.connect(a, b);
    for (let other = 1; other <= 6; other++) meshed.connect(0, other);
    assert.deepEqual(meshed.relayed(0, 6), [1, 2]);
    assert.deepEqual(meshed.relayed(0, 6, 'consensus'), [1, 2, 3, 4, 5]);
    // It has nobody else, and asks.
    meshed.connect(0, 7);
    assert.deepEqual(meshed.relayed(0, 6), [1, 2, 7]);
    assert.deepEqual(meshed.relayed(0, 1), [2, 7]);
  });

  test('goes to all members where there are few', () => {
    const meshed = new Meshed(6);
    for (const [a, b] of [
      [1, 2],
      [2, 3],
      [3, 1],
      [4, 5],
    ] as const)
      meshed.connect(a, b);
    for (let other = 1; other <= limits.gossipFewMembers; other++) meshed.connect(0, other);
    assert.deepEqual(meshed.relayed(0, 5), [1, 2, 3, 4]);
  });

  test('goes to those that asked for all of it, for a while', () => {
    const meshed = new Meshed(9, (index) => index === 8);
    for (let other = 1; other <= 8; other++) meshed.connect(0, other);
    for (let other = 1; other <= 7; other++) meshed.ignores(0, other);
    for (const by of [3, 5, 8]) meshed.ask(0, by);
    assert.deepEqual(meshed.relayed(0, 5), [3]);
    meshed.pass(limits.gossipAskedMs);
    assert.deepEqual(meshed.relayed(0, 5), []);
    meshed.ask(0, 4);
    assert.deepEqual(meshed.relayed(0, 5), [4]);
    meshed.lose(0, 4);
    meshed.connect(0, 4);
    for (let other = 1; other <= 7; other++) meshed.ignores(0, other);
    assert.deepEqual(meshed.relayed(0, 5), []);
  });

  test('goes to strangers only where there is no member, and to three of them at most', () => {
    const meshed = new Meshed(6, (index) => index > 0 && index < 5);
    for (let stranger = 1; stranger <= 4; stranger++) meshed.connect(0, stranger);
    assert.deepEqual(meshed.relayed(0, 5), [1, 2, 3]);
    meshed.connect(0, 5);
    assert.deepEqual(meshed.relayed(0, 1), [5]);
  });

  test('goes to others within a second, instead of those that were lost', () => {
    const meshed = new Meshed(9);
    for (const [a, b] of [
      [3, 4],
      [4, 5],
      [5, 3],
      [6, 7],
      [7, 8],
      [8, 6],
    ] as const)
      meshed.connect(a, b);
    for (let other = 1; other <= 8; other++) meshed.connect(0, other);
    assert.deepEqual(meshed.relayed(0, 8), [1, 2]);
    meshed.lose(0, 1);
    meshed.lose(0, 2);
    assert.deepEqual(meshed.relayed(0, 8), []);
    meshed.pass(1_000);
    assert.equal(meshed.relayed(0, -1).length, limits.gossipMesh);
  });

  test('stays in its own group, but for consensus messages, where the ends of the only link chose others before', async () => {
    const world = new SimulatedWorld();
    const size = 5;
    const members = await world.start({
      count: 2 * size,
      linked: (a, b) => Math.floor(a / size) === Math.floor(b / size),
    });
    const all = (peers: (index: number) => number): boolean =>
      members.every(({ handlers }, index) => handlers.count('gossip-open') === peers(index));
    await world.until('gossip is open in both groups', () => all(() => size - 1));
    world.link(0, size);
    await world.until('and between the two', () => all((index) => size - 1 + Number(index % size === 0)));
    const [from, to] = [members[1], members.at(-1)] as [ContractMember, ContractMember];
    from.network.publish('transactions', Uint8Array.of(1));
    from.network.publish('consensus', Uint8Array.of(2));
    await world.until('the other group hears of it', () => to.handlers.gossip('consensus').length === 1);
    const heard = (): number[] => members.map(({ handlers }) => handlers.gossip('transactions').length);
    assert.deepEqual(heard(), [1, 0, 1, 1, 1, 0, 0, 0, 0, 0]);
    // Now one of the ends asks the other.
    members[size]?.network.askForGossip((members[0] as ContractMember).network.self);
    world.pass(10);
    from.network.publish('transactions', Uint8Array.of(3));
    await world.until('it crosses', () => heard().join() === '2,0,2,2,2,1,1,1,1,1');
  });

  test('is published again when it is forgotten, and not before', async () => {
    const world = new SimulatedWorld();
    const [a, b] = (await world.start({ count: 2 })) as [ContractMember, ContractMember];
    await world.until('gossip is open', () => a.handlers.count('gossip-open') === 1);
    const heard = (): number => b.handlers.gossip('blocks').length;
    for (let round = 0; round < 3; round++) a.network.publish('blocks', Uint8Array.of(1));
    await world.until('it is heard', () => heard() > 0);
    world.pass(limits.gossipSeenMs / 2);
    a.network.publish('blocks', Uint8Array.of(1));
    world.pass(limits.gossipSeenMs / 2);
    assert.equal(heard(), 1);
    a.network.publish('blocks', Uint8Array.of(1));
    await world.until('it is heard again', () => heard() === 2);
  });
});
