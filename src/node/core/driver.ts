import { defined, unreachable } from '../../base/invariant.ts';
import { limits } from '../../base/limits.ts';
import type { Problem } from '../../base/problem.ts';
import type {
  Effect,
  Engine,
  EngineRequest,
  Input,
  LogTrust,
  Member,
  MonotonicMs,
  PendingWork,
  Protocol,
  RequestId,
  ValidatorIndex,
} from '../../consensus/engine.ts';
import type { PublicKey, Signature, SignatureClaim, Verifier } from '../../crypto/signature.ts';
import type { Height } from '../../ledger/block.ts';
import { type Genesis, genesisValidators } from '../../ledger/genesis.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import { type DropReason, Mempool } from '../../mempool/mempool.ts';
import type { Network, NetworkHandlers } from '../../network/port.ts';
import type { ChainStore } from '../../storage/chain-store.ts';
import { Announcing } from '../catch-up/announcing.ts';
import { Bodies } from '../effects/bodies.ts';
import { build } from '../effects/building.ts';
import { Chain, type FinalBlock } from '../effects/chain.ts';
import type { Cancel, Clock } from '../process/clock.ts';
import { ClockWatch } from '../process/clock-watch.ts';
import { type Committed, Committing } from '../effects/committing.ts';
import { Handshake, type Observers } from '../peers/handshake.ts';
import { Installing } from '../catch-up/installing.ts';
import { inbound } from './inbound.ts';
import { Intake, type Submitted } from '../peers/intake.ts';
import { Loading } from '../effects/loading.ts';
import type { Log } from '../process/log.ts';
import { Messenger } from '../peers/messenger.ts';
import { peerChoice, type PeerChoice } from '../peers/peer-choice.ts';
import { Persisting } from '../effects/persisting.ts';
import type { WriteCount } from '../process/key-use.ts';
import { Relay } from '../peers/relay.ts';
import { candidateLinks, type Restored } from '../effects/restore.ts';
import { Serving } from '../catch-up/serving.ts';
import { ServingQueue } from '../catch-up/serving-queue.ts';
import { Signer } from '../effects/signer.ts';
import { Snapshots } from '../catch-up/snapshots.ts';
import { Standings } from '../peers/standing.ts';
import { Sync } from '../catch-up/sync.ts';
import { Turns } from './turns.ts';
import { turnPorts } from './turn-ports.ts';
import { Validation } from '../effects/validation.ts';
import { Verification } from '../peers/verification.ts';

export interface DriverOptions<M extends object> {
  readonly genesis: Genesis;
  readonly protocol: Protocol<M>;
  /** What `restore` found in the store. */
  readonly restored: Restored;
  readonly store: ChainStore;
  readonly network: Network;
  readonly verifier: Verifier;
  readonly clock: Clock;
  readonly log: Log;
  /** The key that speaks for this node, and what signs with it. One that is no validator's makes an observer. */
  readonly identity: { readonly publicKey: PublicKey; readonly sign: (message: Uint8Array) => Signature };
  /** Who may connect besides members and the peers that this node dials; anybody unless given. */
  readonly observers?: Observers;
  /** Checks one signature at once, by the consensus rule: for the hello of a new peer. */
  readonly checkSignature: (claim: SignatureClaim) => boolean;
  /** Counts what is written with the key; without it, an old copy of the store is not noticed. */
  readonly uses?: WriteCount;
  /** What is known of the consensus log in the store. */
  readonly trust: LogTrust;
  /** For the engine's generator, and so that gossip frames differ between runs. */
  readonly seed: number;
  /** Name and version, shown to peers. */
  readonly software: string;
  /** Entries in one part of a snapshot that this node serves, in bytes; `limits.snapshotPartBytes` unless given (small states, in many parts). */
  readonly snapshotPartBytes?: number;
  /** Where others reach this node's API, if they are to be told. */
  readonly api?: string | undefined;
  /** The node cannot go on: a problem of the machine (a failed disk), or our own broken promise. Nothing happens after it. */
  readonly onFatal: (error: unknown) => void;
}

/**
 * Runs an engine. It decides, and this acts: one mailbox, one input at a time, effects in their order. All of it runs on callbacks, through
 * ports, so that the simulator runs exactly this code.
 *
 * ```
 *   network ─> handshake ─> verification ─┐                  ┌─> persisting ─> store
 *   clients, gossip ─> intake ─> mempool ─┼─> mailbox ─> engine ─> committing ─> store ─> announcing
 *   store ─> persisted, applied ──────────┘       ^          ├─> validation, building ─> chain
 *                                                 └──────────┴─> sync, messenger ─> network
 * ```
 */
export class Driver<M extends object> {
  readonly chain: Chain;
  readonly mempool: Mempool;
  readonly verification: Verification<M>;
  readonly intake: Intake;
  readonly handshake: Handshake;
  readonly sync: Sync;
  readonly messenger: Messenger<M>;
  readonly clockWatch: ClockWatch;
  /** To be given to the network's `start`. */
  readonly handlers: NetworkHandlers;

  readonly #options: DriverOptions<M>;
  readonly #turns: Turns;
  readonly #clock: Clock;
  readonly #network: Network;
  readonly #signer: Signer;
  readonly #engine: Engine<M>;
  readonly #bodies: Bodies;
  readonly #validation: Validation;
  readonly #committing: Committing;
  readonly #persisting: Persisting<M>;
  readonly #loading: Loading;
  readonly #serving: ServingQueue;
  readonly #snapshots: Snapshots;
  readonly #installing: Installing;
  readonly #announcing: Announcing;
  readonly #peersFor: PeerChoice;

  readonly #mailbox: Input<M>[] = [];
  #workChanged = false;
  /** The last height that the engine called final. */
  #engineFinal: Height;
  /** Set by an engine that can change them. */
  #members: readonly Member[] | undefined;
  readonly #requests = new Map<RequestId, (result: { readonly height: Height } | Problem) => void>();
  #nextRequest: RequestId = 1;
  #tickedAt: MonotonicMs;
  #lastPollAt: MonotonicMs;
  #polls = 0;
  #lastFinalAt: MonotonicMs;
  #cancelTick: Cancel = () => {};
  readonly #finalListeners = new Set<(committed: Committed) => void>();
  readonly #dropListeners = new Set<(transaction: Transaction, reason: DropReason) => void>();
  readonly #steppedDownListeners = new Set<(reason: string) => void>();

  constructor(options: DriverOptions<M>) {
    const { genesis, protocol, restored, store, identity, log } = options;
    const { chainId } = genesis;
    this.#options = options;
    this.#turns = new Turns({
      settle: () => this.#settle(),
      onThrow: (error) => this.#fatal(error),
    });
    const { clock, network, verifier, chainStore } = turnPorts(this.#turns, options);
    this.#clock = clock;
    this.#network = network;

    const validators = genesisValidators(genesis);
    const { final } = restored;
    this.chain = new Chain({ chainId, final, fixedValidators: protocol.engine === 'pbft' });
    for (const block of restored.candidates) this.chain.add(block, { stored: true });
    this.#engineFinal = final.height;
    this.clockWatch = new ClockWatch({ clock, log, final: () => this.chain.final.header });
    this.mempool = new Mempool({
      chainId,
      height: final.height,
      ...(genesis.consensus.engine === 'pbft' && { bounds: { patienceMs: genesis.consensus.censorshipMs } }),
      accountOf: final.state.account.bind(final.state),
      dropped: (transaction, reason) => {
        for (const listener of this.#dropListeners) this.#tell(() => listener(transaction, reason));
      },
    });

    const give = (input: Input<M>): void => void this.#mailbox.push(input);
    const onFatal = (problem: Problem): never => {
      throw problem;
    };
    const members = (): readonly PublicKey[] | undefined => this.#members?.map(({ key }) => key);
    const finalHashAt = store.hashAt.bind(store);
    const { chain, mempool } = this;

    this.handshake = new Handshake({
      chainId,
      engine: protocol.engine,
      software: options.software,
      api: options.api,
      keys: validators.keys,
      identity,
      ...(options.observers === undefined ? {} : { observers: options.observers }),
      checkSignature: options.checkSignature,
      log,
    });
    const { handshake } = this;
    const standings = new Standings({ memberKeyOf: handshake.memberKeyOf.bind(handshake), network });
    const peersFor = peerChoice({ network, handshake });
    this.#peersFor = peersFor;
    this.verification = new Verification<M>({
      protocol,
      verifier,
      clock,
      wants: (message, direct) => this.#engine.wants(message, direct),
      validatorOf: handshake.validatorOf.bind(handshake),
      standingOf: standings.of.bind(standings),
      penalise: network.penalise.bind(network),
      cut: (peer, forMs) => network.penalise(peer, 'it is not listened to', forMs),
    });
    const { verification } = this;
    const relay = new Relay({
      chainId,
      sign: identity.sign,
      keyAt: handshake.keyAt.bind(handshake),
      // Far from those of the process before.
      salt: options.seed * 2 ** 20,
    });
    this.messenger = new Messenger<M>({
      protocol,
      network,
      handshake,
      clock,
      relay,
      self: () => this.validatorIndex,
    });
    this.#bodies = new Bodies({
      chain,
      network,
      clock,
      verification,
      pending: mempool.get.bind(mempool),
      arriving: (hash) => this.intake.arriving(hash),
      peersFor,
    });
    const bodies = this.#bodies;
    this.#validation = new Validation({
      chain,
      bodies,
      clock,
      finalHashAt,
      trustsClocks: protocol.engine === 'raft',
      onEarly: (aheadMs) => this.clockWatch.early(aheadMs),
      give,
    });
    this.#signer = new Signer({ ...identity, records: store.logRecords });
    this.#persisting = new Persisting<M>({
      protocol,
      signer: this.#signer,
      chain,
      store: chainStore,
      give,
      onFatal,
      ...(options.uses === undefined ? {} : { uses: options.uses }),
    });
    this.#committing = new Committing({
      chain,
      store: chainStore,
      mempool,
      bodies,
      clock,
      give,
      onFatal,
      flush: () => this.#persisting.flush(),
      onCommitted: (committed) => this.#onCommitted(committed),
    });
    this.sync = new Sync({
      chain,
      network,
      clock,
      verification,
      peersFor,
      validatorOf: handshake.validatorOf.bind(handshake),
      members,
      engineFinal: () => this.#engineFinal,
      give,
      log,
    });
    this.#announcing = new Announcing({
      self: identity.publicKey,
      network,
      verification,
      clock,
      members,
      finalHashAt,
      onAhead: (height) => this.#onAhead(height),
    });
    this.intake = new Intake({
      chainId,
      mempool,
      verification,
      network,
      clock,
      nextNonce: (sender) => chain.final.state.account(sender).nonce,
      isFinal: (hash) => store.locate(hash) !== undefined,
      onArriving: (transactions) => bodies.arrived(transactions),
      onAdded: () => this.#onWork(),
      salt: options.seed >>> 0,
    });
    this.#loading = new Loading({ chain, store, clock, give });
    this.#snapshots = new Snapshots({
      chain,
      store: chainStore,
      clock,
      complete: (certificate) => protocol.snapshotCertificate(certificate, this.#members),
      partBytes: options.snapshotPartBytes ?? limits.snapshotPartBytes,
      give,
      onFatal,
    });
    this.#installing = new Installing({
      chain,
      store: chainStore,
      network,
      clock,
      verification,
      members,
      peersFor,
      isIdle: () => this.#committing.waiting === 0,
      flush: () => this.#persisting.flush(),
      onInstalled: (final) => this.#onInstalled(final),
      give,
      onFatal,
    });
    this.#serving = new ServingQueue({
      serving: new Serving({ chain, store, snapshots: this.#snapshots, log }),
      standingOf: standings.of.bind(standings),
      clock,
    });
    this.handlers = inbound({
      turns: this.#turns,
      protocol,
      handshake,
      standings,
      verification,
      intake: this.intake,
      announcing: this.#announcing,
      messenger: this.messenger,
      relay,
      serving: this.#serving,
      give,
      onMet: (peer) => {
        if (this.validatorIndex === undefined) this.sync.poll(peer);
      },
      log,
    });

    const now = clock.monotonicMs();
    this.#tickedAt = now;
    this.#lastPollAt = now;
    this.#lastFinalAt = now;
    const compacted = Snapshots.compactedAt(final, store.firstBlock);
    this.#engine = protocol.start({
      chainId,
      validators,
      self: identity.publicKey,
      final: { header: final.header, hash: final.hash, certificate: restored.certificate },
      records: Signer.engineRecords(store.logRecords),
      candidates: candidateLinks(restored),
      ...(compacted === undefined ? {} : { compacted }),
      log: options.trust,
      now,
      seed: options.seed,
    });
  }

  /** Starts to tick. The network is started by the caller, with `handlers`. */
  start(): void {
    this.clockWatch.look();
    this.#turns.run(() => this.#tick());
  }

  /** Nothing is done or answered after this. What was handed to the store is still written. */
  stop(): void {
    this.#turns.end();
    this.#cancelTick();
    this.intake.stop();
    this.#committing.stop();
  }

  get engine(): Pick<Engine<M>, 'status' | 'why'> {
    return this.#engine;
  }

  /** This node's place among the validators; undefined for an observer, also one that was a validator once. */
  get validatorIndex(): ValidatorIndex | undefined {
    const index = this.handshake.validators.indexOf(this.#options.identity.publicKey);
    return index < 0 || this.#members?.[index]?.role === 'removed' ? undefined : index;
  }

  /** What happened since the start, by kind. */
  counters(): Record<string, number> {
    const { sent, relayed, unsent } = this.messenger.counters;
    const { messages, ignored, bad } = this.verification.counters;
    const { submitted, accepted, refused, gossiped, framesIn, framesOut, framesBad } = this.intake.counters;
    return {
      'messages-sent': sent,
      'messages-relayed': relayed,
      'messages-unsent': unsent,
      'messages-received': messages,
      'messages-ignored': ignored,
      'messages-bad': bad,
      'transactions-submitted': submitted,
      'transactions-accepted': accepted,
      'transactions-refused': refused,
      'transactions-gossiped': gossiped,
      'frames-received': framesIn,
      'frames-sent': framesOut,
      'frames-bad': framesBad,
      'transactions-fetched': this.#bodies.counters.fetchedTransactions,
      'blocks-fetched': this.#bodies.counters.fetchedBlocks,
      'blocks-synced': this.sync.counters.syncedBlocks,
      'sync-faults': this.sync.counters.syncFaults,
      'requests-served': this.#serving.counters.served,
      'requests-refused': this.#serving.counters.refused,
      'first-block': this.#options.store.firstBlock,
    };
  }

  /** Our hello, for the network. */
  hello(): Uint8Array {
    return this.handshake.hello(this.#network.self);
  }

  submit(transactions: readonly Uint8Array[], done: (results: readonly Submitted[]) => void): void {
    this.#turns.run(() => this.intake.submit(transactions, done));
  }

  /** Asks the engine; answered once, unless the node stops. */
  request(request: EngineRequest, done: (result: { readonly height: Height } | Problem) => void): void {
    this.#turns.run(() => {
      const id = this.#nextRequest++;
      this.#requests.set(id, done);
      this.#mailbox.push({ type: 'request', id, request });
    });
  }

  /** Called for each block after it became final here, until the returned function is called. */
  onFinal(listener: (committed: Committed) => void): () => void {
    this.#finalListeners.add(listener);
    return () => void this.#finalListeners.delete(listener);
  }

  /** Called with the reason when this node lost the lead without handing it over, until the returned function is called. */
  onSteppedDown(listener: (reason: string) => void): () => void {
    this.#steppedDownListeners.add(listener);
    return () => void this.#steppedDownListeners.delete(listener);
  }

  /** Called for each transaction that left the mempool without becoming final. */
  onDropped(listener: (transaction: Transaction, reason: DropReason) => void): () => void {
    this.#dropListeners.add(listener);
    return () => void this.#dropListeners.delete(listener);
  }

  #fatal(error: unknown): void {
    this.stop();
    this.#options.onFatal(error);
  }

  /** Works off the mailbox: the end of every turn. */
  #settle(): void {
    for (;;) {
      // After a pause of the whole process, or a block that took long to execute, something else may come before the timer. To an engine
      // with an old clock, what ended long ago (a lease) would still hold.
      const now = this.#clock.monotonicMs();
      if (now - this.#tickedAt >= limits.engineClockMs) this.#mailbox.unshift(this.#tickInput(now));
      const input = this.#mailbox.shift() ?? this.#workInput();
      if (input === undefined) return;
      for (const effect of this.#engine.step(input)) {
        // What ended the node may have been caught by somebody on the way here: nothing is signed after it all the same.
        if (this.#turns.ended) return;
        this.#obey(effect);
      }
    }
  }

  /** Changes of the mempool within one turn are one input. */
  #workInput(): Input<M> | undefined {
    if (!this.#workChanged) return undefined;
    this.#workChanged = false;
    return { type: 'work', work: this.mempool.work() };
  }

  #onWork(): void {
    this.#workChanged = true;
  }

  #tickInput(now: MonotonicMs): Input<M> {
    this.#tickedAt = now;
    return { type: 'tick', now };
  }

  #tick(): void {
    this.#cancelTick = this.#clock.after(limits.tickMs, () => this.#tick());
    const now = this.#clock.monotonicMs();
    this.#mailbox.push(this.#tickInput(now));
    const work = this.mempool.work();
    if (work.executable > 0) this.#onWork();
    if (this.#isWaitingInVain(work, now)) this.intake.repeat();
    if (now - this.#lastPollAt >= limits.syncPollMs && this.#hearsNobody()) {
      this.#lastPollAt = now;
      // Another one each time, also when only one is a validator: what one keeps to itself the next one tells.
      const peers = this.#peersFor([]);
      const peer = peers[this.#polls % Math.max(peers.length, 1)];
      this.#polls += 1;
      if (peer !== undefined) this.sync.poll(peer);
    }
  }

  /** Nobody tells it of blocks: an observer; and a member that follows no leader, which may be none any more and not know it. */
  #hearsNobody(): boolean {
    return this.validatorIndex === undefined || this.#engine.status().primary === null;
  }

  /** Something executable waits while blocks with room go final without it, or while none does: others may not know of it. */
  #isWaitingInVain({ oldestSince, passedOverSince }: PendingWork, now: MonotonicMs): boolean {
    const stalledSince = oldestSince === null ? now : Math.max(oldestSince, this.#lastFinalAt);
    return now - Math.min(passedOverSince ?? now, stalledSince) >= limits.regossipMs;
  }

  #obey(effect: Effect<M>): void {
    const { protocol, log } = this.#options;
    switch (effect.type) {
      case 'persist':
        return this.#persisting.persist(effect);
      case 'send':
        return this.messenger.send(effect.to, protocol.encode(effect.message), effect.urgent);
      case 'post':
        return this.messenger.send(effect.to, this.#signer.signLoosely(effect.message).bytes);
      case 'sign': {
        const { signature } = this.#signer.signLoosely(effect.message);
        return void this.#mailbox.push({ type: 'signed', key: effect.message.key, signature });
      }
      case 'build': {
        const { chain, mempool } = this;
        const { chainId } = this.#options.genesis;
        const self = this.#options.identity.publicKey;
        return void this.#mailbox.push(build({ chain, mempool, clock: this.#clock, chainId, self }, effect));
      }
      case 'validate':
        return this.#validation.validate(effect);
      case 'commit':
        this.#engineFinal = effect.link.height;
        return this.#committing.commit(effect);
      case 'sync':
        return this.sync.want(effect.height, effect.holders);
      case 'load':
        return this.#loading.load(effect);
      case 'answer': {
        const done = defined(this.#requests.get(effect.id), 'the request that is answered');
        this.#requests.delete(effect.id);
        return done(effect.result);
      }
      case 'members':
        this.#members = effect.members;
        return this.handshake.setKeys(
          effect.members.map(({ key }) => key),
          new Set(effect.members.flatMap(({ key, role }) => (role === 'removed' ? [key] : []))),
        );
      case 'compact':
        return this.#snapshots.compact(effect);
      case 'install':
        return this.#installing.install(effect);
      case 'stepped-down':
        for (const listener of this.#steppedDownListeners) this.#tell(() => listener(effect.reason));
        return;
      case 'evidence':
        return this.#onEvidence(effect);
      case 'verdict':
        return this.#onVerdict(effect.validator, effect.reason);
      case 'trace':
        return log.info(effect.event, effect.data);
      default:
        return unreachable(effect);
    }
  }

  #onCommitted(committed: Committed): void {
    const { height } = committed.block.header;
    this.#lastFinalAt = this.#clock.monotonicMs();
    this.#onWork();
    this.sync.applied(height);
    this.#announcing.announce(committed);
    this.clockWatch.look();
    for (const listener of this.#finalListeners) this.#tell(() => listener(committed));
  }

  /** What those who only listen do wrong is not the core's fault, and does not stop it. */
  #tell(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#options.log.error('a listener failed', { reason: String(error) });
    }
  }

  /** A snapshot became the final state: everything that looks at it goes on from there. */
  #onInstalled(final: FinalBlock): void {
    const { height, state } = final;
    const now = this.#clock.monotonicMs();
    this.chain.install(final);
    this.#snapshots.take();
    this.mempool.installed({ height, accountOf: state.account.bind(state), now });
    this.#engineFinal = height;
    this.#lastFinalAt = now;
    this.#onWork();
    this.sync.applied(height);
    this.#options.log.info('a snapshot was installed', { height });
  }

  /** Others are final above us. A validator hears that from the engine too, and need not fetch what it is about to finish itself. */
  #onAhead(height: Height): void {
    const distance = this.validatorIndex === undefined ? 0 : limits.maxPbftWindow;
    if (height > this.#engineFinal + distance) this.sync.want(height, []);
  }

  #onEvidence(effect: Extract<Effect<M>, { type: 'evidence' }>): void {
    const accused = this.handshake.keyAt(effect.accused);
    if (accused === undefined) return;
    const { kind, bytes } = effect;
    const fate = this.#options.store.evidence.put(
      { accused, kind, bytes },
      this.#turns.wrap((problem) => {
        if (problem !== undefined) throw problem;
      }),
    );
    if (fate === 'stored') this.#options.log.warn('a validator contradicted itself', { accused, kind });
  }

  #onVerdict(validator: ValidatorIndex, reason: string): void {
    const peer = this.handshake.peerOf(validator);
    if (peer !== undefined) this.#network.penalise(peer, reason);
  }
}
