import { limits } from '../../base/limits.ts';
import type { Topic } from '../../network/port.ts';
import type { Chance } from './chance.ts';
import type { Scheduler } from './scheduler.ts';
import { peerName, type Station } from './station.ts';

/** How often a node fills its meshes up, as in gossipsub. */
const heartbeatMs = 1_000;

/** How long after a connection gossip goes over it: streams are opened, and topics told. */
const openingMs = [1, 300] as const;

/** What goes to every member in any case has no mesh. */
const meshed = ['transactions', 'blocks', 'evidence'] as const satisfies readonly Topic[];

/**
 * To whom each node passes on gossip of others. The rules of the real network (`network/gossip-relay.ts`), in
 * other words: a mesh of two members that it chose and all that chose it; all members where there are few;
 * every member for consensus messages; for a while each member that asked for all; strangers only where there
 * is no member.
 */
export class GossipMesh {
  readonly #scheduler: Scheduler;
  readonly #chance: Chance;
  readonly #stations: readonly (Station | undefined)[];

  constructor(options: {
    readonly scheduler: Scheduler;
    readonly chance: Chance;
    /** By index; those that are not there have no process now. */
    readonly stations: readonly (Station | undefined)[];
  }) {
    this.#scheduler = options.scheduler;
    this.#chance = options.chance;
    this.#stations = options.stations;
  }

  /** The two will hear of each other's topics, each in its time. */
  connected(a: number, b: number): void {
    this.#open(a, b);
    this.#open(b, a);
  }

  lost(a: number, b: number): void {
    this.#forget(a, b);
    this.#forget(b, a);
  }

  /** Who gets what came from `source`, or from nobody here; in ascending order. */
  relayed(station: Station, topic: Topic, source: number): number[] {
    const chosen = new Set(station.mesh.get(topic));
    const members = membersOf(station);
    const forAll = topic === 'consensus' || members.length <= limits.gossipFewMembers;
    for (const member of members) {
      const askedAt = station.askedBy.get(member) ?? -Infinity;
      if (forAll || this.#scheduler.now - askedAt < limits.gossipAskedMs) chosen.add(member);
    }
    chosen.delete(source);
    return [...chosen].sort((x, y) => x - y);
  }

  /** One node asks another for all gossip. */
  asked(station: Station, by: number): void {
    if (isMember(station, by)) station.askedBy.set(by, this.#scheduler.now);
  }

  #open(self: number, other: number): void {
    const station = this.#stations[self];
    this.#scheduler.after(this.#chance.between(...openingMs), () => {
      if (station === undefined || this.#stations[self] !== station || !station.connected.has(other)) return;
      station.hearers.add(other);
      for (const topic of meshed) this.#meet(self, other, topic);
      station.options.life.enter(() => station.handlers.onGossipOpen?.(peerName(other)));
    });
  }

  #meet(self: number, other: number, topic: Topic): void {
    const station = this.#stations[self];
    if (station === undefined) return;
    const mesh = meshOf(station, topic);
    if (isMember(station, other)) {
      for (const peer of mesh) if (!isMember(station, peer)) mesh.delete(peer);
    } else if (membersOf(station).length > 0) return;
    if (mesh.size < limits.gossipMesh) this.#choose(station, other, topic);
  }

  /** The other is asked to do the same, and refuses a stranger while it has members. */
  #choose(station: Station, other: number, topic: Topic): void {
    const there = this.#stations[other];
    if (there === undefined || station.refusedBy.has(other)) return;
    const theirs = meshOf(there, topic);
    const isTaken =
      theirs.has(station.index) ||
      isMember(there, station.index) ||
      (theirs.size < limits.gossipMeshStrangers && membersOf(there).length === 0);
    if (!isTaken) return void station.refusedBy.add(other);
    theirs.add(station.index);
    meshOf(station, topic).add(other);
  }

  #forget(self: number, other: number): void {
    const station = this.#stations[self];
    if (station === undefined) return;
    station.askedBy.delete(other);
    station.hearers.delete(other);
    for (const mesh of station.mesh.values()) mesh.delete(other);
    this.#scheduler.after(this.#chance.between(1, heartbeatMs), () => {
      if (this.#stations[self] === station) for (const topic of meshed) this.#fill(station, topic);
    });
  }

  #fill(station: Station, topic: Topic): void {
    const mesh = meshOf(station, topic);
    const members = membersOf(station);
    const others = members.length > 0 ? members : [...station.hearers];
    for (const other of this.#chance.sample(others, others.length)) {
      if (mesh.size >= limits.gossipMesh) return;
      if (!mesh.has(other)) this.#choose(station, other, topic);
    }
  }
}

function meshOf(station: Station, topic: Topic): Set<number> {
  const mesh = station.mesh.get(topic) ?? new Set();
  station.mesh.set(topic, mesh);
  return mesh;
}

function membersOf(station: Station): number[] {
  return [...station.hearers].filter((other) => isMember(station, other));
}

/** Where nobody says who is one, each is. */
function isMember({ handlers }: Station, other: number): boolean {
  return handlers.memberKeyOf === undefined || handlers.memberKeyOf(peerName(other)) !== undefined;
}
