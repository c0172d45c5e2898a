import { Problem } from '../../base/problem.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import { Breach } from '../checkers/breach.ts';
import { inspectDisk } from '../checkers/disk-checker.ts';
import { Chance } from '../world/chance.ts';
import { FastSignatures, type SignatureScheme } from '../world/fast-signatures.ts';
import { RealSignatures } from '../world/real-signatures.ts';
import { FaultInjector } from './fault-injector.ts';
import type { Targets } from './targets.ts';
import { Gaps } from './gaps.ts';
import { Governance } from './governance.ts';
import { Links } from '../world/links.ts';
import { Load } from './load.ts';
import { kindOf } from '../plan/message-kinds.ts';
import { areLinked, isHonest, type NodePlan, type Plan, type Shape } from '../plan/plan.ts';
import type { Counters } from '../world/counters.ts';
import { Scheduler } from '../world/scheduler.ts';
import { simulatedChain, type SimulatedChain } from '../plan/simulated-chain.ts';
import { SimulatedNode } from './simulated-node.ts';
import type { Trace } from '../world/trace.ts';
import { type OnCarried, VirtualNetwork } from '../world/virtual-network.ts';
import { Monitor } from '../checkers/monitor.ts';

/** The links of the second act, between nodes that are healed. */
const healedLinks = { delayMs: [1, 10], loss: 0, duplication: 0, reordering: 0 } as const;

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
  readonly #readerChance: Chance;
  #healed = false;
  #lastLeader: number | null = null;

  constructor(
    given: Plan,
    world: {
      readonly trace: Trace;
      readonly counters: Counters;
      readonly onCarried?: OnCarried | undefined;
    },
  ) {
    const { trace, counters, onCarried } = world;
    const plan = { ...given, nodes: [...given.nodes] };
    this.#plan = plan;
    this.#counters = counters;
    this.#readerChance = new Chance(plan.seed, 'readers');
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
    if (plan.shape !== undefined) this.#cutAllBut(plan.shape);
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
      onLeading: (node) => this.#readFromNewLeader(node),
    });
    this.nodes = plan.nodes.map((_, index) => this.#makeNode(index, scheme, trace));
    this.targets = this.#makeTargets();
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
    for (const node of this.nodes) node.start();
    this.load.start();
    this.#gaps.start();
    if (this.#plan.engine === 'raft') this.#readSometimes();
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
      if (how === 'down') this.nodes[node]?.crash();
      else this.#isolate(node);
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

  /** Readers: they ask nodes at random moments, and go by what the answer allows. */
  #readSometimes(): void {
    // Also a node that is paused: the request waits at its door, and is the first thing that
    // it sees when it wakes up.
    const nodes = [...this.nodes.keys()].filter((node) => this.nodes[node]?.isUp === true);
    if (nodes.length > 0) this.#read(this.#readerChance.pick(nodes));
    this.scheduler.after(this.#readerChance.between(50, 400), () => this.#readSometimes());
  }

  /**
   * The moment when a leader knows least: what is committed it learns with the first block of its own. And
   * whoever led before may not know yet that it does not any more.
   */
  #readFromNewLeader(node: number): void {
    for (const delay of [0, 2, 10]) this.scheduler.after(delay, () => this.#read(node));
    const before = this.#lastLeader;
    this.#lastLeader = node;
    if (before === null || before === node) return;
    for (const delay of [20, 60, 150]) this.scheduler.after(delay, () => this.#read(before));
  }

  #read(node: number): void {
    const { reads, chain } = this.monitor;
    const open = reads.begin(node);
    const { consensus } = this.#plan;
    const lease = 'leaseReads' in consensus && consensus.leaseReads && this.#readerChance.happens(0.8);
    this.nodes[node]?.request({ kind: 'read', lease }, (result) => {
      this.#counters.add(result instanceof Problem ? `read/${result.code}` : 'read/answered');
      if (result instanceof Problem) return;
      this.monitor.check(() => reads.end(open, result.height, chain.storedHeight(node)));
    });
  }

  #submit(node: number, transaction: Transaction): void {
    this.monitor.reads.onSubmitted(transaction.hash);
    this.nodes[node]?.submit(transaction.bytes, (problem) => {
      if (problem instanceof Problem) this.#counters.add(`submit/${problem.code}`);
      else this.#counters.add('submit/accepted');
    });
  }

  /** Some nodes never reach each other directly. */
  #cutAllBut(shape: Shape): void {
    const { length } = this.#plan.nodes;
    for (let a = 0; a < length; a++) {
      for (let b = 0; b < length; b++) if (a !== b && !areLinked(shape, a, b)) this.links.cut(a, b);
    }
  }

  #isolate(node: number): void {
    for (const other of this.nodes.keys()) {
      if (other === node) continue;
      this.links.cut(node, other);
      this.links.cut(other, node);
    }
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

  #makeTargets(): Targets {
    const { nodes } = this;
    const plan = this.#plan;
    const counters = this.#counters;
    const chain = this.#chain;
    const at = (index: number): SimulatedNode => nodes[index] as SimulatedNode;
    const governance = new Governance({
      plan,
      chain,
      scheme: this.#scheme,
      validators: () => this.monitor.epochs.latest.validators,
      submit: (transaction) => this.load.govern(transaction),
      isFinal: (hash) => this.monitor.chain.heightOf(hash) !== undefined,
    });
    return {
      count: nodes.length,
      keys: chain.nodeKeys.map(({ publicKey }) => publicKey),
      crash: (node, made) => {
        const lost = at(node).crash(made);
        if (lost > 0) counters.add('fault/lost-writes', lost);
      },
      start: (node) => {
        // What is broken for good does not come back with the end of a late fault.
        if (!this.#healed || this.#healthy().includes(node)) at(node).start();
      },
      stallDisk: (node, forMs) => at(node).disk.stall(forMs),
      slowDisk: (node, upToMs) => at(node).disk.slow(upToMs),
      failDisk: (node) => at(node).disk.fail(),
      wipeDisk: (node) => at(node).wipe(),
      pause: (node) => at(node).pause(),
      resume: (node, timersLast) => {
        // Clients waited at its door: what it answers now comes from what it believed then.
        if (plan.engine === 'raft') this.#read(node);
        at(node).resume(timersLast);
      },
      shiftClock: (node, byMs) => at(node).shiftClock(byMs),
      speedClock: (node, by) => at(node).speedClock(by),
      request: (request) => {
        for (const node of nodes) {
          node.request(request, (result) => {
            if (!(result instanceof Problem)) counters.add(`request/${request.kind}`);
          });
        }
      },
      changeValidators: () => governance.change(),
      corrupt: (node, liar) => {
        at(node).crash();
        plan.nodes[node] = { validator: plan.nodes[node]?.validator ?? null, liar };
        this.monitor.corrupted(node);
        at(node).start();
      },
      ask: (node, question) => at(node).ask(question),
      reconcile: () => this.#network.reconcile(),
    };
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
