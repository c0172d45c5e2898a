import { Problem } from '../../base/problem.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import { Breach } from '../checkers/breach.ts';
import { inspectDisk } from '../checkers/disk-checker.ts';
import { FastSignatures, type SignatureScheme } from '../world/fast-signatures.ts';
import { RealSignatures } from '../world/real-signatures.ts';
import { FaultInjector } from './fault-injector.ts';
import { Readers } from './readers.ts';
import { targetsOf } from './targets-of.ts';
import type { Targets } from './targets.ts';
import { Gaps } from './gaps.ts';
import { Links } from '../world/links.ts';
import { Load } from './load.ts';
import { kindOf } from '../plan/message-kinds.ts';
import { areLinked, isAbsent, isHonest, type NodePlan, type Plan } from '../plan/plan.ts';
import type { Counters } from '../world/counters.ts';
import { Scheduler } from '../world/scheduler.ts';
import { simulatedChain, type SimulatedChain } from '../plan/simulated-chain.ts';
import { SimulatedNode } from './simulated-node.ts';
import type { Trace } from '../world/trace.ts';
import { type OnCarried, VirtualNetwork } from '../world/virtual-network.ts';
import { Monitor } from '../checkers/monitor.ts';

/** The links of the second act, between nodes that are healed. */
const healedLinks = { delayMs: [1, 10], loss: 0, duplication: 0, reordering: 0 } as const;

interface ClusterWorld {
  readonly trace: Trace;
  readonly counters: Counters;
  readonly onCarried?: OnCarried | undefined;
}

/** All nodes of a run with the world around them. */
export class Cluster {
  readonly scheduler = new Scheduler();
  readonly nodes: readonly SimulatedNode[];
  readonly monitor: Monitor;
  readonly load: Load;
  readonly #gaps: Gaps;
  /** Its nodes may turn into liars by hand. */
  readonly #plan: Plan & { readonly nodes: NodePlan[] };
  readonly #counters: Counters;
  readonly links: Links;
  /** What faults are done to, and what somebody may do by hand. */
  readonly targets: Targets;
  readonly #network: VirtualNetwork;
  readonly #chain: SimulatedChain;
  readonly #scheme: SignatureScheme;
  readonly #readers: Readers | undefined;
  #healed = false;

  constructor(given: Plan, { trace, counters, onCarried }: ClusterWorld) {
    const plan = { ...given, nodes: [...given.nodes] };
    this.#plan = plan;
    this.#counters = counters;
    const { scheduler } = this;
    const scheme: SignatureScheme = plan.signatures === 'fast' ? new FastSignatures() : new RealSignatures();
    this.#scheme = scheme;
    this.#chain = simulatedChain(plan, scheme);
    this.links = new Links({
      size: plan.nodes.length,
      seed: plan.seed,
      conditions: plan.links,
      count: (fault) => counters.add(`link/${fault}`),
    });
    const { shape } = plan;
    if (shape !== undefined) this.links.cutAllBut((a, b) => areLinked(shape, a, b));
    this.#network = new VirtualNetwork({
      scheduler,
      links: this.links,
      trace,
      onCarried,
      seed: plan.seed,
      size: plan.nodes.length,
      kindOf: (bytes) => kindOf(plan.engine, bytes),
    });
    this.load = new Load({
      plan,
      chain: this.#chain,
      scheme,
      scheduler,
      reachable: () => this.#reachable(),
      submit: (node, transaction) => this.#submit(node, transaction),
      isFinal: (hash) => this.monitor.chain.heightOf(hash) !== undefined,
    });
    this.#gaps = this.#makeGaps();
    this.monitor = new Monitor({
      plan,
      chain: this.#chain,
      scheme,
      transactions: this.load.transactions,
      now: () => scheduler.now,
      trace,
      counters,
      onLeading: (node) => this.#readers?.onLeading(node),
    });
    this.nodes = plan.nodes.map((_, index) => this.#makeNode(index, scheme, trace));
    const { monitor, nodes, load } = this;
    const parts = { plan, scheduler, monitor, nodes, counters };
    if (plan.engine === 'raft') this.#readers = new Readers(parts);
    this.targets = targetsOf({
      ...parts,
      load,
      chain: this.#chain,
      scheme,
      // What is broken for good does not come back with the end of a late fault.
      mayStart: (node) => (this.#healed ? this.#healthy().includes(node) : !isAbsent(plan, node)),
      read: (node) => this.#readers?.read(node),
      reconcile: () => this.#network.reconcile(),
    });
  }

  get breach(): Breach | null {
    return this.monitor.breach;
  }

  fail(breach: Breach): void {
    this.monitor.breach ??= breach;
  }

  /** Some node reads its disk, which takes promises, but no virtual time of its own. */
  get isStarting(): boolean {
    return this.nodes.some((node) => node.isStarting);
  }

  /** Lets everything asynchronous that waits for nothing virtual run to its end. */
  async settle(): Promise<void> {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }

  /** Starts all nodes, and whatever the plan has for them. */
  begin(): void {
    for (const [index, { liar }] of this.#plan.nodes.entries()) {
      if (liar === 'twin' && index >= this.#plan.validators) this.#counters.add('fault/twin');
    }
    for (const { node, offsetMs, rate } of this.#plan.clocks ?? []) {
      this.nodes[node]?.shiftClock(offsetMs);
      this.nodes[node]?.speedClock(rate);
      this.#counters.add('fault/wrong-clock');
    }
    if (this.#plan.shape !== undefined) this.#counters.add(`shape/${this.#plan.shape.kind}`);
    for (const node of this.nodes.keys()) this.targets.start(node);
    this.load.start();
    this.#gaps.start();
    this.#readers?.start();
    new FaultInjector({
      plan: this.#plan,
      scheduler: this.scheduler,
      links: this.links,
      targets: this.targets,
      count: (what) => this.#counters.add(what),
    }).start();
  }

  /** The second act: what is not broken for good works from now on. */
  heal(): void {
    this.#healed = true;
    this.links.conditions = healedLinks;
    this.links.filters.clear();
    for (const { node, how } of this.#plan.broken) {
      this.nodes[node]?.resume();
      if (how !== 'isolated') this.nodes[node]?.crash();
      else this.links.isolate(node);
    }
    for (const node of this.#healthy()) {
      this.nodes[node]?.resume();
      this.nodes[node]?.start();
    }
    this.#network.reconcile();
    this.load.resubmit();
  }

  /** All transactions are final on all healed nodes. */
  isDone(): boolean {
    if (this.load.unfinished().length > 0) return false;
    const { chain } = this.monitor;
    return this.#healthy().every((node) => chain.storedHeight(node) >= chain.highestTransaction);
  }

  /** Nothing else is to be done any more: whether what waits for ever is gone, too. */
  isRested(): boolean {
    this.#gaps.leave();
    const { chain } = this.monitor;
    return this.#healthy().every((node) =>
      this.#gaps.areGone(chain.storedHeight(node), (hash) => this.nodes[node]?.holds(hash) === true),
    );
  }

  describeUnrest(): string {
    const nodes = this.#healthy().map((node) => {
      const host = this.nodes[node];
      const { pool = 0, height = 0 } = host?.look() ?? {};
      return `node ${node} at ${height} with ${pool} that wait: ${host?.why() ?? 'down'}`;
    });
    return `what waits for a nonce that never comes is not gone ${this.#plan.boundMs} ms after all else was final; ${nodes.join('; ')}`;
  }

  describeStuck(): string {
    const { chain } = this.monitor;
    const waiting = this.load.unfinished().length;
    const nodes = this.#healthy().map((node) => {
      const host = this.nodes[node];
      return `node ${node} at ${chain.storedHeight(node)}: ${host?.why() ?? 'down'}`;
    });
    return (
      `${waiting} of ${this.load.transactions.size} transactions are not final ${this.#plan.boundMs} ms after healing, ` +
      `with the chain at ${chain.height}; ${nodes.join('; ')}`
    );
  }

  /** After a run that went well: what the healed nodes have on disk is the chain, and nothing else. */
  async inspectDisks(): Promise<void> {
    for (const node of this.#healthy()) {
      const host = this.nodes[node];
      if (host === undefined) continue;
      host.crash();
      try {
        await inspectDisk(node, host.disk, this.#chain.genesis, this.monitor.chain);
      } catch (error) {
        this.fail(error instanceof Breach ? error : new Breach('integrity', describe(error)));
        return;
      }
    }
  }

  /** Adds the figures that are only known at the end. */
  count(): void {
    this.#counters.add('run/runs');
    this.#counters.add('run/blocks', this.monitor.chain.height);
    this.#counters.add('run/transactions', this.load.transactions.size);
    this.#counters.add('run/views', this.monitor.highestView);
    for (const [index, { liar }] of this.#plan.nodes.entries()) {
      if (liar === null) continue;
      if (index < this.#plan.validators) this.#counters.add(`liars/${liar}`);
      else if (liar !== 'twin') this.#counters.add(`strangers/${liar}`);
    }
  }

  /** Honest nodes that nothing is wrong with in the second act, observers included. */
  #healthy(): readonly number[] {
    const broken = new Set(this.#plan.broken.map(({ node }) => node));
    return this.#plan.nodes.flatMap((_, index) =>
      isHonest(this.#plan, index) && !broken.has(index) ? [index] : [],
    );
  }

  #reachable(): readonly number[] {
    const candidates = this.#healed ? this.#healthy() : [...this.#plan.nodes.keys()];
    return candidates.filter((node) => this.nodes[node]?.isRunning === true);
  }

  #submit(node: number, transaction: Transaction): void {
    this.monitor.reads.onSubmitted(transaction.hash);
    this.nodes[node]?.submit(transaction.bytes, (problem) => {
      if (problem instanceof Problem) this.#counters.add(`submit/${problem.code}`);
      else this.#counters.add('submit/accepted');
    });
  }

  #makeNode(index: number, scheme: SignatureScheme, trace: Trace): SimulatedNode {
    return new SimulatedNode({
      index,
      plan: this.#plan,
      chain: this.#chain,
      scheme,
      scheduler: this.scheduler,
      network: this.#network,
      monitor: this.monitor,
      trace,
      counters: this.#counters,
    });
  }

  #makeGaps(): Gaps {
    return new Gaps({
      plan: this.#plan,
      chain: this.#chain,
      scheme: this.#scheme,
      scheduler: this.scheduler,
      reachable: () => this.#reachable(),
      submit: (node, { bytes }) => {
        this.nodes[node]?.submit(bytes, (problem) => {
          this.#counters.add(problem instanceof Problem ? `gap/${problem.code}` : 'gap/accepted');
        });
      },
      height: () => this.monitor.chain.height,
    });
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
