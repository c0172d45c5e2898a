import { Problem } from '../../base/problem.ts';
import type { Monitor } from '../checkers/monitor.ts';
import type { Plan } from '../plan/plan.ts';
import { Chance } from '../world/chance.ts';
import type { Counters } from '../world/counters.ts';
import type { Scheduler } from '../world/scheduler.ts';
import type { SimulatedNode } from './simulated-node.ts';

interface ReadersOptions {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly monitor: Monitor;
  readonly nodes: readonly SimulatedNode[];
  readonly counters: Counters;
}

/** Clients that read from a Raft chain: at random moments, and at those when a leader knows least. */
export class Readers {
  readonly #options: ReadersOptions;
  readonly #chance: Chance;
  #lastLeader: number | null = null;

  constructor(options: ReadersOptions) {
    this.#options = options;
    this.#chance = new Chance(options.plan.seed, 'readers');
  }

  /** They ask nodes now and then, from now on. */
  start(): void {
    const { nodes, scheduler } = this.#options;
    // Also a node that is paused: the request waits at its door, and is the first thing that
    // it sees when it wakes up.
    const up = [...nodes.keys()].filter((node) => nodes[node]?.isUp === true);
    if (up.length > 0) this.read(this.#chance.pick(up));
    scheduler.after(this.#chance.between(50, 400), () => this.start());
  }

  /**
   * A node leads from now on. It knows least in this moment: what is committed it learns with the first block
   * of its own. And whoever led before may not know yet that it does not any more.
   */
  onLeading(node: number): void {
    const { scheduler } = this.#options;
    for (const delay of [0, 2, 10]) scheduler.after(delay, () => this.read(node));
    const before = this.#lastLeader;
    this.#lastLeader = node;
    if (before === null || before === node) return;
    for (const delay of [20, 60, 150]) scheduler.after(delay, () => this.read(before));
  }

  /** One read, whose answer is judged. */
  read(node: number): void {
    const { monitor, nodes, counters, plan } = this.#options;
    const { reads, chain } = monitor;
    const open = reads.begin(node);
    const { consensus } = plan;
    const lease = 'leaseReads' in consensus && consensus.leaseReads && this.#chance.happens(0.8);
    nodes[node]?.request({ kind: 'read', lease }, (result) => {
      counters.add(result instanceof Problem ? `read/${result.code}` : 'read/answered');
      if (result instanceof Problem) return;
      monitor.check(() => reads.end(open, result.height, chain.storedHeight(node)));
    });
  }
}
