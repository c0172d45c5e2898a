import { limits } from '../../base/limits.ts';
import type { Problem } from '../../base/problem.ts';
import type { Effect, Engine, EngineRequest, ValidatorIndex } from '../../consensus/engine.ts';
import type { Capabilities, Contradicting, Roster } from '../../consensus/protocol.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import type { Mempool } from '../../mempool/mempool.ts';
import type { NetworkHandlers } from '../../network/port.ts';
import { Snapshots } from '../catch-up/snapshots.ts';
import type { Sync } from '../catch-up/sync.ts';
import type { Chain } from '../effects/chain.ts';
import { candidateLinks, type Restored } from '../effects/restore.ts';
import { Signer } from '../effects/signer.ts';
import { epochSight } from '../effects/epoch-seen.ts';
import type { PeerRegistry } from '../peers/peer-registry.ts';
import type { Submitted } from '../peers/intake.ts';
import type { Cancel, Clock } from '../process/clock.ts';
import type { ClockWatch } from '../process/clock-watch.ts';
import type { VersionWatch } from '../effects/version-watch.ts';
import { assemble, type Parts } from './assemble.ts';
import { countersOf } from './counters.ts';
import { executor } from './execute.ts';
import { Listeners } from './listeners.ts';
import { Mailbox } from './mailbox.ts';
import type { DriverOptions, LastingOptions } from './options.ts';
import { type Answered, Requests } from './requests.ts';
import { turnPorts } from './turn-ports.ts';
import { Turns } from './turns.ts';

/**
 * Runs an engine. It decides, and this acts: one mailbox, one input at a time, effects in their order. All of
 * it runs on callbacks, through ports, so that the simulator runs exactly this code. The parts are put
 * together in `assemble.ts`; `execute.ts` says which of them has which effect.
 */
export class Driver<M extends object> {
  readonly chain: Chain;
  readonly mempool: Mempool;
  readonly registry: PeerRegistry;
  readonly sync: Sync;
  readonly clockWatch: ClockWatch;
  readonly versionWatch: VersionWatch;
  /** To be given to the network's `start`. */
  readonly handlers: NetworkHandlers;
  readonly listeners: Listeners;

  readonly #options: LastingOptions<M>;
  readonly #clock: Clock;
  readonly #turns: Turns;
  readonly #mailbox: Mailbox<M>;
  readonly #requests = new Requests();
  readonly #parts: Parts<M>;
  readonly #engine: Engine<M>;
  readonly #execute: (effect: Effect<M>) => void;
  #cancelTick: Cancel = () => {};

  constructor({ restored, ...options }: DriverOptions<M>) {
    this.#options = options;
    this.#turns = new Turns({ settle: () => this.#settle(), onThrow: (error) => this.#fatal(error) });
    const ports = turnPorts(this.#turns, options);
    const { clock } = ports;
    this.#clock = clock;
    this.listeners = new Listeners(options.log);
    this.#mailbox = new Mailbox<M>({ clock, work: () => this.mempool.work() });
    const loop = {
      turns: this.#turns,
      ports,
      listeners: this.listeners,
      engine: () => this.#engine,
      enqueue: this.#mailbox.enqueue.bind(this.#mailbox),
      workChanged: this.#mailbox.workChanged.bind(this.#mailbox),
    };
    const parts = assemble(options, restored, loop);
    this.#parts = parts;
    this.chain = parts.chain;
    this.mempool = parts.mempool;
    this.registry = parts.registry;
    this.sync = parts.sync;
    this.clockWatch = parts.clockWatch;
    this.versionWatch = parts.versionWatch;
    this.handlers = parts.handlers;
    this.#execute = executor({ ...loop, options, parts, clock, requests: this.#requests });
    this.#engine = startEngine(options, restored, clock);
  }

  /** Starts to tick. The network is started by the caller, with `handlers`. */
  start(): void {
    this.clockWatch.look();
    this.#turns.run(() => {
      this.versionWatch.look();
      this.#tick();
    });
  }

  /** Nothing is done or answered after this. What was handed to the store is still written. */
  stop(): void {
    this.#turns.end();
    this.#cancelTick();
    this.#parts.intake.stop();
    this.#parts.committing.stop();
  }

  get engine(): Pick<Engine<M>, 'status' | 'why'> {
    return this.#engine;
  }

  /** Stored evidence as people see it. */
  contradictionIn(evidence: Uint8Array): Contradicting | null {
    return this.#options.protocol.contradictionIn(evidence);
  }

  get capabilities(): Capabilities {
    return this.#options.protocol.capabilities;
  }

  /**
   * This node's place among the validators; undefined for an observer, also one that was a validator once.
   */
  get validatorIndex(): ValidatorIndex | undefined {
    return this.#parts.validatorIndex();
  }

  /** Who takes part now, and from which height on: what the engine said last. */
  get roster(): Roster {
    return this.#parts.decided.roster;
  }

  /** What happened since the start, by kind. */
  counters(): Record<string, number> {
    return countersOf(this.#parts);
  }

  /** Our hello, for the network. */
  hello(): Uint8Array {
    return this.registry.hello(this.#options.network.self);
  }

  submit(
    transactions: readonly (Transaction | Problem)[],
    done: (results: readonly Submitted[]) => void,
  ): void {
    this.#turns.run(() => this.#parts.intake.submit(transactions, done));
  }

  /** Asks the engine; answered once, unless the node stops. */
  request(request: EngineRequest, done: Answered): void {
    this.#turns.run(() => this.#mailbox.enqueue(this.#requests.ask(request, done)));
  }

  #fatal(error: unknown): void {
    this.stop();
    this.#options.onFatal(error);
  }

  /** Works off the mailbox: the end of every turn. */
  #settle(): void {
    for (let input = this.#mailbox.next(); input !== undefined; input = this.#mailbox.next()) {
      for (const effect of this.#engine.step(input)) {
        // Some caller may have caught what ended the node. Nothing is signed after it all the same.
        if (this.#turns.ended) return;
        this.#execute(effect);
      }
    }
  }

  #tick(): void {
    this.#cancelTick = this.#clock.after(limits.tickMs, () => this.#tick());
    const now = this.#clock.monotonicMs();
    this.#mailbox.tick(now);
    this.#parts.nudges.tick(now);
  }
}

/** The engine as it goes on from what is stored. */
function startEngine<M extends object>(
  options: LastingOptions<M>,
  restored: Restored,
  clock: Clock,
): Engine<M> {
  const { genesis, protocol, store, identity, trust, seed } = options;
  const { final, certificate } = restored;
  const compacted = Snapshots.compactedAt(final, store.firstBlock);
  return protocol.start({
    chainId: genesis.chainId,
    validators: restored.validators,
    epoch: restored.epoch,
    epochSeen: epochSight(options.uses, clock)(store.headerAt(restored.epoch.height)),
    self: identity.publicKey,
    final: { header: final.header, hash: final.hash, certificate },
    records: Signer.engineRecords(store.logRecords),
    candidates: candidateLinks(restored),
    ...(compacted === undefined ? {} : { compacted }),
    log: trust,
    now: clock.monotonicMs(),
    seed,
  });
}
