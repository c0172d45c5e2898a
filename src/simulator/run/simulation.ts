import { Breach } from '../checkers/breach.ts';
import { Cluster } from './cluster.ts';
import type { Plan } from '../plan/plan.ts';
import { Counters } from '../world/counters.ts';
import type { VirtualMs } from '../world/scheduler.ts';
import { Trace } from '../world/trace.ts';
import type { OnCarried } from '../world/virtual-network.ts';
import type { Outcome, Verdict } from './verdict.ts';

export interface SimulationResult {
  readonly verdict: Verdict;
  /** A line for each thing that happened, when it was asked for. */
  readonly trace: readonly string[];
}

/** How often the end of the second act is looked for. */
const lookEveryMs = 50;

/**
 * Runs a plan to its verdict. First act: faults and lies, and nothing may go wrong with what is final. Second
 * act: a quorum is healed for good, and everything that was submitted must become final within the bound;
 * then, on a chain where nothing happens, what waits for a nonce that never comes must be gone.
 */
export async function simulate(plan: Plan, options: { keepTrace?: boolean } = {}): Promise<SimulationResult> {
  const trace = new Trace(options.keepTrace === true);
  const simulation = new Simulation(plan, trace);
  simulation.begin();
  await simulation.playTo(Infinity);
  return { verdict: await simulation.end(), trace: trace.text };
}

/**
 * Events in a second of virtual time that are too many, for each pair of nodes. Four nodes that work make
 * some thousands in all; these answer each other without end, and such a run would take hours to its end.
 */
const stormEvents = 5_000;

/** A run that can be looked at while it goes on. */
export class Simulation {
  readonly cluster: Cluster;
  readonly #plan: Plan;
  readonly #trace: Trace;
  readonly #counters = new Counters();
  #healedAfter = 0;
  /** When all was final. */
  #doneAt: VirtualMs | undefined;
  #isHealed = false;
  #isOver = false;
  /** The second of virtual time that goes on, and the events before it. */
  #second = { number: 0, eventsBefore: 0 };
  /** When something is due that no event does: the end of the first act, or a look for that of the second. */
  #next: number;

  constructor(plan: Plan, trace: Trace, onCarried?: OnCarried) {
    this.#plan = plan;
    this.#trace = trace;
    this.#next = plan.healAt;
    this.cluster = new Cluster(plan, { trace, counters: this.#counters, onCarried });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  begin(): void {
    this.cluster.begin();
  }

  /** Plays what happens up to a moment of virtual time, or to the end of the run. */
  async playTo(until: VirtualMs): Promise<void> {
    const { cluster } = this;
    while (!this.#isOver) {
      await this.#playUntil(Math.min(until, this.#next));
      if (cluster.breach !== null) this.#isOver = true;
      else if (until < this.#next) return;
      else this.#look();
    }
  }

  /**
   * Plays one event, or does what is due between two. False when there is neither up to this moment, or the
   * run is over.
   */
  async step(until: VirtualMs = Infinity): Promise<boolean> {
    const { cluster } = this;
    if (this.#isOver) return false;
    await cluster.settle();
    const happened = cluster.scheduler.step(Math.min(until, this.#next));
    this.#watchEvents();
    if (happened && cluster.isStarting) await cluster.settle();
    if (!happened && until < this.#next) return false;
    if (!happened) this.#look();
    if (cluster.breach !== null) this.#isOver = true;
    return true;
  }

  /** What came of it, once it is over; also looks at the disks. */
  async end(): Promise<Verdict> {
    const { cluster } = this;
    const endedAt = cluster.scheduler.now;
    if (cluster.breach === null) await cluster.inspectDisks();
    cluster.count();
    this.#counters.peak('peak/heal-to-final-ms', this.#healedAfter);
    this.#counters.add('run/virtual-ms', endedAt);
    this.#counters.add('run/events', cluster.scheduler.events);
    const { breach } = cluster;
    if (breach !== null) this.#trace.add(`${endedAt} broken: ${breach.guarantee}: ${breach.message}`);
    return {
      outcome: outcomeOf(breach),
      seed: this.#plan.seed,
      trace: this.#trace.digest,
      breach: breach && { guarantee: breach.guarantee, message: breach.message, at: endedAt },
      counts: this.#counters.counts,
    };
  }

  /** Lets virtual time pass. What is asynchronous in a node's start runs to its end between two events. */
  async #playUntil(until: number): Promise<void> {
    const { cluster } = this;
    await cluster.settle();
    while (cluster.breach === null && cluster.scheduler.step(until)) {
      this.#watchEvents();
      if (cluster.isStarting) await cluster.settle();
    }
  }

  /** A run in which events make events for ever ends all the same, and says so. */
  #watchEvents(): void {
    const { scheduler, nodes } = this.cluster;
    const number = Math.floor(scheduler.now / 1_000);
    if (number !== this.#second.number) this.#second = { number, eventsBefore: scheduler.events };
    const events = scheduler.events - this.#second.eventsBefore;
    if (events <= stormEvents * nodes.length ** 2) return;
    this.cluster.fail(
      new Breach('bounds', `${events} events within a second of virtual time: they make each other for ever`),
    );
  }

  #look(): void {
    const { cluster } = this;
    const { now } = cluster.scheduler;
    if (!this.#isHealed) {
      this.#isHealed = true;
      this.#trace.add(`${now} heal`);
      cluster.heal();
    }
    const isDone = this.#doneAt !== undefined || cluster.isDone();
    if (this.#doneAt === undefined) this.#healedAfter = now - this.#plan.healAt;
    if (isDone) this.#doneAt ??= now;
    const began = this.#doneAt ?? this.#plan.healAt;
    if (isDone && cluster.isRested()) this.#isOver = true;
    else if (now - began >= this.#plan.boundMs) {
      cluster.fail(new Breach('progress', isDone ? cluster.describeUnrest() : cluster.describeStuck()));
      this.#isOver = true;
    } else this.#next = now + lookEveryMs;
  }
}

function outcomeOf(breach: Breach | null): Outcome {
  if (breach === null) return 'pass';
  return breach.guarantee === 'progress' ? 'stuck' : 'unsafe';
}
