import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Problem, unwrap } from '../../base/problem.ts';
import { grouped } from '../../client/plain-words.ts';
import { type Height, toHeight } from '../../ledger/block.ts';
import { check, type Checked } from './check.ts';
import { pause, stalled } from './clock.ts';
import { FinalView } from './final-view.ts';
import { type Gauge, GaugeSeries, type NodeUse, useOf } from './gauges.ts';
import type { Times } from './latency.ts';
import { Load, type LoadPace } from './load.ts';
import type { Prepared, Surroundings } from './prepare.ts';
import { figures, type Second } from './series.ts';
import type { BenchNode } from './testbed.ts';

export interface Measured {
  readonly pace: LoadPace;
  /** Of the window that counts. */
  readonly seconds: number;
  /** Final in it. */
  readonly transactions: number;
  readonly transactionsPerSecond: number;
  readonly operationsPerSecond: number;
  readonly transactionBytes: number;
  readonly blocks: number;
  /** From when a transaction was due (open loop) or sent (closed) until its node told that it is final. */
  readonly latency: Times;
  /** Open loop: by how much transactions were sent later than they were due. */
  readonly lateness: Times;
  readonly refusals: number;
  readonly nodes: readonly NodeUse[];
  readonly client: { readonly cpuSeconds: number; readonly loopP99Ms: number };
  readonly series: readonly Second[];
  readonly gauges: readonly { readonly name: string; readonly series: readonly Gauge[] }[];
  /** The signed load was used up before the time was. */
  readonly usedUp: boolean;
  readonly views: number;
  /** Transactions of others that were in the blocks of the run. */
  readonly foreign: number;
  readonly checked: Checked;
  readonly ended: readonly string[];
}

export interface RunOptions {
  readonly pace: LoadPace;
  readonly seconds: number;
  /** Transactions that are signed beforehand. */
  readonly count: number;
  /** What is left out at the beginning: the first blocks are on their way. */
  readonly rampSeconds: number;
  /** Nothing becomes final for this long: the run has failed. */
  readonly patienceMs?: number;
  /** What else happens from the beginning of the window on; the window lasts at least as long. */
  readonly during?: ((scene: Scene) => Promise<void>) | undefined;
}

/** A run in the middle of it. */
export interface Scene {
  readonly load: Load;
  readonly view: FinalView;
}

const gaugeMs = 1_000;
const tickMs = 100;
const defaultPatienceMs = 60_000;

/** Signs a load, brings it, waits until all of it is final, compares the nodes. Throws problems. */
export async function run(
  prepared: Prepared,
  options: RunOptions,
  surroundings: Surroundings,
): Promise<{ readonly measured: Measured } & Scene> {
  surroundings.say(`signing ${options.count} transactions`);
  const one = await OneRun.begin(prepared, options, surroundings);
  try {
    const window = await one.measure();
    await one.drain();
    return { measured: await one.result(window), ...one.scene };
  } finally {
    one.end();
  }
}

interface Window {
  readonly begin: number;
  readonly end: number;
  readonly usedUp: boolean;
  readonly clientCpuSeconds: number;
}

class OneRun {
  readonly scene: Scene;
  readonly #prepared: Prepared;
  readonly #options: RunOptions;
  readonly #surroundings: Surroundings;
  /** Those that run when it begins. */
  readonly #nodes: readonly BenchNode[];
  readonly #from: Height;
  readonly #viewBefore: number;
  readonly #gauges: GaugeSeries;
  readonly #loop = monitorEventLoopDelay({ resolution: 5 });
  readonly #bringing: Promise<void>;
  #refused: unknown;

  private constructor(
    prepared: Prepared,
    options: RunOptions,
    context: {
      readonly surroundings: Surroundings;
      readonly nodes: readonly BenchNode[];
      readonly from: Height;
      readonly viewBefore: number;
    },
  ) {
    const { testbed, workload } = prepared;
    const { nodes, from, surroundings } = context;
    this.#prepared = prepared;
    this.#options = options;
    this.#surroundings = surroundings;
    this.#nodes = nodes;
    this.#from = from;
    this.#viewBefore = context.viewBefore;
    const load = new Load({
      transactions: workload.take(options.count),
      nodes,
      lanes: workload.lanes,
      pace: options.pace,
      stop: surroundings.stop,
      isUp: (node) => this.#isUp(node),
    });
    const view = new FinalView({
      nodes,
      chainId: testbed.chainId,
      after: from,
      onBlock: (height, hashes) => load.onBlock(height, hashes),
    });
    this.scene = { load, view };
    this.#gauges = new GaugeSeries(nodes, gaugeMs);
    this.#loop.enable();
    this.#bringing = load.run();
    this.#bringing.catch((error: unknown) => (this.#refused = error));
  }

  static async begin(prepared: Prepared, options: RunOptions, surroundings: Surroundings): Promise<OneRun> {
    const nodes = prepared.nodes.filter(({ index }) => !prepared.testbed.ended.has(index));
    const before = await Promise.all(nodes.map(async ({ client }) => unwrap(await client.status())));
    const from = toHeight(Math.max(0, ...before.map(({ finalHeight }) => finalHeight)));
    const viewBefore = highestView(before);
    return new OneRun(prepared, options, { surroundings, nodes, from, viewBefore });
  }

  /** The ramp, then what counts. */
  async measure(): Promise<Window> {
    const { load } = this.scene;
    const { rampSeconds, seconds, during } = this.#options;
    const rampEnd = load.beganAt + rampSeconds * 1_000;
    await this.#waitUntil(
      () => performance.now() >= rampEnd,
      () => ['ramp', undefined],
    );
    await this.#gauges.look();
    const [cpu, begin] = [process.cpuUsage(), performance.now()];
    this.#loop.reset();
    const end = begin + seconds * 1_000;
    let happening = during !== undefined;
    const event = during?.(this.scene).finally(() => (happening = false));
    event?.catch((error: unknown) => (this.#refused = error));
    await this.#waitUntil(
      () => (performance.now() >= end || load.isUsedUp) && !happening,
      () => ['measuring', (performance.now() - begin) / (end - begin)],
    );
    await event;
    // Past the last that was sent the load only runs dry.
    const over = load.isUsedUp
      ? Math.max(begin + tickMs, Math.min(performance.now(), load.lastSentAt))
      : performance.now();
    await this.#gauges.look();
    const { user, system } = process.cpuUsage(cpu);
    const usedUp = this.#options.pace.kind === 'closed' && load.isUsedUp && over < end - tickMs;
    return { begin, end: over, usedUp, clientCpuSeconds: (user + system) / 1_000_000 };
  }

  /** Until all that was sent is final. */
  async drain(): Promise<void> {
    const { load } = this.scene;
    load.close();
    await this.#waitUntil(
      () => load.final >= load.sent,
      () => ['waiting for the last', load.final / Math.max(1, load.sent)],
    );
    await this.#bringing;
  }

  async result(window: Window): Promise<Measured> {
    const { load, view } = this.scene;
    const { testbed, shape } = this.#prepared;
    const { pace } = this.#options;
    const nodes = this.#nodes.filter((node) => this.#isUp(node));
    this.#surroundings.say('comparing the nodes');
    const checked = await check({ nodes, load, view, from: this.#from, stop: this.#surroundings.stop });
    const after = await Promise.all(nodes.map(async ({ client }) => unwrap(await client.status())));
    const found = figures({ load, view, window, operations: shape.operations });
    const series = (place: number): readonly Gauge[] => this.#gauges.series[place] ?? [];
    return {
      ...found,
      pace,
      refusals: load.refusals,
      nodes: this.#nodes.map(({ name }, place) => {
        const own = series(place).filter(({ at }) => at >= window.begin - tickMs);
        return useOf(name, own, found.transactions);
      }),
      client: { cpuSeconds: window.clientCpuSeconds, loopP99Ms: this.#loop.percentile(99) / 1_000_000 },
      gauges: this.#nodes.map(({ name }, place) => ({ name, series: series(place) })),
      usedUp: window.usedUp,
      views: highestView(after) - this.#viewBefore,
      foreign: load.foreign,
      checked,
      ended: this.#nodes.flatMap(({ index, name }) => {
        const how = testbed.ended.get(index);
        return how === undefined ? [] : [`${name} ${how}`];
      }),
    };
  }

  end(): void {
    const { load, view } = this.scene;
    load.end();
    this.#prepared.workload.giveBack(load.unsent());
    this.#gauges.stop();
    view.close();
    this.#loop.disable();
  }

  #isUp({ index }: BenchNode): boolean {
    return !this.#prepared.testbed.ended.has(index);
  }

  /** Throws the problem that makes further waiting pointless. */
  async #waitUntil(isOver: () => boolean, what: () => readonly [string, number | undefined]): Promise<void> {
    const { load, view } = this.scene;
    const { patienceMs = defaultPatienceMs } = this.#options;
    while (!isOver()) {
      if (this.#refused !== undefined) throw this.#refused;
      if (view.trouble !== undefined) throw view.trouble;
      if (load.idleMs() > patienceMs) {
        const living = this.#nodes.filter((node) => this.#isUp(node));
        throw stalled('nothing became final', patienceMs, await whyOf(living, this.#prepared.testbed.ended));
      }
      const [doing, share] = what();
      const counts = `${grouped(load.sent)} sent, ${grouped(load.final)} final, block ${grouped(view.height)}`;
      this.#surroundings.say(`${doing}: ${counts}`, share);
      await pause(tickMs, this.#surroundings.stop);
    }
  }
}

function highestView(statuses: readonly { readonly view: number }[]): number {
  return Math.max(...statuses.map(({ view }) => view));
}

/** What the first node that answers waits for, and who ended. */
async function whyOf(nodes: readonly BenchNode[], ended: ReadonlyMap<number, string>): Promise<string> {
  const dead = [...ended].map(([index, how]) => `node ${index} ${how}`);
  for (const { client } of nodes) {
    const answer = await client.why({ deadlineMs: 0 });
    if (!(answer instanceof Problem)) return [...dead, answer.why].join('; ');
  }
  return [...dead, 'no node answers'].join('; ');
}
