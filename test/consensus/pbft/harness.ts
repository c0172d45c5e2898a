import { concat, toHex, utf8 } from '../../../src/base/bytes.ts';
import { decode } from '../../../src/base/codec.ts';
import { defined } from '../../../src/base/invariant.ts';
import { limits } from '../../../src/base/limits.ts';
import { type RandomState, nextBelow, nextFloat, seedRandom } from '../../../src/base/random.ts';
import { unwrap } from '../../../src/base/problem.ts';
import { hash, type Hash, zeroHash } from '../../../src/crypto/hash.ts';
import type { PublicKey, Signature } from '../../../src/crypto/signature.ts';
import type {
  BlockName,
  Effect,
  Input,
  Unsigned,
  ValidatorIndex,
  Verified,
} from '../../../src/consensus/engine.ts';
import type { LogTrust } from '../../../src/consensus/protocol.ts';
import { PbftEngine } from '../../../src/consensus/pbft/engine.ts';
import { messageCodec } from '../../../src/consensus/pbft/message-codec.ts';
import type { Draft, PbftMessage, ViewChange } from '../../../src/consensus/pbft/message.ts';
import { toUnsigned } from '../../../src/consensus/pbft/signing.ts';
import { defaultPbftOptions, type PbftOptions } from '../../../src/consensus/pbft/options.ts';
import { linkOf } from '../../../src/consensus/shared/chain-link.ts';
import {
  type BlockHeader,
  hashHeader,
  type Height,
  type Proposal,
  toHeight,
  toView,
  type View,
} from '../../../src/ledger/block.ts';
import type { Certificate, FinalityCertificate } from '../../../src/ledger/certificate.ts';
import { type ValidatorSet, validatorSet } from '../../../src/ledger/validators.ts';
import { type EffectOf, EngineHost, type Validated } from '../../support/engine-host.ts';

/**
 * Engines alone, without driver, ledger and signatures: a block is a header with no transactions, and everything that
 * was sent is taken as verified. Nothing happens but what a test asks for.
 */
export class Committee {
  readonly chainId = hash('quorate/v1/chain', new Uint8Array([1]));
  readonly keys: PublicKey[];
  readonly validators;
  readonly genesis: BlockHeader;
  readonly nodes: TestNode[];
  readonly options: PbftOptions;
  readonly random: RandomState;
  /** All blocks ever built, as if every node could always supply every block. */
  readonly blocks = new Map<Hash, BlockHeader>();
  readonly invalid = new Set<Hash>();
  now = 0;
  /** The blocks at these heights decide that the keys of these nodes are the next validators. */
  readonly changes = new Map<number, readonly ValidatorIndex[]>();
  /** How many transactions there were, and the blocks that hold them. */
  units = 0;
  readonly contents = new Map<Hash, readonly Hash[]>();
  /** Messages on the way. */
  wire: { from: ValidatorIndex; to: ValidatorIndex; message: PbftMessage }[] = [];
  /** Decides what arrives; everything by default. */
  deliverable: (from: ValidatorIndex, to: ValidatorIndex, message: PbftMessage) => boolean = () => true;

  constructor(
    n: number,
    setup: {
      options?: Partial<PbftOptions>;
      seed?: number;
      firstUse?: boolean;
      /** How many of the nodes are validators at first; all unless given. */
      validators?: number;
    } = {},
  ) {
    this.options = { ...defaultPbftOptions, ...setup.options };
    this.random = seedRandom(setup.seed ?? 1);
    this.keys = Array.from(
      { length: n },
      (_, index) => toHex(new Uint8Array(32).fill(index + 1)) as PublicKey,
    );
    this.validators = validatorSet(this.keys.slice(0, setup.validators ?? n));
    this.genesis = this.header({ height: 0, parentHash: this.chainId, view: 0, proposer: 0, salt: 0 });
    this.nodes = this.keys.map((_, index) => new TestNode(this, index));
    for (const node of this.nodes) node.start(setup.firstUse ?? true);
    this.run();
    for (const node of this.nodes) node.effects = [];
  }

  node(index: ValidatorIndex): TestNode {
    return defined(this.nodes[index], `node ${index}`);
  }

  header(fields: {
    height: number;
    parentHash: Hash;
    view: number;
    proposer: ValidatorIndex;
    salt: number;
  }): BlockHeader {
    const header: BlockHeader = {
      height: toHeight(fields.height),
      parentHash: fields.parentHash,
      view: toView(fields.view),
      proposer: defined(this.keys[fields.proposer], 'proposer'),
      timestamp: fields.salt + 1,
      protocolVersion: 1,
      transactionRoot: zeroHash,
      stateRoot: zeroHash,
      receiptsRoot: zeroHash,
      validatorsHash: this.setAt(fields.height).validators.hash,
      nextValidatorsHash: this.setAt(fields.height + 1).validators.hash,
    };
    return header;
  }

  /** There is a block with this header now; returns its hash. */
  add(header: BlockHeader): Hash {
    const blockHash = hashHeader(header);
    this.blocks.set(blockHash, header);
    return blockHash;
  }

  /** Who votes on the block at this height, and the height after which they do. */
  setAt(height: number): { readonly validators: ValidatorSet; readonly epoch: number } {
    let set = { validators: this.validators, epoch: 0 };
    for (const [at, nodes] of [...this.changes].sort(([a], [b]) => a - b)) {
      if (at >= height) break;
      set = { validators: validatorSet(nodes.map((node) => this.node(node).key)), epoch: at };
    }
    return set;
  }

  /** The node that a message claims to be from. */
  senderOf({ epoch, from }: PbftMessage): ValidatorIndex {
    return this.keys.indexOf(defined(this.setAt(epoch + 1).validators.keys[from], 'a validator'));
  }

  /** Delivers what is on the way, in order, until nothing is left or `most` were delivered. */
  run(most = 100_000): void {
    for (let count = 0; this.wire.length > 0 && count < most; count++) {
      const next = this.wire.shift();
      if (next !== undefined) this.deliver(next);
    }
  }

  deliver({ from, to, message }: { from: ValidatorIndex; to: ValidatorIndex; message: PbftMessage }): void {
    if (!this.deliverable(from, to, message)) return;
    // A NewView is sent on by others than its primary, too.
    this.node(to).receive(message, from === this.senderOf(message));
  }

  /** Lets time pass in steps of `step` ms, delivering everything after each. */
  pass(ms: number, step = 100): void {
    for (const end = this.now + ms; this.now < end;) {
      this.now = Math.min(end, this.now + step);
      for (const node of this.nodes) {
        node.step({ type: 'tick', now: this.now });
        node.poll();
      }
      this.run();
    }
  }

  /** One more transaction reaches every live node. */
  work(): void {
    this.units += 1;
    const transaction = hash('quorate/v1/transaction', utf8(`transaction ${this.units}`));
    for (const node of this.nodes) node.learn(transaction);
  }

  /** Makes blocks until somebody has one at this height; gives up after twice as many transactions. */
  grow(height: number): void {
    for (let round = 0; Math.max(...this.heights()) < height && round < 2 * height; round++) {
      this.work();
      this.run();
    }
  }

  /** Whatever one likes, signed by whom it says. */
  say(draft: Draft): PbftMessage {
    return this.sayIn(0, draft);
  }

  /** The same in the epoch that began with the block at this height. */
  sayIn(start: number, draft: Draft): PbftMessage {
    const { hash: validatorsHash } = this.setAt(start + 1).validators;
    return sign(
      toUnsigned(draft, { chainId: this.chainId, epoch: toHeight(start), validatorsHash }),
      draft.from,
    );
  }

  /** What made a block final on replica 0. */
  certificateAt(height: number): Certificate | undefined {
    const certificate = this.node(0).certificates.get(toHeight(height));
    return certificate?.engine === 'pbft' ? certificate : undefined;
  }

  /** A ViewChange of a replica that prepared nothing above what is final there, but for `rest`. */
  viewChange(from: ValidatorIndex, view: number, rest: Partial<ViewChange> = {}): PbftMessage {
    const finalHeight = rest.finalHeight ?? this.node(from).finalHeight();
    return this.say({
      kind: 'view-change',
      from,
      view: toView(view),
      finalHeight,
      finalCertificate: this.certificateAt(finalHeight),
      highest: undefined,
      ...rest,
    });
  }

  heights(): number[] {
    return this.nodes.map((node) => node.finalHeight());
  }

  /** Throws when two nodes hold different final blocks at one height. */
  checkAgreement(liars: readonly ValidatorIndex[] = []): void {
    const decided = new Map<Height, Hash>();
    for (const node of this.nodes) {
      if (liars.includes(node.index)) continue;
      for (const [height, blockHash] of [...node.chain, ...node.lost]) {
        const other = decided.get(height);
        if (other !== undefined && other !== blockHash) {
          throw new Error(`two blocks are final at height ${height}: ${other} and ${blockHash}`);
        }
        decided.set(height, blockHash);
      }
    }
  }
}

let builds = 0;
const markKey = 'node-written';

export class TestNode extends EngineHost<PbftMessage, PbftEngine> {
  readonly committee: Committee;
  /** What the driver knows of its key's use, when an epoch begins. */
  epochSeen = false;
  /** What survives a crash, besides the log. */
  readonly chain = new Map<Height, Hash>();
  certificates = new Map<Height, FinalityCertificate>();
  /** Blocks that became final here, and that a crash took before they were stored. */
  lost = new Map<Height, Hash>();
  /** The mempool. */
  readonly units = new Set<Hash>();
  /** Persists are done at once unless a test holds them. */
  holdPersists = false;
  held: EffectOf<PbftMessage, 'persist'>[] = [];
  /** Writes with this key, as noted beside it: a log that holds fewer is lost, or an old copy. */
  written = 0;
  /** Blocks that this process asked to have stored, or found stored. */
  handed = new Set<Hash>();
  /** Final blocks are stored at once unless a test holds them: bodies are fetched, runs are batched, and the log may be faster. */
  holdCommits = false;
  unstored: EffectOf<PbftMessage, 'commit'>[] = [];
  effects: Effect<PbftMessage>[] = [];
  /** How far each block of others is ahead of this node's clock, besides what the maker's clock is; above 10 s it is early. */
  aheadMs = 0;
  clockAheadMs = 0;
  /** Overrules what comes of validating a block; null leaves it. */
  judge: (blockHash: Hash) => Validated | null = () => null;
  /** Changes what leaves; for liars. */
  tamper: (to: ValidatorIndex, message: PbftMessage) => PbftMessage[] = (_, message) => [message];

  constructor(committee: Committee, index: ValidatorIndex) {
    super(index);
    this.committee = committee;
  }

  override finalBlock(): BlockName {
    return { height: this.finalHeight(), blockHash: this.finalHash() };
  }

  protected override blockOf(blockHash: Hash): Proposal | undefined {
    const header = this.committee.blocks.get(blockHash);
    return header && { header, transactionHashes: this.committee.contents.get(blockHash) ?? [] };
  }

  protected override pool(): Iterable<Hash> {
    return this.units;
  }

  protected override faultOf(blockHash: Hash): Validated | null {
    return this.committee.invalid.has(blockHash) ? { verdict: 'invalid', reason: 'test' } : null;
  }

  start(firstUse: boolean, trust = this.trust(firstUse)): void {
    const { committee } = this;
    const height = this.finalHeight();
    const blockHash = this.finalHash();
    const certificate = this.certificates.get(height) ?? null;
    this.handed = new Set(this.candidates.keys());
    const engine = new PbftEngine(
      {
        chainId: committee.chainId,
        ...this.epochOf(height),
        epochSeen: this.epochSeen,
        self: defined(committee.keys[this.index], 'own key'),
        final: { header: committee.blocks.get(blockHash) ?? committee.genesis, hash: blockHash, certificate },
        records: new Map([...this.records].filter(([key]) => key !== markKey)),
        candidates: [...this.candidates].map(([candidate, { header }]) => linkOf(header, candidate)),
        log: trust,
        now: committee.now,
        seed: this.index + 1_000 * (this.starts + 1),
      },
      committee.options,
    );
    this.begin(engine);
    this.step({ type: 'tick', now: committee.now });
    this.step(this.pending());
  }

  get key(): PublicKey {
    return defined(this.committee.keys[this.index], 'own key');
  }

  /** Where the block above this height stands, as a driver reads it off its disk. */
  epochOf(height: number): { readonly validators: ValidatorSet; readonly epoch: BlockName } {
    const { validators, epoch } = this.committee.setAt(height + 1);
    const blockHash = this.chain.get(toHeight(epoch)) ?? hashHeader(this.committee.genesis);
    return { validators, epoch: { height: toHeight(epoch), blockHash } };
  }

  /** The epoch that its engine is in. */
  epoch(): number {
    return this.epochOf(this.finalHeight()).epoch.height;
  }

  /** What a node tells its engine of the log that it starts with. */
  trust(firstUse: boolean): LogTrust {
    if (firstUse) return this.starts === 0 ? 'whole' : 'vouched';
    const held = Buffer.from(this.records.get(markKey) ?? '0').toString();
    return held === String(this.written) ? 'whole' : 'lost';
  }

  crash(): void {
    this.engine = null;
    this.held = [];
    for (const { link } of this.unstored) this.lost.set(link.height, link.blockHash);
    this.unstored = [];
  }

  /** Everything but its key is gone; it must be started again. */
  loseDisk(): void {
    this.crash();
    for (const [height, blockHash] of this.chain) this.lost.set(height, blockHash);
    this.records = new Map();
    this.candidates = new Map();
    this.chain.clear();
    this.certificates = new Map();
  }

  restart(): void {
    this.start(false);
  }

  finalHeight(): Height {
    return toHeight(Math.max(0, ...this.chain.keys()));
  }

  learn(unit: Hash): void {
    this.units.add(unit);
    this.step(this.pending());
  }

  finalHash(): Hash {
    return this.chain.get(this.finalHeight()) ?? hashHeader(this.committee.genesis);
  }

  pending(): Input<PbftMessage> {
    const executable = this.waitingOn(this.finalHash()).length;
    return {
      type: 'work',
      work: { executable, oldestSince: executable > 0 ? this.committee.now : null, passedOverSince: null },
    };
  }

  /** `direct`: on its sender's own stream. Otherwise anybody brings it. */
  receive(message: PbftMessage, direct = false): void {
    if (this.engine === null) return;
    // What is of a later epoch makes a node ask its sender for blocks.
    if (message.epoch > this.epoch()) {
      for (const input of this.syncFrom(this.committee.senderOf(message))) this.step(input);
    }
    if (!this.engine.wants(message, direct)) return;
    this.step({ type: 'message', message: message as Verified<PbftMessage>, direct });
  }

  /** Also what is not wanted any more by the time its signature is checked. */
  force(message: PbftMessage): void {
    this.step({ type: 'message', message: message as Verified<PbftMessage> });
  }

  /** Lets time pass for this replica alone. */
  tick(ms: number, step = 20): void {
    const { committee } = this;
    for (const end = committee.now + ms; committee.now < end;) {
      committee.now += step;
      this.step({ type: 'tick', now: committee.now });
    }
  }

  /** The process stands still, and its first tick comes so late. */
  standStill(ms: number): void {
    this.committee.now += ms;
    this.step({ type: 'tick', now: this.committee.now, lateMs: ms });
  }

  /** The keys of what it signed durably since its effects were emptied last. */
  signed(): string[] {
    return this.effects.flatMap((effect) =>
      effect.type === 'persist' ? effect.sign.map(({ key }) => key) : [],
    );
  }

  step(input: Input<PbftMessage>): void {
    const queue: Input<PbftMessage>[] = [input];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (this.engine === null) return;
      const here = blocksIn(next);
      for (const effect of this.take(this.engine, next)) {
        this.effects.push(effect);
        if (effect.type === 'persist') {
          const gone = effect.blocks.find((hash) => !here.includes(hash) && !this.handed.has(hash));
          if (gone !== undefined) throw new Error(`the driver may have let block ${gone} go by now`);
          for (const hash of effect.blocks) this.handed.add(hash);
        }
        queue.push(...this.execute(effect));
      }
    }
  }

  execute(effect: Effect<PbftMessage>): Input<PbftMessage>[] {
    const { committee } = this;
    switch (effect.type) {
      case 'persist':
        if (this.holdPersists) {
          this.held.push(effect);
          return [];
        }
        return [this.write(effect)];
      case 'send':
        this.send(effect.to, effect.message);
        return [];
      case 'post':
        this.send(effect.to, sign(effect.message, this.index));
        return [];
      case 'build': {
        const units = this.waitingOn(effect.parentHash);
        if (units.length === 0 && !effect.allowEmpty)
          return [this.built(effect.parentHash, effect.view, null)];
        builds += 1;
        const header = committee.header({
          height: effect.height,
          parentHash: effect.parentHash,
          view: effect.view,
          proposer: this.index,
          salt: builds,
        });
        committee.contents.set(committee.add(header), units);
        return [this.built(effect.parentHash, effect.view, { header, transactionHashes: [] })];
      }
      case 'validate': {
        const { blockHash } = effect;
        return [{ type: 'validated', blockHash, result: this.validate(blockHash) }];
      }
      case 'commit':
        if (!this.holdCommits) return this.finalize(effect);
        this.unstored.push(effect);
        return [];
      case 'sync':
        return this.sync(effect.holders);
      case 'members':
      case 'evidence':
      case 'verdict':
      case 'trace':
      case 'view':
        return [];
      case 'answer':
      case 'compact':
      case 'install':
      case 'load':
      case 'sign':
      case 'stepped-down':
        throw new Error(`PBFT does not ask for ${effect.type}`);
    }
  }

  protected override validate(blockHash: Hash): Validated {
    const overruled = this.judge(blockHash);
    if (overruled !== null) return overruled;
    const result = super.validate(blockHash);
    if (result.verdict !== 'valid') return result;
    const { nodes, keys, blocks } = this.committee;
    const maker = nodes.find(({ index }) => keys[index] === blocks.get(blockHash)?.proposer);
    const aheadMs = this.aheadMs + (maker?.clockAheadMs ?? 0) - this.clockAheadMs;
    return aheadMs > limits.maxClockAheadMs ? { ...result, verdict: 'early', aheadMs } : result;
  }

  /** One persist reaches the disk. */
  write(effect: EffectOf<PbftMessage, 'persist'>): Input<PbftMessage> {
    this.written += 1;
    this.records.set(markKey, Buffer.from(String(this.written)));
    this.store(effect);
    const signed = effect.sign.map((unsigned) => sign(unsigned, this.index));
    for (const unsigned of effect.sign) this.records.set(unsigned.key, bytesOf(unsigned, this.index));
    for (const blockHash of effect.forget ?? []) this.handed.delete(blockHash);
    return { type: 'persisted', seq: effect.seq, signed };
  }

  /** One final block reaches the disk. */
  finalize(effect: EffectOf<PbftMessage, 'commit'>): Input<PbftMessage>[] {
    this.chain.set(effect.link.height, effect.link.blockHash);
    if (effect.certificate !== null) this.certificates.set(effect.link.height, effect.certificate);
    this.candidates.delete(effect.link.blockHash);
    const { height, isLast } = effect.link;
    const next = isLast ? { validators: this.committee.setAt(height + 1).validators } : {};
    return [{ type: 'applied', height, ...next, epochSeen: this.epochSeen }, this.pending()];
  }

  /** Final blocks are stored up to the last one that has its own certificate, as the driver stores them. */
  releaseCommits(): void {
    const { unstored } = this;
    this.holdCommits = false;
    this.unstored = [];
    for (const effect of unstored) for (const input of this.finalize(effect)) this.step(input);
  }

  releasePersists(): void {
    const { held } = this;
    this.held = [];
    this.holdPersists = false;
    for (const effect of held) this.step(this.write(effect));
  }

  sync(holders: readonly ValidatorIndex[]): Input<PbftMessage>[] {
    const { keys } = this.epochOf(this.finalHeight()).validators;
    for (const holder of holders) {
      const key = keys[holder];
      const inputs = key === undefined ? [] : this.syncFrom(this.committee.keys.indexOf(key));
      if (inputs.length > 0) return inputs;
    }
    return [];
  }

  /** Who is told nothing asks the others in turn for blocks: who only follows, or hears of no quorum. */
  poll(): void {
    const { engine, committee } = this;
    if (engine === null || committee.changes.size === 0) return;
    const isMember = this.epochOf(this.finalHeight()).validators.keys.includes(this.key);
    if (isMember && engine.status().quorumContact) return;
    for (const { index } of committee.nodes) for (const input of this.syncFrom(index)) this.step(input);
  }

  /** The blocks that another node has above the own ones, up to the last one of this epoch. */
  syncFrom(index: ValidatorIndex): Input<PbftMessage>[] {
    const other = this.committee.node(index);
    if (other.finalHeight() <= this.finalHeight()) return [];
    if (!this.committee.deliverable(index, this.index, {} as PbftMessage)) return [];
    const all = [...other.chain.entries()]
      .filter(([height]) => height > this.finalHeight())
      .sort(([a], [b]) => a - b)
      .map(([, blockHash]) => linkOf(defined(this.committee.blocks.get(blockHash), 'block'), blockHash));
    const last = all.findIndex(({ isLast }) => isLast);
    const chain = last < 0 ? all : all.slice(0, last + 1);
    const certificate = other.certificates.get(chain.at(-1)?.height ?? other.finalHeight());
    if (certificate === undefined) return [];
    return [{ type: 'synced', chain, certificate: certificate as Verified<FinalityCertificate> }];
  }

  built(parentHash: Hash, view: View, proposal: Proposal | null): Input<PbftMessage> {
    return { type: 'built', parentHash, view, proposal };
  }

  send(to: readonly ValidatorIndex[] | 'all', message: PbftMessage): void {
    const { keys } = this.committee.setAt(message.epoch + 1).validators;
    const recipients = to === 'all' ? keys : to.map((index) => defined(keys[index], 'a validator'));
    for (const target of recipients.map((key) => this.committee.keys.indexOf(key))) {
      if (target === this.index) continue;
      for (const tampered of this.tamper(target, message)) {
        this.committee.wire.push({ from: this.index, to: target, message: tampered });
      }
    }
  }
}

/** The blocks that a driver surely has when it gives this input. */
function blocksIn(input: Input<PbftMessage>): Hash[] {
  if (input.type === 'built') return input.proposal === null ? [] : [hashHeader(input.proposal.header)];
  if (input.type === 'synced') return input.chain.map(({ blockHash }) => blockHash);
  return input.type === 'validated' && 'chain' in input.result
    ? input.result.chain.map(({ blockHash }) => blockHash)
    : [];
}

/** A stand-in signature: it names its signer and what was signed, and nobody checks it here. */
function bytesOf(unsigned: Unsigned, from: ValidatorIndex): Uint8Array {
  const mark = hash('quorate/v1/hello', unsigned.preimage, new Uint8Array([from]));
  return concat(unsigned.bytes, Uint8Array.from(Buffer.from(mark + mark, 'hex')));
}

export function sign(unsigned: Unsigned, from: ValidatorIndex): PbftMessage {
  return unwrap(decode(messageCodec, bytesOf(unsigned, from), 'own message'));
}

export type { Signature };
export const pick = <T>(random: RandomState, list: readonly T[]): T =>
  defined(list[nextBelow(random, list.length)], 'a choice');
export { nextFloat, nextBelow };
