import type { ChainLink, Effect, Engine, EngineStart, Input, Recipients } from '../../consensus/engine.ts';
import { decode } from '../../base/codec.ts';
import { Problem, unwrap } from '../../base/problem.ts';
import { messageCodec, type PbftMessage } from '../../consensus/pbft/message.ts';
import type { PbftEngine } from '../../consensus/pbft/engine.ts';
import { genesisConfiguration } from '../../consensus/raft/configuration.ts';
import type { RaftEngine } from '../../consensus/raft/engine.ts';
import { checkLog } from '../../consensus/raft/invariants.ts';
import type { RaftMessage } from '../../consensus/raft/message.ts';
import { entryCodec, entryPrefix } from '../../consensus/raft/records.ts';
import { isAmnesiac, unappliedConfiguration } from '../../consensus/raft/replica.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import { hashHeader, type Proposal } from '../../ledger/block.ts';
import { certificateClaims, type FinalityCertificate } from '../../ledger/certificate.ts';
import { genesisHeader, genesisValidators } from '../../ledger/genesis.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import { Breach, promise } from './breach.ts';
import { ChainChecker } from './chain-checker.ts';
import { ConflictBook } from './conflict.ts';
import { ElectionChecker } from './election-checker.ts';
import { checkSize, pbftBound } from './memory-checker.ts';
import { LogChecker, removedEntries } from './log-checker.ts';
import { VouchChecker } from './vouch-checker.ts';
import { ReadChecker } from './read-checker.ts';
import { type Epoch, Epochs } from './epochs.ts';
import { ServingChecker } from './serving-checker.ts';
import { DutyChecker } from './duties/duty-checker.ts';
import { RaftDutyChecker } from './raft-duties/duty-checker.ts';
import type { SignatureScheme } from '../world/fast-signatures.ts';
import type { EngineObserver } from './observed-protocol.ts';
import { isHonest, type Plan } from '../plan/plan.ts';
import type { Counters } from '../world/counters.ts';
import type { Clock } from '../../node/process/clock.ts';
import type { NetworkHandlers } from '../../network/port.ts';
import type { VirtualDisk } from '../world/virtual-disk.ts';
import type { SimulatedChain } from '../plan/simulated-chain.ts';
import type { Trace } from '../world/trace.ts';

/** Steps of one engine between two looks at how much it holds. */
const sizeEvery = 64;

interface WatchOptions {
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

/** What a node's process runs on. */
interface Machine {
  readonly disk: Pick<VirtualDisk, 'peek' | 'isGoing'>;
  readonly clock: Pick<Clock, 'wallMs'>;
}

/** How far a block's time may be ahead of the clock of whoever votes for it. Said here once more. */
const maxAheadMs = 10_000;

/**
 * Looks at every step of every honest node, and keeps the first broken promise. It never throws into a node:
 * a node would take that for a fault of its own.
 */
export class Watch {
  readonly chain: ChainChecker;
  readonly reads = new ReadChecker();
  breach: Breach | null = null;
  readonly conflicts: ConflictBook;
  readonly #options: WatchOptions;
  readonly #elections = new ElectionChecker();
  readonly #logs: LogChecker | null;
  /** Who signs for which heights (PBFT). */
  readonly epochs: Epochs;
  /** The epoch that each node's process is in. */
  readonly #epochOf = new Map<number, number>();
  readonly #checkedCertificates = new Set<string>();
  /** Nodes that fetch a snapshot. */
  readonly #installing = new Set<number>();
  readonly #views = new Map<number, number>();
  /** Of each correct validator's process (PBFT). */
  readonly #duties = new Map<number, DutyChecker>();
  /** The newest snapshot of each node's process. */
  readonly #snapshots = new Map<number, Hash>();
  /** Of each member's process (Raft). */
  readonly #raftDuties = new Map<number, RaftDutyChecker>();
  readonly #vouchers = new Map<number, VouchChecker>();
  readonly #machines = new Map<number, Machine>();
  #steps = 0;
  readonly #bound: number;

  constructor(options: WatchOptions) {
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
    this.#logs =
      plan.engine === 'pbft'
        ? null
        : new LogChecker({
            keys: nodeKeys.map(({ publicKey }) => publicKey),
            members: genesisConfiguration(genesisValidators(genesis)),
            storedHeight: (node) => this.chain.storedHeight(node),
            finalHash: (height) => this.chain.hashAt(height),
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
    for (const { signatures, validators } of this.epochs.all()) {
      const index = validators.keys.indexOf(this.#keyOf(node));
      if (index >= 0) signatures.diskLost(index);
    }
    this.chain.onDiskLost(node);
    this.#logs?.onDiskLost(node);
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
    for (const books of [this.#duties, this.#vouchers]) {
      if (this.epochs.latest.protection === null) books.clear();
      else books.delete(node);
    }
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
      this.#presentEpoch(node).lying.has(validator),
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
          this.#onStep(node, input, effects, engine);
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
    return new ServingChecker({
      node,
      // What is about to be deleted need not be given.
      onDisk: (key) => (disk.isGoing(key) ? undefined : disk.peek(key)),
      after: (delayMs, call) => void clock.after(delayMs, call),
      keepBlocks: retention?.keepBlocks ?? null,
      finalHeight: () => this.chain.storedHeight(node),
      snapshot: () => this.#snapshots.get(node),
      check: (look) => this.check(look),
    }).watch(onRequest);
  }

  #onStarted<M>(node: number, start: EngineStart, engine: Engine<M>): void {
    this.#snapshots.delete(node);
    if (this.#installing.delete(node)) this.#options.counters.add('install/cut-off');
    const { height } = start.final.header;
    this.#trace(node, `starts at height ${height}, view ${viewOf(engine)}`);
    this.chain.onStart(node, height, start.final.hash);
    if (start.final.certificate !== null) this.#checkCertificate(node, start.final.certificate);
    this.#views.set(node, viewOf(engine));
    this.#learnLinks(start.candidates);
    this.#logs?.onStart(node, loggedBlocks(start.records));
    this.#onState(node, engine);
    const { consensus } = this.#options.plan;
    if ('electionTimeoutMs' in consensus) {
      const { state } = (engine as unknown as RaftEngine).replica;
      this.#raftDuties.set(node, new RaftDutyChecker({ node, timing: consensus }, start, state));
      return;
    }
    this.#enterEpoch(node, start.epoch.height, start.validators.keys);
    this.#onShown(node, recordedMessages(start.records));
    this.#beginDuties(node, start, engine);
  }

  #keyOf(node: number): PublicKey {
    return (this.#options.chain.nodeKeys[node] as { readonly publicKey: PublicKey }).publicKey;
  }

  #presentEpoch(node: number): Epoch {
    return this.epochs.of(this.#epochOf.get(node) ?? 0, () => `node ${node}`);
  }

  /** A node takes these for the validators above this height. */
  #enterEpoch(node: number, start: number, keys: readonly PublicKey[]): void {
    const epoch = this.epochs.of(start, () => `node ${node}`);
    promise(
      keys.join() === epoch.validators.keys.join(),
      'epoch',
      () => `node ${node} takes others for the validators above ${start} than the chain decided`,
    );
    this.#epochOf.set(node, start);
    this.#views.set(node, 0);
  }

  #beginDuties<M>(node: number, start: Pick<EngineStart, 'now' | 'records'>, engine: Engine<M>): void {
    const { plan } = this.#options;
    const { consensus } = plan;
    const epoch = this.#presentEpoch(node);
    const self = epoch.validators.keys.indexOf(this.#keyOf(node));
    this.#duties.delete(node);
    this.#vouchers.delete(node);
    const { protection } = epoch;
    if (self < 0 || protection === null || !('window' in consensus)) return;
    const committee = {
      epoch: epoch.start,
      node,
      self,
      size: epoch.validators.keys.length,
      timing: consensus,
      lying: epoch.lying,
    };
    this.#duties.set(node, new DutyChecker(committee, start, (engine as unknown as PbftEngine).state));
    this.#vouchers.set(
      node,
      new VouchChecker({
        node,
        self,
        onDisk: (key) => this.#machines.get(node)?.disk.peek(key),
        linkOf: (blockHash) => protection.linkOf(blockHash),
        finalHeight: () => this.chain.knownHeight(node),
        tip: () => this.#duties.get(node)?.tip,
      }),
    );
  }

  #onStep<M>(node: number, input: Input<M>, effects: readonly Effect<M>[], engine: Engine<M>): void {
    const raft = this.#raftDuties.get(node);
    if (raft !== undefined) {
      const { state } = (engine as unknown as RaftEngine).replica;
      raft.step(input as Input<RaftMessage>, effects as readonly Effect<RaftMessage>[], state);
      return;
    }
    const { state } = engine as unknown as PbftEngine;
    const changed = effects.findIndex(({ type }) => type === 'members');
    // With the last block of an epoch a replica begins anew, in the middle of a step.
    if (changed >= 0) this.#beginDuties(node, { now: state.now, records: new Map() }, engine);
    const duties = this.#duties.get(node);
    if (duties === undefined) return;
    const own = effects.slice(changed + 1) as readonly Effect<PbftMessage>[];
    const done = duties.step(input as Input<PbftMessage>, own, state);
    for (const message of done.signs) this.#onSigning(node, message);
    this.#vouchers.get(node)?.look(done.effects);
  }

  #onSigning(node: number, message: PbftMessage): void {
    this.#epochOfMessage(node, message).signatures.asks(message);
    this.epochs.signs(this.#keyOf(node), message.epoch);
    if (message.kind !== 'prepare') return;
    const wallMs = this.#machines.get(node)?.clock.wallMs() ?? 0;
    const timestamp = this.chain.timestampOf(message.blockHash) ?? 0;
    // What a view starts with, or is final, was looked at by a quorum, perhaps with better clocks.
    const isTip = this.#duties.get(node)?.tip === message.blockHash;
    const isFinal = this.chain.hashAt(message.height) === message.blockHash;
    promise(
      isTip ||
        isFinal ||
        timestamp <= wallMs + maxAheadMs ||
        this.chain.isSoonestAfterParent(message.blockHash),
      'validity',
      () =>
        `node ${node} prepares block ${message.blockHash.slice(0, 8)} of height ${message.height}, which is ${timestamp - wallMs} ms ahead of its clock`,
    );
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
    if (input.type === 'persisted') {
      this.#logs?.onPersisted(node, input.seq);
      this.#onShown(node, input.signed);
    } else if (input.type === 'applied') this.chain.onStored(node, input.height);
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
    for (const effect of effects) this.#onEffect(node, effect);
    const view = viewOf(engine);
    const before = this.#views.get(node) ?? 0;
    promise(view >= before, 'integrity', () => `node ${node} goes back from view ${before} to ${view}`);
    this.#views.set(node, view);
    this.#onState(node, engine);
    this.#steps += 1;
    if (this.#steps % sizeEvery === 0 && 'state' in engine) {
      this.#options.counters.peak('peak/engine-entries', checkSize(node, engine.state, this.#bound));
    }
  }

  /** An engine of Raft between two steps. That of PBFT checks itself. */
  #onState<M>(node: number, engine: Engine<M>): void {
    if (this.#logs === null) return;
    const { replica } = engine as unknown as RaftEngine;
    checkLog(replica);
    const { configuration, configurationHeight, commit } = replica.state;
    this.#logs.onConfiguration(configurationHeight, configuration);
    this.#logs.onPart(node, {
      members: configuration,
      votes: !isAmnesiac(replica.state),
      campaigns: !isAmnesiac(replica.state) && unappliedConfiguration(replica.state, commit) === null,
    });
  }

  #onEffect<M>(node: number, effect: Effect<M>): void {
    if (effect.type === 'send') this.#onSent(node, effect.message, effect.to);
    else if (effect.type === 'persist') {
      this.#logs?.onPersist(
        node,
        { seq: effect.seq, blocks: effect.blocks, removed: removedEntries(effect.records) },
        effect.forget ?? [],
      );
    } else if (effect.type === 'members' && this.#logs === null) {
      const keys = effect.members.map(({ key }) => key);
      this.#enterEpoch(node, effect.epoch ?? 0, keys);
    } else if (effect.type === 'validate' && effect.proposal !== null) this.#learn(effect.proposal);
    else if (effect.type === 'commit') this.#onCommit(node, effect);
    else if (effect.type === 'verdict') this.#onVerdict(node, effect.validator, effect.reason);
    else if (effect.type === 'install') this.#installing.add(node);
    else if (effect.type === 'evidence') {
      this.#options.counters.add(`evidence/${effect.kind}`);
      promise(
        this.#presentEpoch(node).lying.has(effect.accused),
        'innocence',
        () => `node ${node} accuses honest validator ${effect.accused} of ${effect.kind}`,
      );
    } else if (effect.type === 'trace') {
      this.#options.counters.add(`event/${effect.event}`);
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
      if (effect.event === 'leading') this.#onLeading(node, Number(effect.data['term']));
      this.#trace(node, `${effect.event} ${JSON.stringify(effect.data)}`);
    }
  }

  #endInstall(node: number, how: 'done' | 'failed'): void {
    this.#installing.delete(node);
    this.#options.counters.add(`install/${how}`);
  }

  #onLeading(node: number, term: number): void {
    this.#elections.leads(node, term);
    this.#options.onLeading(node);
  }

  #onSent(node: number, message: unknown, to: Recipients): void {
    if (this.#options.plan.engine === 'pbft') this.#onShown(node, [message]);
    else this.#onRaftSent(node, message as RaftMessage, to === 'all' ? [] : to);
  }

  #onRaftSent(node: number, message: RaftMessage, to: readonly number[]): void {
    this.#elections.sends(message, to);
    if (message.kind !== 'accepted') return;
    const { height, blockHash } = message.block;
    this.#logs?.onAcknowledged(node, height, blockHash);
  }

  /** Messages that are on disk or go out. Others' are among them: a new view, for whoever missed it. */
  #onShown(node: number, messages: readonly unknown[]): void {
    if (this.#options.plan.engine !== 'pbft') return;
    for (const message of messages as readonly PbftMessage[]) {
      const { validators, signatures } = this.#epochOfMessage(node, message);
      if (validators.keys[message.from] === this.#keyOf(node)) signatures.shows(message);
    }
  }

  #epochOfMessage(node: number, message: PbftMessage): Epoch {
    return this.epochs.of(message.epoch, () => `a ${message.kind} of node ${node}`);
  }

  #onCommit(node: number, effect: Extract<Effect<never>, { type: 'commit' }>): void {
    const { link, certificate } = effect;
    this.#trace(node, `final ${link.height} ${link.blockHash.slice(0, 12)}`);
    this.conflicts.onFinal(node, link, certificate);
    this.chain.onFinal(node, link);
    this.#logs?.onFinal(node, link.height, link.blockHash);
    if (certificate === null) return;
    promise(
      certificate.height === link.height && certificate.blockHash === link.blockHash,
      'certificate',
      () => `node ${node} has a certificate for another block at height ${link.height}`,
    );
    this.#checkCertificate(node, certificate);
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
    this.#logs?.onBlock(blockHash, header);
  }

  /** Each certificate once: nodes mostly see the same. */
  #checkCertificate(node: number, certificate: FinalityCertificate): void {
    if (certificate.engine !== 'pbft') return;
    const key = JSON.stringify(certificate);
    if (this.#checkedCertificates.has(key)) return;
    this.#checkedCertificates.add(key);
    const epoch = this.epochs.of(certificate.epoch, () => `a certificate of node ${node}`);
    const { chainId } = this.#options.chain.genesis;
    const claims = certificateClaims(certificate, chainId, epoch.validators);
    const good =
      !(claims instanceof Problem) &&
      certificate.phase === 'commit' &&
      certificate.height > epoch.start &&
      (epoch.end === null || certificate.height <= epoch.end.height) &&
      claims.every((claim) => this.#options.scheme.verify(claim));
    promise(good, 'certificate', () => `node ${node} holds a certificate that proves nothing: ${key}`);
    epoch.protection?.onFinal(certificate);
  }

  #trace(node: number, what: string): void {
    this.#options.trace.add(`${this.#options.now()} node ${node}: ${what}`);
  }
}

/** Own messages that are on disk: they count from now on, whether or not the process before was told so. */
function recordedMessages(records: EngineStart['records']): readonly unknown[] {
  return [...records].flatMap(([key, value]) =>
    key.includes('/') ? [decode(messageCodec, value, key)] : [],
  );
}

/**
 * The blocks in the log on disk. The body of one that was final when it was written is
 * not among the candidates.
 */
function loggedBlocks(records: EngineStart['records']): readonly Hash[] {
  return [...records].flatMap(([key, value]) =>
    key.startsWith(entryPrefix) ? [hashHeader(unwrap(decode(entryCodec, value, key)).header)] : [],
  );
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
