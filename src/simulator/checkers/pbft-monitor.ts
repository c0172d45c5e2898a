import { decode } from '../../base/codec.ts';
import { Problem } from '../../base/problem.ts';
import type { Effect, Input } from '../../consensus/engine.ts';
import type { EngineStart } from '../../consensus/protocol.ts';
import type { PbftEngine } from '../../consensus/pbft/engine.ts';
import { messageCodec } from '../../consensus/pbft/message-codec.ts';
import type { PbftMessage } from '../../consensus/pbft/message.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import { certificateClaims, type FinalityCertificate } from '../../ledger/certificate.ts';
import { promise } from './breach.ts';
import { DutyChecker } from './duties/duty-checker.ts';
import { type EngineMonitor, maxAheadMs, type MonitorGround } from './engine-monitor.ts';
import type { Epoch } from './epochs.ts';
import { VouchChecker } from './vouch-checker.ts';

/** What validators have to keep: what they sign in each epoch, what certificates prove, and their duties. */
export class PbftMonitor implements EngineMonitor {
  readonly #ground: MonitorGround;
  /** The epoch that each node's process is in. */
  readonly #epochOf = new Map<number, number>();
  readonly #checkedCertificates = new Set<string>();
  /** Of each correct validator's process. */
  readonly #duties = new Map<number, DutyChecker>();
  readonly #vouchers = new Map<number, VouchChecker>();

  constructor(ground: MonitorGround) {
    this.#ground = ground;
  }

  diskLost(node: number): void {
    for (const { signatures, validators } of this.#ground.epochs.all()) {
      const index = validators.keys.indexOf(this.#ground.keyOf(node));
      if (index >= 0) signatures.diskLost(index);
    }
  }

  corrupted(node: number): void {
    for (const books of [this.#duties, this.#vouchers]) {
      if (this.#ground.epochs.latest.protection === null) books.clear();
      else books.delete(node);
    }
  }

  lyingAt(node: number): ReadonlySet<number> {
    return this.#presentEpoch(node).lying;
  }

  started(node: number, start: EngineStart, engine: object): void {
    if (start.final.certificate !== null) this.#checkCertificate(node, start.final.certificate);
    this.#enterEpoch(node, start.epoch.height, start.validators.keys);
    this.#onShown(node, recordedMessages(start.records));
    this.#beginDuties(node, start, engine);
  }

  input(node: number, input: Input<object>): void {
    if (input.type === 'persisted') this.#onShown(node, input.signed);
  }

  effect(node: number, effect: Effect<object>): void {
    if (effect.type === 'send') this.#onShown(node, [effect.message]);
    else if (effect.type === 'members') {
      const keys = effect.members.map(({ key }) => key);
      this.#enterEpoch(node, effect.epoch ?? 0, keys);
    } else if (effect.type === 'commit' && effect.certificate !== null) {
      this.#checkCertificate(node, effect.certificate);
    }
  }

  step(node: number, input: Input<object>, effects: readonly Effect<object>[], engine: object): void {
    const { state } = engine as PbftEngine;
    const changed = effects.findIndex(({ type }) => type === 'members');
    // With the last block of an epoch a replica begins anew, in the middle of a step.
    if (changed >= 0) this.#beginDuties(node, { now: state.now, records: new Map() }, engine);
    const duties = this.#duties.get(node);
    if (duties === undefined) return;
    this.#checkKnown(node, engine as PbftEngine);
    const own = effects.slice(changed + 1) as readonly Effect<PbftMessage>[];
    const done = duties.step(input as Input<PbftMessage>, own, state);
    for (const message of done.signs) this.#onSigning(node, message);
    this.#vouchers.get(node)?.look(done.effects);
  }

  proposed(): void {}

  /**
   * What is committed somewhere has the Commits of correct validators, and they were at most a window below.
   * Whoever takes others to be further ahead believed what nobody proved, and tells its clients that it is
   * behind.
   */
  #checkKnown(node: number, engine: PbftEngine): void {
    const { chain, plan } = this.#ground;
    if (!('window' in plan.consensus)) return;
    const { highestKnown } = engine.status();
    const most = chain.height + plan.consensus.window;
    promise(
      highestKnown <= most,
      'certificate',
      () => `node ${node} believes in a final block ${highestKnown}, and none can be above ${most}`,
    );
  }

  #presentEpoch(node: number): Epoch {
    return this.#ground.epochs.of(this.#epochOf.get(node) ?? 0, () => `node ${node}`);
  }

  #epochOfMessage(node: number, message: PbftMessage): Epoch {
    return this.#ground.epochs.of(message.epoch, () => `a ${message.kind} of node ${node}`);
  }

  /** A node takes these for the validators above this height. */
  #enterEpoch(node: number, start: number, keys: readonly PublicKey[]): void {
    const epoch = this.#ground.epochs.of(start, () => `node ${node}`);
    promise(
      keys.join() === epoch.validators.keys.join(),
      'epoch',
      () => `node ${node} takes others for the validators above ${start} than the chain decided`,
    );
    this.#epochOf.set(node, start);
    this.#ground.onEpoch(node);
  }

  #beginDuties(node: number, start: Pick<EngineStart, 'now' | 'records'>, engine: object): void {
    const { plan, chain, keyOf, machineOf } = this.#ground;
    const { consensus } = plan;
    const epoch = this.#presentEpoch(node);
    const self = epoch.validators.keys.indexOf(keyOf(node));
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
    this.#duties.set(node, new DutyChecker(committee, start, (engine as PbftEngine).state));
    this.#vouchers.set(
      node,
      new VouchChecker({
        node,
        self,
        onDisk: (key) => machineOf(node)?.disk.peek(key),
        linkOf: (blockHash) => protection.linkOf(blockHash),
        finalHeight: () => chain.knownHeight(node),
        tip: () => this.#duties.get(node)?.tip,
      }),
    );
  }

  #onSigning(node: number, message: PbftMessage): void {
    const { chain, epochs, keyOf, machineOf } = this.#ground;
    this.#epochOfMessage(node, message).signatures.asks(message);
    epochs.signs(keyOf(node), message.epoch);
    if (message.kind !== 'prepare') return;
    const wallMs = machineOf(node)?.clock.wallMs() ?? 0;
    const timestamp = chain.timestampOf(message.blockHash) ?? 0;
    // What a view starts with, or is final, was looked at by a quorum, perhaps with better clocks.
    const isTip = this.#duties.get(node)?.tip === message.blockHash;
    const isFinal = chain.hashAt(message.height) === message.blockHash;
    promise(
      isTip || isFinal || timestamp <= wallMs + maxAheadMs || chain.isSoonestAfterParent(message.blockHash),
      'validity',
      () =>
        `node ${node} prepares block ${message.blockHash.slice(0, 8)} of height ${message.height}, which is ${timestamp - wallMs} ms ahead of its clock`,
    );
  }

  /** Messages that are on disk or go out. Others' are among them: a new view, for whoever missed it. */
  #onShown(node: number, messages: readonly unknown[]): void {
    for (const message of messages as readonly PbftMessage[]) {
      const { validators, signatures } = this.#epochOfMessage(node, message);
      if (validators.keys[message.from] === this.#ground.keyOf(node)) signatures.shows(message);
    }
  }

  /** Each certificate once: nodes mostly see the same. */
  #checkCertificate(node: number, certificate: FinalityCertificate): void {
    if (!('phase' in certificate)) return;
    const { epochs, simulated, scheme } = this.#ground;
    const key = JSON.stringify(certificate);
    if (this.#checkedCertificates.has(key)) return;
    this.#checkedCertificates.add(key);
    const epoch = epochs.of(certificate.epoch, () => `a certificate of node ${node}`);
    const claims = certificateClaims(certificate, simulated.genesis.chainId, epoch.validators);
    const good =
      !(claims instanceof Problem) &&
      certificate.phase === 'commit' &&
      certificate.height > epoch.start &&
      (epoch.end === null || certificate.height <= epoch.end.height) &&
      claims.every((claim) => scheme.verify(claim));
    promise(good, 'certificate', () => `node ${node} holds a certificate that proves nothing: ${key}`);
    epoch.protection?.onFinal(certificate);
  }
}

/** Own messages that are on disk: they count from now on, whether or not the process before was told so. */
function recordedMessages(records: EngineStart['records']): readonly unknown[] {
  return [...records].flatMap(([key, value]) =>
    key.includes('/') ? [decode(messageCodec, value, key)] : [],
  );
}
