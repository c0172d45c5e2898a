import { defined, invariant } from '../../../src/base/invariant.ts';
import type { Problem } from '../../../src/base/problem.ts';
import type { PublicKey } from '../../../src/crypto/signature.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import {
  type BlockHeader,
  hashHeader,
  type Height,
  type Proposal,
  toHeight,
} from '../../../src/ledger/block.ts';
import type { FinalityCertificate } from '../../../src/ledger/certificate.ts';
import { validatorSet } from '../../../src/ledger/validators.ts';
import type {
  BlockName,
  ChainLink,
  Effect,
  EngineRequest,
  Input,
  Verified,
} from '../../../src/consensus/engine.ts';
import { indexOf } from '../../../src/consensus/raft/configuration.ts';
import { RaftEngine } from '../../../src/consensus/raft/engine.ts';
import { checkLog } from '../../../src/consensus/raft/invariants.ts';
import { decodeMessage, encodeMessage, type RaftMessage } from '../../../src/consensus/raft/message.ts';
import type { RaftOptions } from '../../../src/consensus/raft/options.ts';
import { linkOf } from '../../../src/consensus/shared/chain-link.ts';
import { type EffectOf, EngineHost, type Validated } from '../../support/engine-host.ts';
import { chainId, childOf, genesisHeader, keyOf, signatureOf } from './world.ts';
import { encodeConfiguration } from '../../../src/ledger/members.ts';

export interface FinalBlock {
  readonly proposal: Proposal;
  readonly blockHash: Hash;
  readonly certificate: FinalityCertificate | null;
}

/** What survives a crash, besides the log and what is not final. */
interface Disk {
  /** Final blocks by height, without those that were pruned. */
  blocks: Map<number, FinalBlock>;
  final: { header: BlockHeader; hash: Hash; certificate: FinalityCertificate | null };
  compacted: { snapshot: BlockName; firstBlock: Height } | null;
  /** The block of the snapshot that was installed last: its body never came here. */
  installed: Disk['final'] | null;
  /** Transactions in blocks that came inside a snapshot (a real state remembers nonces instead). */
  done: readonly Hash[];
}

/** What the world around a host offers it. */
export interface Surroundings {
  readonly schedule: { readonly now: number; after(ms: number, run: () => void): void };
  readonly options: RaftOptions;
  readonly genesisMembers: number;
  post(from: number, to: number, message: RaftMessage): void;
  /** Another host, when it runs and can be reached. */
  reach(from: number, to: number): Host | undefined;
  hostOf(key: PublicKey): number;
  /** All hosts. */
  indexes(): readonly number[];
  /** All ever submitted, in order. */
  transactions(): readonly Hash[];
  /** A process begins: its engine stands, and has not stepped yet. */
  started(host: Host): void;
  /** Its disk is another one from now on. */
  lost(host: Host): void;
  afterStep(host: Host, input: Input<RaftMessage>, effects: readonly Effect<RaftMessage>[]): void;
  seedFor(index: number, starts: number): number;
}

/** Stands in for the driver of one node: answers what its engine asks, on a virtual clock and disk. */
export class Host extends EngineHost<RaftMessage, RaftEngine> {
  readonly disk: Disk;
  /** Something of its consensus log was on disk once. */
  used = false;
  diskMs = 2;
  executionMs = 1;
  /** Every other block takes so much longer to be checked than the one after it. */
  unevenMs = 0;
  /** A write is on disk for so long before the engine hears of it. */
  reportMs = 0;
  /** When not 0: final blocks go to disk by themselves, one in so much time, while the log's writes overtake them. */
  storingMs = 0;
  /** Writes are taken and never finish, until `resumeDisk`. */
  stalled = false;
  /** Blocks that this host finds invalid, or whose bodies nobody can give it. */
  readonly invalid = new Set<Hash>();
  withholdBodies = false;
  readonly answers = new Map<number, { readonly height: Height } | Problem>();
  readonly traces: { readonly at: number; readonly event: string; readonly data: object }[] = [];
  /** An older state of its disk, put aside. */
  #copy: {
    readonly records: Map<string, Uint8Array>;
    readonly candidates: Map<Hash, Proposal>;
    readonly disk: Disk;
  } | null = null;
  /** The disk is that copy, which the note beside the key shows until something is written. */
  #isPutBack = false;
  #known = new Map<Hash, Proposal>();
  /** Of blocks that came by sync: each with its own, as far as its server had it. */
  readonly #certificates = new Map<Hash, FinalityCertificate>();
  #queue: { readonly run: () => void; readonly done: () => void }[] = [];
  #writing = false;
  #storing: { readonly after: number; readonly run: () => void }[] = [];
  /** Writes that are done, in this life. */
  #written = 0;
  /** Final blocks among the writes of the log. */
  #inQueue = 0;
  #life = 0;
  #seenWork = -1;
  #seenPool = '';
  #request = 0;
  #validations = 0;
  /** What came in while the process stood still; null while it runs. */
  #missed: Input<RaftMessage>[] | null = null;
  readonly #world: Surroundings;

  constructor(index: number, world: Surroundings) {
    super(index);
    this.#world = world;
    this.disk = emptyDisk(world.genesisMembers);
  }

  override finalBlock(): BlockName {
    const { header, hash } = this.disk.final;
    return { height: header.height, blockHash: hash };
  }

  protected override blockOf(hash: Hash): Proposal | undefined {
    return this.#known.get(hash);
  }

  protected override pool(): Iterable<Hash> {
    return this.#world.transactions();
  }

  protected override earlierTransactions(): Iterable<Hash> {
    return this.disk.done;
  }

  protected override faultOf(hash: Hash): Validated | null {
    if (this.withholdBodies) return { verdict: 'unavailable', reason: 'nobody has it' };
    return this.invalid.has(hash) ? { verdict: 'invalid', reason: 'its roots differ' } : null;
  }

  get state(): RaftEngine['replica']['state'] {
    return defined(this.engine, `engine of ${this.index}`).replica.state;
  }

  get leads(): boolean {
    return this.engine !== null && this.state.role.kind === 'leader';
  }

  start(firstUse = !this.used): void {
    invariant(this.engine === null, 'a host is started once');
    const validators = validatorSet(
      Array.from({ length: this.#world.genesisMembers }, (_, index) => keyOf(index)),
    );
    const { disk } = this;
    this.#known = new Map([...this.candidates, ...[...disk.blocks.values()].map(knownPair)]);
    this.#seenWork = -1;
    this.#seenPool = '';
    const engine = new RaftEngine(
      {
        epoch: { height: toHeight(0), blockHash: chainId },
        chainId,
        validators,
        self: keyOf(this.index),
        final: disk.final,
        records: this.records,
        candidates: [],
        ...(disk.compacted === null ? {} : { compacted: disk.compacted }),
        log: firstUse ? 'new' : this.records.size > 0 && !this.#isPutBack ? 'whole' : 'lost',
        now: this.#world.schedule.now,
        seed: this.#world.seedFor(this.index, this.starts + 1),
      },
      this.#world.options,
    );
    this.begin(engine);
    this.#life += 1;
    this.#world.started(this);
    this.#tick(this.#life);
  }

  /** kill -9: what was not synced is gone. */
  crash(): void {
    this.engine = null;
    this.#life += 1;
    this.#queue = [];
    this.#writing = false;
    this.#storing = [];
    this.#inQueue = 0;
    this.#written = 0;
    this.#missed = null;
  }

  get paused(): boolean {
    return this.#missed !== null;
  }

  /** kill -STOP: messages and all else wait. */
  pause(): void {
    if (this.engine !== null) this.#missed ??= [];
  }

  /** kill -CONT: the clock has gone on, which the driver tells first. */
  resume(): void {
    const missed = this.#missed;
    if (missed === null) return;
    this.#missed = null;
    const { now } = this.#world.schedule;
    this.give({ type: 'tick', now, lateMs: now - this.state.now });
    for (const input of missed) if (input.type !== 'tick') this.give(input);
  }

  /** The directory is empty after this. */
  wipe(): void {
    this.#isPutBack = false;
    this.records = new Map();
    this.candidates = new Map();
    this.#world.lost(this);
  }

  /** Puts a copy of its disk aside. */
  backUp(): void {
    const { records, candidates, disk } = this;
    this.#copy = {
      records: new Map(records),
      candidates: new Map(candidates),
      disk: { ...disk, blocks: new Map(disk.blocks) },
    };
  }

  /** The disk is the copy that was put aside, if there is one. */
  putBack(): boolean {
    const copy = this.#copy;
    if (copy === null) return false;
    this.wipe();
    this.records = new Map(copy.records);
    this.candidates = new Map(copy.candidates);
    Object.assign(this.disk, copy.disk, { blocks: new Map(copy.disk.blocks) });
    this.#isPutBack = true;
    return true;
  }

  /** The same, and the chain is gone too. */
  lose(): void {
    Object.assign(this.disk, emptyDisk(this.#world.genesisMembers));
    this.wipe();
  }

  #tick(life: number): void {
    if (life !== this.#life) return;
    const pool = `${this.disk.final.hash} ${this.#world.transactions().length}`;
    const waiting = pool === this.#seenPool ? this.#seenWork : this.waitingOn(this.disk.final.hash).length;
    this.#seenPool = pool;
    if (waiting !== this.#seenWork) {
      this.#seenWork = waiting;
      const since = waiting > 0 ? this.#world.schedule.now : null;
      this.give({ type: 'work', work: { executable: waiting, oldestSince: since, passedOverSince: null } });
    }
    this.give({ type: 'tick', now: this.#world.schedule.now });
    this.#world.schedule.after(10, () => this.#tick(life));
  }

  give(input: Input<RaftMessage>): void {
    if (this.engine === null) return;
    if (this.#missed !== null) {
      this.#missed.push(input);
      return;
    }
    const effects = this.take(this.engine, input);
    checkLog(this.engine.replica);
    this.#world.afterStep(this, input, effects);
    for (const effect of effects) this.#execute(effect);
  }

  receive(message: RaftMessage): void {
    // Through bytes, so that every message that a test sends is also a codec test.
    const copy = decodeMessage(encodeMessage(message)) as RaftMessage;
    this.give({ type: 'message', message: copy as Verified<RaftMessage> });
  }

  ask(request: EngineRequest): number {
    this.#request += 1;
    const id = this.#request;
    this.give({ type: 'request', id, request });
    return id;
  }

  resumeDisk(): void {
    this.stalled = false;
    this.#nextWrite();
  }

  #later(ms: number, run: () => void): void {
    const life = this.#life;
    this.#world.schedule.after(ms, () => {
      if (life === this.#life) run();
    });
  }

  /** Writes are durable in the order of the calls. */
  #write(run: () => void, done: () => void): void {
    this.#queue.push({ run, done });
    this.#nextWrite();
  }

  #nextWrite(): void {
    const next = this.#queue[0];
    if (next === undefined || this.#writing || this.stalled) return;
    this.#writing = true;
    this.#later(this.diskMs, () => {
      if (this.stalled) {
        this.#writing = false;
        return;
      }
      this.#queue.shift();
      this.#written += 1;
      next.run();
      const report = (): void => {
        this.#writing = false;
        next.done();
        this.#nextWrite();
      };
      if (this.reportMs === 0) report();
      else this.#later(this.reportMs, report);
    });
  }

  #execute(effect: Effect<RaftMessage>): void {
    switch (effect.type) {
      case 'send': {
        const to = effect.to === 'all' ? this.state.configuration.keys() : effect.to;
        for (const member of to) this.#world.post(this.index, this.#hostOf(member), effect.message);
        break;
      }
      case 'persist':
        this.#write(
          () => {
            this.used = true;
            this.#isPutBack = false;
            this.store(effect);
          },
          () => this.give({ type: 'persisted', seq: effect.seq, signed: [] }),
        );
        break;
      case 'sign':
        this.#later(0, () =>
          this.give({
            type: 'signed',
            key: effect.message.key,
            signature: signatureOf(this.index, this.disk.final.hash),
          }),
        );
        break;
      case 'build':
        this.#later(this.executionMs, () => this.#build(effect));
        break;
      case 'validate':
        if (effect.proposal !== null) this.#known.set(effect.blockHash, effect.proposal);
        this.#validations += 1;
        this.#later(this.executionMs + (this.#validations % 2) * this.unevenMs, () => {
          const { blockHash } = effect;
          this.give({ type: 'validated', blockHash, result: this.validate(blockHash) });
        });
        break;
      case 'commit':
        this.#commit(effect.link, effect.certificate);
        break;
      case 'load':
        this.#later(1, () => this.#load(effect));
        break;
      case 'answer':
        invariant(!this.answers.has(effect.id), 'a request is answered once');
        this.answers.set(effect.id, effect.result);
        break;
      case 'sync':
        // Not at once: the effects after this one come first.
        for (const holder of effect.holders.map((member) => this.#hostOf(member)))
          this.#later(0, () => this.syncFrom(holder));
        break;
      case 'compact':
        this.#later(5, () => this.#compact(effect.height, effect.keepFrom));
        break;
      case 'install':
        this.#later(20, () => this.#install(effect.snapshot, effect.holders));
        break;
      case 'trace':
        this.traces.push({ at: this.#world.schedule.now, event: effect.event, data: effect.data });
        break;
      case 'members':
      case 'stepped-down':
      case 'view':
      case 'verdict':
      case 'evidence':
      case 'post':
        break;
    }
  }

  /** A member's index and its host's are the same for genesis members; later ones get theirs in the order of coming. */
  #hostOf(member: number): number {
    return this.#world.hostOf(defined(this.state.configuration[member], `member ${member}`).key);
  }

  #build(effect: EffectOf<RaftMessage, 'build'>): void {
    const parent =
      effect.parentHash === this.disk.final.hash
        ? this.disk.final.header
        : defined(this.#known.get(effect.parentHash), 'the parent of a block').header;
    const transactions = effect.mustBeEmpty === true ? [] : this.waitingOn(effect.parentHash).slice(0, 4);
    const proposal =
      transactions.length === 0 && !effect.allowEmpty
        ? null
        : childOf(parent, {
            view: effect.view,
            proposer: this.index,
            transactions,
            nextValidatorsHash: effect.nextValidatorsHash,
          });
    if (proposal !== null) this.#known.set(hashHeader(proposal.header), proposal);
    this.give({ type: 'built', parentHash: effect.parentHash, view: effect.view, proposal });
  }

  #commit(link: ChainLink, certificate: FinalityCertificate | null): void {
    const store = (): void => {
      const { disk } = this;
      invariant(link.height === disk.final.header.height + 1, 'blocks become final in order');
      invariant(link.parentHash === disk.final.hash, 'final blocks link');
      const proposal = defined(this.#known.get(link.blockHash), 'a final block');
      const { blockHash } = link;
      const own = certificate ?? this.#certificates.get(blockHash) ?? null;
      disk.blocks.set(link.height, { proposal, blockHash, certificate: own });
      this.candidates.delete(blockHash);
      disk.final = { header: proposal.header, hash: blockHash, certificate: own };
    };
    const applied = (): void => this.give({ type: 'applied', height: link.height });
    if (this.#storing.length === 0 && (this.storingMs === 0 || this.#inQueue > 0)) {
      this.#inQueue += 1;
      this.#write(store, () => {
        this.#inQueue -= 1;
        applied();
      });
      return;
    }
    this.#storing.push({
      after: this.#written + this.#queue.length,
      run: () => {
        store();
        applied();
      },
    });
    if (this.#storing.length === 1) this.#storeNext();
  }

  #storeNext(): void {
    this.#later(Math.max(this.storingMs, this.diskMs), () => {
      const next = defined(this.#storing[0], 'a final block to store');
      // Nothing final comes to disk before a write that was asked for earlier; later ones may overtake it.
      if (this.#written < next.after) {
        this.#storeNext();
        return;
      }
      next.run();
      this.#storing.shift();
      if (this.#storing.length > 0) this.#storeNext();
    });
  }

  #load({ blocks }: EffectOf<RaftMessage, 'load'>): void {
    this.give({
      type: 'loaded',
      blocks: blocks.map(({ height, blockHash }) => {
        const final = this.disk.blocks.get(height);
        if (final !== undefined && (blockHash === null || final.blockHash === blockHash)) {
          return { height, block: final };
        }
        const proposal = blockHash === null ? undefined : this.#known.get(blockHash);
        if (proposal === undefined || blockHash === null) return { height, block: null };
        return { height, block: { blockHash, proposal, certificate: null } };
      }),
    });
  }

  #compact(height: Height, keepFrom: Height): void {
    const { disk } = this;
    // Another snapshot may have come meanwhile: then it is of the final block.
    const block = disk.blocks.get(height);
    const name =
      block === undefined
        ? { height: disk.final.header.height, blockHash: disk.final.hash }
        : { height, blockHash: block.blockHash };
    for (const [old, { proposal }] of disk.blocks) {
      if (old >= keepFrom) continue;
      // The state remembers them, and so does this host after a restart.
      disk.done = [...disk.done, ...proposal.transactionHashes];
      disk.blocks.delete(old);
    }
    disk.compacted = { snapshot: name, firstBlock: keepFrom };
    this.give({ type: 'compacted', ...disk.compacted });
  }

  #install(snapshot: BlockName, holders: readonly number[]): void {
    if (this.#storing.length > 0) {
      this.#later(20, () => this.#install(snapshot, holders));
      return;
    }
    const asked = holders.length > 0 ? holders.map((holder) => this.#hostOf(holder)) : this.#world.indexes();
    const source = asked
      .map((index) => (index === this.index ? undefined : this.#world.reach(this.index, index)))
      .find((host) => host !== undefined && host.holdsState(snapshot));
    const header =
      [source?.disk.final, source?.disk.installed].find((known) => known?.hash === snapshot.blockHash) ??
      source?.disk.blocks.get(snapshot.height);
    if (source === undefined || header === undefined) {
      this.give({ type: 'install-failed', height: snapshot.height, reason: 'nobody has it' });
      return;
    }
    const found =
      'header' in header
        ? { header: header.header, certificate: header.certificate }
        : { header: header.proposal.header, certificate: header.certificate };
    const done = [...source.transactionsUpTo(snapshot.blockHash)];
    this.give({ type: 'installing', height: snapshot.height, received: 1, total: 2 });
    this.#write(
      () => {
        this.disk.final = { header: found.header, hash: snapshot.blockHash, certificate: found.certificate };
        this.disk.installed = this.disk.final;
        this.disk.blocks = new Map();
        this.disk.done = done;
        this.disk.compacted = { snapshot, firstBlock: toHeight(snapshot.height + 1) };
      },
      () => {
        this.give({
          type: 'installed',
          header: found.header,
          blockHash: snapshot.blockHash,
          certificate: found.certificate as FinalityCertificate,
        });
      },
    );
  }

  /** Sync found that the next block was pruned, and the snapshot that comes in its place. */
  #offeredBy(source: Host): void {
    const { snapshot } = defined(source.disk.compacted, 'a snapshot');
    const { configuration, configurationHeight } = source.state;
    const holder = indexOf(this.state.configuration, keyOf(source.index));
    const { installed } = source.disk;
    const block = source.disk.blocks.get(snapshot.height);
    const header = installed?.hash === snapshot.blockHash ? installed.header : block?.proposal.header;
    const own = installed?.hash === snapshot.blockHash ? installed.certificate : block?.certificate;
    if (header === undefined || snapshot.height < configurationHeight) return;
    const certificate = { ...own, configuration: encodeConfiguration(configuration) };
    this.give({
      type: 'offered',
      header,
      blockHash: snapshot.blockHash,
      certificate: certificate as Verified<FinalityCertificate>,
      // It may be a member only later: then whoever else can be reached is asked.
      holders: holder === null ? [] : [holder],
    });
  }

  /** Can serve this snapshot. */
  holdsState({ height, blockHash }: BlockName): boolean {
    const { final, installed, blocks } = this.disk;
    return (
      final.hash === blockHash || installed?.hash === blockHash || blocks.get(height)?.blockHash === blockHash
    );
  }

  /** Block sync: final blocks of another host, in runs that end where the members change. */
  syncFrom(holder: number): void {
    const source = this.#world.reach(this.index, holder);
    if (source === undefined || this.engine === null) return;
    if ((source.disk.compacted?.firstBlock ?? 0) > this.state.delivered + 1) {
      this.#offeredBy(source);
      return;
    }
    let chain: ChainLink[] = [];
    for (let height = this.state.delivered + 1; ; height++) {
      const block = source.disk.blocks.get(height);
      if (block === undefined) break;
      const { header } = block.proposal;
      this.#known.set(block.blockHash, block.proposal);
      if (block.certificate !== null) this.#certificates.set(block.blockHash, block.certificate);
      chain.push(linkOf(header, block.blockHash));
      const ends = header.validatorsHash !== header.nextValidatorsHash || !source.disk.blocks.has(height + 1);
      if (!ends) continue;
      if (block.certificate === null) break;
      this.give({
        type: 'synced',
        chain,
        certificate: block.certificate as Verified<FinalityCertificate>,
        header,
      });
      chain = [];
    }
  }
}

function emptyDisk(members: number): Disk {
  const header = genesisHeader(members);
  const final = { header, hash: hashHeader(header), certificate: null };
  return { blocks: new Map(), final, compacted: null, installed: null, done: [] };
}

function knownPair({ blockHash, proposal }: FinalBlock): [Hash, Proposal] {
  return [blockHash, proposal];
}
