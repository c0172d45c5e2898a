import { unwrap } from '../../../base/problem.ts';
import { invariant } from '../../../base/invariant.ts';
import { Wallet } from '../../../client/wallet.ts';
import { developmentPbft, developmentRaft } from '../../../ledger/development-genesis.ts';
import type { EngineName } from '../../../ledger/engine-names.ts';
import { toHeight } from '../../../ledger/block.ts';
import type { Transaction } from '../../../ledger/transaction.ts';
import { kindOf } from '../../../simulator/plan/message-kinds.ts';
import type { Plan } from '../../../simulator/plan/plan.ts';
import { type SimulatedChain, simulatedChain } from '../../../simulator/plan/simulated-chain.ts';
import { Chance } from '../../../simulator/world/chance.ts';
import { FastSignatures } from '../../../simulator/world/fast-signatures.ts';
import { Scheduler } from '../../../simulator/world/scheduler.ts';
import { Trace } from '../../../simulator/world/trace.ts';
import { VirtualDisk } from '../../../simulator/world/virtual-disk.ts';
import { VirtualNetwork } from '../../../simulator/world/virtual-network.ts';
import { type ScaleNode, startScaleNode } from './scale-node.ts';
import { CountingLinks, WorkCounter, type WorkCounts } from './work-counter.ts';

interface ScaleOptions {
  readonly engine: EngineName;
  readonly validators: number;
  /** PBFT: blocks under agreement at once. */
  readonly window?: number;
  /** One way, in virtual milliseconds. */
  readonly delayMs: number;
  /** How long a synced write takes. */
  readonly diskMs: number;
  readonly blockIntervalMs: number;
  /**
   * This many transactions are submitted at once, to one node after the other, this often, this many times.
   */
  readonly batch: number;
  readonly everyMs: number;
  readonly batches: number;
  /** False where the time of a run counts: a hash that is counted costs more. */
  readonly countHashes?: boolean;
}

/** Of one run: a function of its options, on any machine. */
export interface ScaleFigures {
  readonly validators: number;
  readonly window: number | null;
  readonly delayMs: number;
  readonly blocks: number;
  readonly transactions: number;
  /** From the first submission to the last block that is final everywhere. */
  readonly virtualMs: number;
  readonly blocksPerSecond: number;
  /** From a submission until the node that took it has it final. */
  readonly latencyMs: { readonly p50: number; readonly max: number };
  /** All nodes together, the whole run. */
  readonly counts: Readonly<WorkCounts>;
}

/** Connections and first messages have settled by then. */
const beginAt = 3_000;
/** Virtual time in which all that was submitted must be final. */
const patienceMs = 600_000;
/** What a validator waits before it gives up on whoever leads: far beyond any delay here. */
const patientMs = 30_000;
const senders = 16;

/** Runs honest nodes on an even network until all that was submitted is final on all of them, and counts. */
export async function simulateScale(options: ScaleOptions): Promise<ScaleFigures> {
  const cluster = new ScaleCluster(options);
  await cluster.start();
  cluster.submitAll();
  return cluster.play();
}

class ScaleCluster {
  readonly #options: ScaleOptions;
  readonly #total: number;
  readonly #scheduler = new Scheduler();
  readonly #counter = new WorkCounter();
  readonly #scheme = new FastSignatures();
  readonly #plan: Plan;
  readonly #chain: SimulatedChain;
  readonly #nodes: ScaleNode[] = [];
  /** By transaction. */
  readonly #submitted = new Map<string, { readonly node: number; readonly at: number }>();
  readonly #waits: number[] = [];
  /** By node: its height, and how many transactions are final there. */
  readonly #heights: number[];
  readonly #counts: number[];

  constructor(options: ScaleOptions) {
    this.#options = options;
    this.#total = options.batch * options.batches;
    this.#plan = planOf(options);
    this.#chain = simulatedChain(this.#plan, this.#scheme);
    this.#heights = Array.from({ length: options.validators }, () => 0);
    this.#counts = Array.from({ length: options.validators }, () => 0);
    if (options.countHashes !== false) this.#counter.countHashes();
  }

  /** Starts all nodes, and lets them meet. */
  async start(): Promise<void> {
    const { engine, validators } = this.#options;
    const { seed, links: conditions, diskMs } = this.#plan;
    const scheduler = this.#scheduler;
    const counter = this.#counter;
    const size = validators;
    const network = new VirtualNetwork({
      scheduler,
      links: new CountingLinks({ size, seed, conditions, count: () => {}, counter }),
      trace: new Trace(false),
      seed,
      size,
      kindOf: (bytes) => kindOf(engine, bytes),
    });
    for (let index = 0; index < validators; index++) {
      const disk = new VirtualDisk({
        scheduler,
        chance: new Chance(seed, `disk ${index}`),
        latencyMs: diskMs,
      });
      const starting = startScaleNode({
        index,
        chain: this.#chain,
        scheme: this.#scheme,
        scheduler,
        network,
        disk,
        counter,
        onFinal: (height, hashes) => this.#onFinal(index, height, hashes),
      });
      this.#nodes.push(await playUntilDone(scheduler, starting));
    }
    while (scheduler.step(beginAt));
  }

  /** Puts all submissions on the clock. */
  submitAll(): void {
    const { batch, batches, everyMs, validators } = this.#options;
    const signed = signAll(this.#chain, this.#scheme, this.#total);
    for (let round = 0; round < batches; round++) {
      this.#scheduler.at(beginAt + round * everyMs, () => {
        const burst = signed.slice(round * batch, (round + 1) * batch);
        const node = round % validators;
        for (const { hash } of burst) this.#submitted.set(hash, { node, at: this.#scheduler.now });
        this.#nodes[node]?.submit(burst);
      });
    }
  }

  /** Until all is final everywhere. */
  play(): ScaleFigures {
    const scheduler = this.#scheduler;
    this.#counter.clear();
    const firstHeight = Math.max(...this.#heights);
    while (this.#counts.some((count) => count < this.#total)) {
      invariant(
        scheduler.step(beginAt + patienceMs),
        `all is final in ${patienceMs} virtual ms: ${this.#nodes[0]?.why()}`,
      );
    }
    const { validators, window = null, delayMs } = this.#options;
    const virtualMs = scheduler.now - beginAt;
    const blocks = Math.max(...this.#heights) - firstHeight;
    const waits = this.#waits.toSorted((a, b) => a - b);
    return {
      validators,
      window,
      delayMs,
      blocks,
      transactions: this.#total,
      virtualMs,
      blocksPerSecond: (blocks * 1_000) / virtualMs,
      latencyMs: { p50: waits[waits.length >>> 1] ?? 0, max: waits.at(-1) ?? 0 },
      counts: this.#counter.counts,
    };
  }

  #onFinal(node: number, height: number, hashes: readonly string[]): void {
    this.#heights[node] = height;
    this.#counts[node] = (this.#counts[node] ?? 0) + hashes.length;
    for (const hash of hashes) {
      const sent = this.#submitted.get(hash);
      if (sent?.node === node) this.#waits.push(this.#scheduler.now - sent.at);
    }
  }
}

function planOf(options: ScaleOptions): Plan {
  const { engine, validators, delayMs, diskMs } = options;
  return {
    seed: 1,
    engine,
    validators,
    nodes: Array.from({ length: validators }, (_, validator) => ({ validator, liar: null })),
    consensus: timings[engine](options),
    links: { delayMs: [delayMs, delayMs], loss: 0, duplication: 0, reordering: 0 },
    diskMs: [diskMs, diskMs],
    load: { senders, transactions: 0, untilMs: 0 },
    faults: [],
    healAt: 0,
    broken: [],
    boundMs: 0,
    signatures: 'fast',
  };
}

/** As on a development chain, with the patience for links that slow. */
const timings: Readonly<Record<EngineName, (options: ScaleOptions) => Plan['consensus']>> = {
  pbft: ({ blockIntervalMs, window }) => {
    const { engine: _, ...usual } = developmentPbft;
    const patience = { viewTimeoutMs: patientMs, viewTimeoutCapMs: patientMs, censorshipMs: patientMs };
    return { ...usual, ...patience, blockIntervalMs, window: window ?? usual.window };
  },
  raft: ({ blockIntervalMs }) => {
    const { engine: _, ...usual } = developmentRaft;
    return { ...usual, blockIntervalMs };
  },
};

/** Transfers of all senders in turn. */
function signAll(chain: SimulatedChain, scheme: FastSignatures, count: number): Transaction[] {
  const wallets = chain.senderKeys.map(
    (keyPair) =>
      new Wallet({
        chainId: chain.genesis.chainId,
        keyPair,
        signer: (message) => scheme.sign(keyPair.secretKey, message),
      }),
  );
  return Array.from({ length: count }, (_, index) => {
    const wallet = wallets[index % wallets.length] as Wallet;
    const to = wallets[(index * 7 + 1) % wallets.length]?.publicKey ?? wallet.publicKey;
    const nonce = Math.floor(index / wallets.length);
    return unwrap(wallet.transfer(to, 1n, { nonce, fee: 1n, expiryHeight: toHeight(90_000) }));
  });
}

/** A node reads its disk when it starts, which takes promises and no virtual time. */
async function playUntilDone<T>(scheduler: Scheduler, work: Promise<T>): Promise<T> {
  const state = { done: false };
  const settled = work.finally(() => (state.done = true));
  settled.catch(() => {});
  while (!state.done) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!state.done) scheduler.step(scheduler.now + 1);
  }
  return settled;
}
