import type { ChainLink, Effect, Engine, Input } from '../../consensus/engine.ts';
import type { EngineStart } from '../../consensus/protocol.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import { hashHeader, type Proposal } from '../../ledger/block.ts';
import type { EngineName } from '../../ledger/engine-names.ts';
import { genesisHeader, genesisValidators } from '../../ledger/genesis.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import type { Network, NetworkHandlers } from '../../network/port.ts';
import type { Clock } from '../../node/process/clock.ts';
import { isHonest, type Plan } from '../plan/plan.ts';
import type { SimulatedChain } from '../plan/simulated-chain.ts';
import type { Counters } from '../world/counters.ts';
import type { SignatureScheme } from '../world/fast-signatures.ts';
import type { Trace } from '../world/trace.ts';
import { peerIndex } from '../world/station.ts';
import { AskingChecker } from './asking-checker.ts';
import { Breach, promise } from './breach.ts';
import { ChainChecker } from './chain-checker.ts';
import { ConflictBook } from './conflict.ts';
import { type EngineMonitor, type Machine, maxAheadMs, type MonitorGround } from './engine-monitor.ts';
import { Epochs } from './epochs.ts';
import { checkSize, pbftBound } from './memory-checker.ts';
import type { EngineObserver } from './observed-protocol.ts';
import { PbftMonitor } from './pbft-monitor.ts';
import { RaftMonitor } from './raft-monitor.ts';
import { ReadChecker } from './read-checker.ts';
import { ServingChecker } from './serving-checker.ts';

const engineMonitors: Record<EngineName, (ground: MonitorGround) => EngineMonitor> = {
  pbft: (ground) => new PbftMonitor(ground),
  raft: (ground) => new RaftMonitor(ground),
};

/** Steps of one engine between two looks at how much it holds. */
const sizeEvery = 64;

interface MonitorOptions {
  readonly plan: Plan;
  readonly chain: SimulatedChain;
  readonly scheme: SignatureScheme;
  readonly transactions: ReadonlyMap<Hash, Transaction>;
  readonly now: () => number;
  readonly trace: Trace;
  readonly counters: Counters;
  /** A node begins to lead (Raft). */
  readonly onLeading: (node: number) => void;
}

/**
 * Looks at every step of every honest node, and keeps the first broken promise. It never throws into a node:
 * a node would take that for a fault of its own.
 */
export class Monitor {
  readonly chain: ChainChecker;
  readonly reads = new ReadChecker();
  breach: Breach | null = null;
  readonly conflicts: ConflictBook;
  readonly #options: MonitorOptions;
  readonly #engines: EngineMonitor;
  /** Who signs for which heights (PBFT). */
  readonly epochs: Epochs;
  /** Nodes that fetch a snapshot. */
  readonly #installing = new Set<number>();
  readonly #views = new Map<number, number>();
  /** The newest snapshot of each node's process. */
  readonly #snapshots = new Map<number, Hash>();
  readonly #machines = new Map<number, Machine>();
  readonly #serving = new Map<number, ServingChecker>();
  #steps = 0;
  readonly #bound: number;

  constructor(options: MonitorOptions) {
    const { plan } = options;
    const { genesis, nodeKeys } = options.chain;
    this.#options = options;
    const header = genesisHeader(genesis);
    this.chain = new ChainChecker({
      rules: genesis,
      genesis: header,
      transactions: options.transactions,
      onFinal: (transaction, height) => this.reads.onFinal(transaction, height),
      onValidators: (height, blockHash, keys) => {
        this.epochs.begin(height, blockHash, keys as readonly PublicKey[]);
        options.counters.add('epoch/begun');
      },
    });
    this.conflicts = new ConflictBook(this.chain);
    this.epochs = new Epochs({
      genesisHash: hashHeader(header),
      keys: genesisValidators(genesis).keys,
      liars: new Set(nodeKeys.flatMap(({ publicKey }, node) => (isHonest(plan, node) ? [] : [publicKey]))),
    });
    this.#engines = engineMonitors[plan.engine]({
      plan,
      simulated: options.chain,
      scheme: options.scheme,
      chain: this.chain,
      epochs: this.epochs,
      keyOf: (node) => this.#keyOf(node),
      machineOf: (node) => this.#machines.get(node),
      onEpoch: (node) => void this.#views.set(node, 0),
      onLeading: options.onLeading,
    });
    this.#bound = pbftBound({
      validators: plan.nodes.length,
      window: 'window' in plan.consensus ? plan.consensus.window : 16,
      transactions: plan.load.transactions,
    });
  }

  get highestView(): number {
    return Math.max(0, ...this.#views.values());
  }

  /** Runs a check, and keeps what it finds when it is the first thing found. */
  check(look: () => void): void {
    if (this.breach !== null) return;
    try {
      look();
    } catch (error) {
      this.breach = error instanceof Breach ? error : new Breach('integrity', describe(error));
    }
  }

  /** A node stopped over what it takes for its own fault. */
  stopped(node: number, error: unknown): void {
    this.check(() => promise(false, 'integrity', () => `node ${node} stopped: ${describe(error)}`));
  }

  /** A node's disk is replaced by an empty one. */
  diskLost(node: number): void {
    this.chain.onDiskLost(node);
    this.#engines.diskLost(node);
  }

  /** An honest node tells its clients that a block is final. */
  shown(node: number, height: number): void {
    this.reads.onShown(height);
    this.check(() =>
      promise(
        this.chain.hashAt(height) !== undefined,
        'agreement',
        () => `node ${node} shows ${height} as final, and no engine said so`,
      ),
    );
  }

  /** A node is a liar from now on: nothing that it does is looked at any more. */
  corrupted(node: number): void {
    this.epochs.corrupted(this.#keyOf(node));
    this.#engines.corrupted(node);
    this.#serving.delete(node);
  }

  /** A liar made a transaction for an account of its own. */
  transacted(transaction: Transaction): void {
    this.chain.onTransaction(transaction);
  }

  /** An honest node counts something against a peer. */
  penalised(node: number, peer: number, reason: string): void {
    const { plan, counters } = this.#options;
    counters.add(`penalty/${reason.split(' ')[0] ?? reason}`);
    this.check(() =>
      promise(
        !isHonest(plan, peer),
        'innocence',
        () => `node ${node} punishes honest node ${peer}: ${reason}`,
      ),
    );
  }

  /** An honest node's engine counts something against a validator. */
  #onVerdict(node: number, validator: number, reason: string): void {
    this.#options.counters.add(`penalty/${reason.split(' ')[0] ?? reason}`);
    promise(
      this.#engines.lyingAt(node).has(validator),
      'innocence',
      () => `node ${node} punishes honest validator ${validator}: ${reason}`,
    );
  }

  /** What an honest node's engine does. */
  observer<M>(node: number, machine: Machine): EngineObserver<M> {
    return {
      started: (start, engine) =>
        this.check(() => {
          this.#machines.set(node, machine);
          this.#onStarted(node, start, engine);
        }),
      input: (input) => this.check(() => this.#onInput(node, input)),
      effects: (effects, engine, input) =>
        this.check(() => {
          this.#onEffects(node, effects, engine);
          this.#engines.step(node, input as Input<object>, effects as readonly Effect<object>[], engine);
        }),
    };
  }

  /** How an honest node answers requests. */
  serving(
    node: number,
    { disk, clock }: Pick<Machine, 'disk'> & { readonly clock: Pick<Clock, 'after'> },
    onRequest: NetworkHandlers['onRequest'],
  ): NetworkHandlers['onRequest'] {
    const { retention } = this.#options.plan;
    const checker = new ServingChecker({
      node,
      // What is about to be deleted need not be given.
      onDisk: (key) => (disk.isGoing(key) ? undefined : disk.peek(key)),
      after: (delayMs, call) => void clock.after(delayMs, call),
      keepBlocks: retention?.keepBlocks ?? null,
      finalHeight: () => this.chain.storedHeight(node),
      snapshot: () => this.#snapshots.get(node),
      check: (look) => this.check(look),
    });
    this.#serving.set(node, checker);
    return checker.watch(onRequest);
  }

  /** How an honest node asks others. */
  asking(
    node: number,
    clock: Pick<Clock, 'after' | 'monotonicMs'>,
    network: Pick<Network, 'peers' | 'request'>,
  ): Network['request'] {
    return new AskingChecker({
      node,
      now: () => clock.monotonicMs(),
      after: (delayMs, call) => void clock.after(delayMs, call),
      peers: () => network.peers(),
      height: () => this.chain.storedHeight(node),
      has: (peer, protocol, request) =>
        this.#serving.get(peerIndex(peer))?.isHere(protocol, request) === true,
      check: (look) => this.check(look),
    }).watch(network.request);
  }

  #onStarted<M>(node: number, start: EngineStart, engine: Engine<M>): void {
    this.#snapshots.delete(node);
    if (this.#installing.delete(node)) this.#options.counters.add('install/cut-off');
    const { height } = start.final.header;
    this.#trace(node, `starts at height ${height}, view ${viewOf(engine)}`);
    this.chain.onStart(node, height, start.final.hash);
    this.#views.set(node, viewOf(engine));
    this.#learnLinks(start.candidates);
    this.#engines.started(node, start, engine);
  }

  #keyOf(node: number): PublicKey {
    return (this.#options.chain.nodeKeys[node] as { readonly publicKey: PublicKey }).publicKey;
  }

  /** What the engine is told that is final: one chain, and the certificate is for its end. */
  #onSynced(node: number, input: Extract<Input<never>, { type: 'synced' }>): void {
    const { chain, certificate } = input;
    this.#learnLinks(chain);
    const last = chain.at(-1);
    const named = !('blockHash' in certificate) || certificate.blockHash === last?.blockHash;
    const linked = chain.every(
      (link, index) => index === 0 || link.parentHash === chain[index - 1]?.blockHash,
    );
    promise(
      named && linked && certificate.height === last?.height,
      'certificate',
      () => `node ${node} takes blocks up to ${last?.height} as final under a certificate for another block`,
    );
  }

  #onValidated(node: number, input: Extract<Input<never>, { type: 'validated' }>): void {
    const { blockHash, result } = input;
    this.#options.counters.add(`validation/${result.verdict}`);
    if ('chain' in result) {
      this.#learnLinks(result.chain);
      for (const link of result.chain) {
        const judged = this.chain.judge(link.blockHash);
        promise(judged?.verdict !== 'invalid', 'validity', () => {
          const why = judged?.verdict === 'invalid' ? judged.why : '';
          return `node ${node} takes block ${link.blockHash.slice(0, 8)} of height ${link.height} for valid, and ${why}`;
        });
      }
    } else if (result.verdict === 'invalid') {
      const wallMs = this.#machines.get(node)?.clock.wallMs() ?? 0;
      const good =
        this.chain.judge(blockHash)?.verdict === 'valid' &&
        (this.chain.timestampOf(blockHash) ?? Infinity) <= wallMs + maxAheadMs &&
        this.chain.extendsFinal(blockHash, this.chain.storedHeight(node));
      promise(
        !good,
        'innocence',
        () =>
          `node ${node} takes block ${blockHash.slice(0, 8)} for invalid (${result.reason}), and it is not`,
      );
    }
  }

  #onInput<M>(node: number, input: Input<M>): void {
    this.#engines.input(node, input as Input<object>);
    if (input.type === 'applied') this.chain.onStored(node, input.height);
    else if (input.type === 'built' && input.proposal !== null) this.#learn(input.proposal);
    else if (input.type === 'installed') {
      this.#endInstall(node, 'done');
      this.#snapshots.delete(node);
      this.chain.onInstalled(node, input.header.height, input.blockHash);
    } else if (input.type === 'compacted') this.#snapshots.set(node, input.snapshot.blockHash);
    else if (input.type === 'install-failed') this.#endInstall(node, 'failed');
    else if (input.type === 'synced') this.#onSynced(node, input);
    else if (input.type === 'validated') this.#onValidated(node, input);
  }

  #onEffects<M>(node: number, effects: readonly Effect<M>[], engine: Engine<M>): void {
    for (const effect of effects) {
      this.#onEffect(node, effect);
      this.#engines.effect(node, effect as Effect<object>);
    }
    const view = viewOf(engine);
    const before = this.#views.get(node) ?? 0;
    promise(view >= before, 'integrity', () => `node ${node} goes back from view ${before} to ${view}`);
    this.#views.set(node, view);
    this.#steps += 1;
    if (this.#steps % sizeEvery === 0 && 'state' in engine) {
      this.#options.counters.peak('peak/engine-entries', checkSize(node, engine.state, this.#bound));
    }
  }

  #onEffect<M>(node: number, effect: Effect<M>): void {
    if (effect.type === 'validate' && effect.proposal !== null) this.#learn(effect.proposal);
    else if (effect.type === 'commit') this.#onCommit(node, effect);
    else if (effect.type === 'verdict') this.#onVerdict(node, effect.validator, effect.reason);
    else if (effect.type === 'install') this.#installing.add(node);
    else if (effect.type === 'evidence') {
      this.#options.counters.add(`evidence/${effect.kind}`);
      promise(
        this.#engines.lyingAt(node).has(effect.accused),
        'innocence',
        () => `node ${node} accuses honest validator ${effect.accused} of ${effect.kind}`,
      );
    } else if (effect.type === 'trace') {
      this.#options.counters.add(`event/${effect.event}`);
      // Only where clocks jump its machine's note is not believed.
      const isNoted = this.#options.plan.nodes[node]?.noted === true;
      if (isNoted && effect.event === 'chain-runs-already')
        this.#options.counters.add('epoch/noted-key-asks');
      if (effect.event === 'proposal-refused') {
        this.#options.counters.add(`refused/${shortReason(effect.data['reason'])}`);
      }
      // Raft's word for a block that is invalid here: nobody makes such a block.
      if (effect.event === 'refused') {
        const { height, reason } = effect.data;
        promise(false, 'innocence', () => `node ${node} refuses an honest block ${height}: ${reason}`);
      }
      // Nobody else has the key of a correct node, and whose disk is lost knows that.
      if (effect.event === 'key-used-elsewhere') {
        promise(false, 'innocence', () => `node ${node} takes its own block or vote for another's`);
      }
      this.#trace(node, `${effect.event} ${JSON.stringify(effect.data)}`);
    }
  }

  #endInstall(node: number, how: 'done' | 'failed'): void {
    this.#installing.delete(node);
    this.#options.counters.add(`install/${how}`);
  }

  #onCommit(node: number, effect: Extract<Effect<never>, { type: 'commit' }>): void {
    const { link, certificate } = effect;
    this.#trace(node, `final ${link.height} ${link.blockHash.slice(0, 12)}`);
    this.conflicts.onFinal(node, link, certificate);
    this.chain.onFinal(node, link);
    if (certificate === null) return;
    promise(
      certificate.height === link.height && certificate.blockHash === link.blockHash,
      'certificate',
      () => `node ${node} has a certificate for another block at height ${link.height}`,
    );
  }

  #learnLinks(links: readonly ChainLink[]): void {
    for (const { blockHash, height, parentHash } of links) this.#learnLink(blockHash, height, parentHash);
  }

  #learnLink(blockHash: Hash, height: number, parentHash: Hash): void {
    for (const { protection, end } of this.epochs.all())
      if (end === null || height <= end.height + 20) protection?.onLink(blockHash, height, parentHash);
  }

  #learn(proposal: Proposal): void {
    const { header } = proposal;
    const blockHash = hashHeader(header);
    this.#learnLink(blockHash, header.height, header.parentHash);
    this.chain.onProposal(blockHash, proposal);
    this.#engines.proposed(blockHash, header);
  }

  #trace(node: number, what: string): void {
    this.#options.trace.add(`${this.#options.now()} node ${node}: ${what}`);
  }
}

/** Cheaper than `status()`, which copies its counters. */
function viewOf<M>(engine: Engine<M>): number {
  const { state } = engine as { state?: { view?: number } };
  return state?.view ?? engine.status().view;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** A reason without its numbers and hashes, so that reasons can be counted. */
function shortReason(reason: unknown): string {
  return String(reason)
    .replaceAll(/[0-9a-f]{16,}/g, '#')
    .replaceAll(/\d+/g, 'n')
    .slice(0, 80);
}
