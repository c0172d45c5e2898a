import type { Problem } from '../../base/problem.ts';
import type { Chance } from './chance.ts';
import type { GossipMesh } from './gossip-mesh.ts';
import type { Links } from './links.ts';
import type { Cancel, Scheduler } from './scheduler.ts';
import { peerName, networkProblem, type Station } from './station.ts';
import type { Trace } from './trace.ts';

/**
 * How long a broken connection goes unnoticed, and how long a dial takes to come back, from least to most.
 */
const noticeMs = [20, 1_500] as const;
const redialMs = [20, 400] as const;
/** When a process ends, its connections often end with it; when one starts, it dials at once. */
const promptMs = [1, 20] as const;

/** Who is connected to whom: some time after links can be dialled, or cannot any more, both ends notice. */
export class Connections {
  readonly #scheduler: Scheduler;
  readonly #links: Links;
  readonly #trace: Trace;
  readonly #chance: Chance;
  readonly #mesh: GossipMesh;
  readonly #stations: readonly (Station | undefined)[];
  /** A dial or a notice of loss under way, one for a pair of nodes. */
  readonly #transitions = new Map<number, Cancel>();

  constructor(options: {
    readonly scheduler: Scheduler;
    readonly links: Links;
    readonly trace: Trace;
    readonly chance: Chance;
    readonly mesh: GossipMesh;
    /** By index; those that are not there have no process now. */
    readonly stations: readonly (Station | undefined)[];
  }) {
    this.#scheduler = options.scheduler;
    this.#links = options.links;
    this.#trace = options.trace;
    this.#chance = options.chance;
    this.#mesh = options.mesh;
    this.#stations = options.stations;
  }

  /** Starts the dials and notices that follow from what changed. Call it after cutting or mending links. */
  reconcile(): void {
    for (let a = 0; a < this.#stations.length; a++) {
      for (let b = a + 1; b < this.#stations.length; b++) this.#reconcilePair(a, b);
    }
  }

  #reconcilePair(a: number, b: number): void {
    const pair = a * this.#stations.length + b;
    const connected = this.#isConnected(a, b);
    const wanted = this.#canConnect(a, b);
    const settled = wanted ? connected === 'both' : connected === 'neither';
    if (settled) {
      this.#transitions.get(pair)?.();
      this.#transitions.delete(pair);
    } else if (!this.#transitions.has(pair)) {
      const delay = this.#chance.between(...this.#transitionMs(wanted, connected));
      const cancel = this.#scheduler.after(delay, () => {
        this.#transitions.delete(pair);
        if (this.#isConnected(a, b) !== 'neither') this.#disconnect(a, b);
        if (this.#canConnect(a, b)) this.#connect(a, b);
        this.#reconcilePair(a, b);
      });
      this.#transitions.set(pair, cancel);
    }
  }

  #transitionMs(wanted: boolean, connected: 'both' | 'one' | 'neither'): readonly [number, number] {
    if (connected !== 'both' && this.#chance.happens(0.5)) return promptMs;
    return wanted ? redialMs : noticeMs;
  }

  #isConnected(a: number, b: number): 'both' | 'one' | 'neither' {
    const ab = this.#stations[a]?.connected.has(b) ?? false;
    const ba = this.#stations[b]?.connected.has(a) ?? false;
    return ab && ba ? 'both' : ab || ba ? 'one' : 'neither';
  }

  /** A link that is cut one way only keeps its connection: nothing tells its ends. */
  #canConnect(a: number, b: number): boolean {
    const cut = this.#links.isCut(a, b) && this.#links.isCut(b, a);
    return this.#stations[a] !== undefined && this.#stations[b] !== undefined && !cut;
  }

  #connect(a: number, b: number): void {
    const [left, right] = [this.#stations[a], this.#stations[b]];
    if (left === undefined || right === undefined) return;
    if (left.options.life.paused || right.options.life.paused) return;
    if (!this.#welcomes(left, right) || !this.#welcomes(right, left)) return;
    this.#trace.add(`${this.#scheduler.now} ${a} meets ${b}`);
    for (const [station, other] of [
      [left, b],
      [right, a],
    ] as const) {
      station.connected.add(other);
      station.options.life.enter(() => {
        if (station.connected.has(other)) station.handlers.onConnected(peerName(other));
      });
    }
    this.#mesh.connected(a, b);
  }

  #welcomes(host: Station, guest: Station): boolean {
    let refused: Problem | undefined;
    host.options.life.enter(() => {
      // Who is dialled by whom is not simulated: the settings of each name all others.
      refused = host.handlers.onHello(peerName(guest.index), guest.options.hello(), true);
    });
    if (refused === undefined) return true;
    this.#trace.add(`${this.#scheduler.now} ${host.index} refuses ${guest.index}: ${refused.code}`);
    return false;
  }

  #disconnect(a: number, b: number): void {
    this.#trace.add(`${this.#scheduler.now} ${a} loses ${b}`);
    for (const [from, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const station = this.#stations[from];
      if (station?.connected.delete(other) !== true) continue;
      station.queues.delete(other);
      for (const request of station.requests) {
        if (request.to === other) request.finish(networkProblem('network/lost', `lost ${peerName(other)}`));
      }
      station.options.life.enter(() => station.handlers.onLost(peerName(other)));
    }
    this.#mesh.lost(a, b);
  }
}
