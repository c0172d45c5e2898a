import { Problem } from '../../base/problem.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { EngineRequest } from '../../consensus/engine.ts';
import { Chance } from '../world/chance.ts';
import type { ClientQuestion } from './hand-client.ts';
import { bootNode, type Core, type CoreView } from './node-core.ts';
import type { SimulatedNodeOptions } from './node-options.ts';
import { isHonest } from '../plan/plan.ts';
import { ProcessLife } from '../world/process-life.ts';
import { VirtualClock } from '../world/virtual-clock.ts';
import { VirtualDisk } from '../world/virtual-disk.ts';

interface Process {
  readonly life: ProcessLife;
  readonly clock: VirtualClock;
  /** Null while it reads its disk. */
  core: Core | null;
}

/** Longer than any clock of a run is wrong: all that a run decides is of later. */
const longNotedMs = 86_400_000;

/** One node through all its processes: its disk and its keys stay, everything else is new after a crash. */
export class SimulatedNode {
  readonly disk: VirtualDisk;
  readonly #options: SimulatedNodeOptions;
  #process: Process | null = null;
  #clockOffset = 0;
  #clockRate = 1;
  /** It stopped over a fault of its own, and no start helps. */
  #dead = false;
  #starts = 0;
  /** Since when each use of its key is noted beside its disk, by its own clock. */
  #since: number | undefined;

  constructor(options: SimulatedNodeOptions) {
    const { index, plan, scheduler } = options;
    this.#options = options;
    this.disk = new VirtualDisk({
      scheduler,
      chance: new Chance(plan.seed, `disk ${index}`),
      latencyMs: plan.diskMs,
    });
  }

  /** There is a process, which may be paused. */
  get isUp(): boolean {
    return this.#process?.core != null;
  }

  get isRunning(): boolean {
    return this.isUp && this.#process?.life.paused === false;
  }

  get isStarting(): boolean {
    return this.#process !== null && this.#process.core === null;
  }

  why(): string {
    return this.#process?.core?.why() ?? 'down';
  }

  /** It knows that its log holds all that its key signed (Raft). */
  hasItsLog(): boolean {
    return this.#process?.core?.hasItsLog() === true;
  }

  /** Whether a transaction waits there. */
  holds(hash: Hash): boolean {
    return this.#process?.core?.holds(hash) === true;
  }

  /** What is in it, for whoever looks from outside; undefined while it is down. */
  look(): CoreView | undefined {
    return this.#process?.core?.look();
  }

  /** Somebody asks it by hand, and hears the answer in the trace. */
  ask(question: ClientQuestion): void {
    const process = this.#process;
    const { index, scheduler, trace } = this.#options;
    const answer = (text: string): void => trace.add(`${scheduler.now} node ${index}: ${text}`);
    if (process === null || process.core === null) return answer('does not answer its client');
    const { core } = process;
    process.life.enter(() => core.ask(question, answer));
  }

  start(): void {
    if (this.#process !== null || this.#dead) return;
    const { index, scheduler, trace } = this.#options;
    trace.add(`${scheduler.now} node ${index}: process ${this.#starts}`);
    const life = new ProcessLife((error) => this.#broke(process, error));
    const clock = new VirtualClock({
      scheduler,
      life,
      offsetMs: this.#clockOffset,
      rate: this.#clockRate,
    });
    const process: Process = { life, clock, core: null };
    this.#process = process;
    // The genesis and the first entry of the log: before that nothing was signed with the key,
    // or at least nothing left.
    const firstUse = this.disk.written < 2;
    this.#starts += 1;
    bootNode({
      ...this.#options,
      life,
      clock,
      disk: this.disk,
      firstUse,
      since: (this.#since ??= clock.wallMs() - this.#notedMs()),
      starts: this.#starts,
      onStopped: (problem) => this.#stopped(process, problem),
      onBroken: (error) => this.#broke(process, error),
    }).then(
      (core) => {
        if (this.#process !== process) return;
        process.core = core;
      },
      (error: unknown) => {
        if (error instanceof Problem && error.code === 'storage/write-failed') this.#stopped(process, error);
        else this.#broke(process, error);
      },
    );
  }

  /** How long its machine had noted the uses of its key when its disk was first used. */
  #notedMs(): number {
    const { index, plan } = this.#options;
    return plan.nodes[index]?.noted === true && this.#starts === 1 ? longNotedMs : 0;
  }

  /** kill -9. Returns how many unsynced batches were lost. */
  crash(made: 'some' | 'none' = 'some'): number {
    const process = this.#process;
    if (process === null) return 0;
    const { index, network, scheduler, trace } = this.#options;
    trace.add(`${scheduler.now} node ${index}: crash`);
    process.life.kill();
    network.leave(index);
    this.#process = null;
    return this.disk.crash(made);
  }

  pause(): void {
    this.#process?.life.pause();
  }

  resume(timersLast = false): void {
    this.#process?.life.resume(timersLast);
  }

  /** Its disk is replaced by an empty one. The node must be down. */
  wipe(): void {
    this.disk.wipe();
    this.#since = undefined;
    if (isHonest(this.#options.plan, this.#options.index))
      this.#options.monitor.diskLost(this.#options.index);
  }

  shiftClock(byMs: number): void {
    this.#clockOffset += byMs;
    if (this.#process !== null) this.#process.clock.offsetMs = this.#clockOffset;
  }

  /** Makes its clocks run this many times as fast as they did. */
  speedClock(by: number): void {
    this.#clockRate *= by;
    if (this.#process !== null) this.#process.clock.rate = this.#clockRate;
  }

  submit(bytes: Uint8Array, done: (problem: Problem | undefined) => void): void {
    const process = this.#process;
    if (process === null || process.core === null) return;
    const { core } = process;
    process.life.enter(() => core.submit(bytes, done));
  }

  /** Asks its engine for something. Never answered when the node dies meanwhile. */
  request(request: EngineRequest, done: (result: { readonly height: number } | Problem) => void): void {
    const process = this.#process;
    if (process === null || process.core === null) return;
    const { core } = process;
    process.life.enter(() => core.request(request, done));
  }

  /** It ended itself, for a reason outside: a failed disk. It starts again when its fault is over. */
  #stopped(process: Process, problem: Problem): void {
    if (this.#process !== process) return;
    this.#options.counters.add(`stopped/${problem.code}`);
    this.crash();
  }

  /** It ended itself for a broken promise. An honest node never does. */
  #broke(process: Process, error: unknown): void {
    if (this.#process !== process) return;
    const { index, plan, monitor, counters } = this.#options;
    if (isHonest(plan, index)) monitor.stopped(index, error);
    else counters.add('stopped/liar');
    this.#dead = true;
    this.crash();
  }
}
