import { defined } from '../../base/invariant.ts';
import { Problem } from '../../base/problem.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { Engine, EngineRequest } from '../../consensus/engine.ts';
import type { LogTrust, Protocol, Roster } from '../../consensus/protocol.ts';
import { preimageOf } from '../../consensus/pbft/signing.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import { genesisHeader } from '../../ledger/genesis.ts';
import { decodeTransaction, type Transaction } from '../../ledger/transaction.ts';
import { validatorSet } from '../../ledger/validators.ts';
import type { Network } from '../../network/port.ts';
import { Driver } from '../../node/core/driver.ts';
import { silentLog } from '../../node/process/log.ts';
import { protocolOf } from '../../node/core/protocol.ts';
import { restore } from '../../node/effects/restore.ts';
import { ChainStore } from '../../storage/chain-store.ts';
import { Chance } from '../world/chance.ts';
import type { SimulatedKey } from '../world/fast-signatures.ts';
import { liars } from '../liars/catalogue.ts';
import type { Liar } from '../liars/liar.ts';
import { liarNetwork } from '../liars/liar-network.ts';
import { liarTools } from '../liars/liar-tools.ts';
import { type EngineObserver, observedProtocol } from '../checkers/observed-protocol.ts';
import { isHonest, type NodePlan } from '../plan/plan.ts';
import type { ProcessLife } from '../world/process-life.ts';
import { type EngineView, engineView, hasItsLog } from './engine-view.ts';
import { askByHand, type ClientQuestion, readX } from './hand-client.ts';
import type { SimulatedNodeOptions } from './node-options.ts';
import type { VirtualClock } from '../world/virtual-clock.ts';
import type { VirtualDisk } from '../world/virtual-disk.ts';
import { peerIndex } from '../world/station.ts';
import { virtualVerifier } from '../world/virtual-verifier.ts';

/** A node's process as the simulator handles it. */
export interface Core {
  submit(bytes: Uint8Array, done: (problem: Problem | undefined) => void): void;
  why(): string;
  hasItsLog(): boolean;
  holds(hash: Hash): boolean;
  /** Asks its engine for something: a read, or what only a leader can do. */
  request(request: EngineRequest, done: (result: { readonly height: number } | Problem) => void): void;
  /** What is in it, for people. */
  look(): CoreView;
  ask(question: ClientQuestion, answer: (text: string) => void): void;
}

export interface CoreView extends EngineView {
  /** The last final height. */
  readonly height: number;
  /** The record x in the final state. */
  readonly x: string | null;
  /** Transactions that wait. */
  readonly pool: number;
}

interface BootOptions extends SimulatedNodeOptions {
  readonly life: ProcessLife;
  readonly clock: VirtualClock;
  readonly disk: VirtualDisk;
  readonly firstUse: boolean;
  /** Since when each use of its key is noted beside this disk, by its clock at that time. */
  readonly since: number;
  /** How many processes of this node there were, this one included. */
  readonly starts: number;
  /** It ended itself because the machine failed. */
  readonly onStopped: (problem: Problem) => void;
  /** It ended itself because a promise of its own broke. */
  readonly onBroken: (error: unknown) => void;
}

/** Starts the shipped node on virtual ports: what `startNode` does on real ones. */
export async function bootNode(options: BootOptions): Promise<Core> {
  const { index, chain, plan, life, clock, disk, scheme, scheduler } = options;
  const store = await ChainStore.open(disk.open(life), { chainId: chain.genesis.chainId });
  await store.keepIndexes(true);
  const restored = await restore(store, chain.genesis);
  const key = chain.nodeKeys[index] as SimulatedKey;
  const liar = liarOf({ ...options, roster: () => driver.roster }, key);
  const joined = options.network.join(index, {
    life,
    hello: () => driver.hello(),
    onPenalise: (peer, reason) => {
      if (isHonest(plan, index)) options.monitor.penalised(index, peerIndex(peer), reason);
    },
  });
  const network = liar === null ? watched(options, joined) : liarNetwork(joined, liar.strategy(joined));
  let inside: Engine<object> | undefined;
  const driver: Driver<object> = new Driver({
    genesis: chain.genesis,
    protocol: observed(options, (engine) => (inside = engine)),
    restored,
    store,
    network,
    verifier: virtualVerifier({ scheme, scheduler, life }),
    clock,
    log: silentLog,
    identity: { publicKey: key.publicKey, sign: (message) => scheme.sign(key.secretKey, message) },
    checkSignature: (claim) => scheme.verify(claim),
    trust: trustOf(options, store.logRecords.size),
    uses: { before: 0, since: options.since, records: () => [], written: () => {} },
    seed: plan.seed * 1_000 + index * 100 + options.starts,
    // An entry or two: a fetch is cut off between any two of them.
    snapshotPartBytes: 100,
    onFatal: (error) => {
      if (error instanceof Problem) options.onStopped(error);
      else options.onBroken(error);
    },
  });
  if (life.alive) await begin(options, driver, network);
  return {
    submit: (bytes, done) => {
      if (liar?.current?.accepts?.(bytes) === false) return;
      driver.submit([decodeTransaction(bytes)], ([result]) =>
        done(result?.status === 'refused' ? result.problem : undefined),
      );
    },
    why: () => driver.engine.why(),
    hasItsLog: () => hasItsLog(defined(inside, 'an engine that started')),
    holds: (hash) => driver.mempool.has(hash),
    request: (request, done) => driver.request(request, done),
    ...forPeople(options, driver, () => defined(inside, 'an engine that started')),
  };
}

/** An honest node's questions are watched. */
function watched({ index, plan, monitor, clock }: BootOptions, network: Network): Network {
  return isHonest(plan, index) ? { ...network, request: monitor.asking(index, clock, network) } : network;
}

/** An observer's key may have been used elsewhere before; that of a validator of the genesis file was not. */
function trustOf({ firstUse, index, plan }: BootOptions, records: number): LogTrust {
  const { validator, moves = false } = plan.nodes[index] as NodePlan;
  if (firstUse) return validator === null ? 'new' : 'whole';
  if (records > 0) return 'whole';
  return moves ? 'new' : 'lost';
}

/** An honest node's answers are watched from here on, and a liar's are not. */
async function begin(options: BootOptions, driver: Driver<object>, network: Network): Promise<void> {
  const { index, plan, monitor, disk, clock } = options;
  const isWatched = isHonest(plan, index);
  if (isWatched) driver.listeners.final.add(({ block }) => monitor.shown(index, block.header.height));
  driver.start();
  const { handlers } = driver;
  const onRequest: typeof handlers.onRequest = (...asked) => handlers.onRequest(...asked);
  await network.start(
    isWatched ? { ...handlers, onRequest: monitor.serving(index, { disk, clock }, onRequest) } : handlers,
  );
}

/** What somebody sees of a node, and asks it, by hand. */
function forPeople(
  { chain, scheme, monitor }: BootOptions,
  driver: Driver<object>,
  engine: () => Engine<object>,
): Pick<Core, 'look' | 'ask'> {
  return {
    look: () => ({
      ...engineView(engine(), driver.validatorIndex),
      height: driver.chain.final.height,
      x: readX(driver),
      pool: driver.mempool.size,
    }),
    ask: (question, answer) => {
      const transacted = (made: Transaction): void => monitor.transacted(made);
      askByHand(question, { driver, scheme, genesis: chain.genesis, transacted, answer });
    },
  };
}

/** The engine of an honest node is watched; `started` hears of every one. */
function observed(
  { index, plan, chain, monitor, disk, clock }: BootOptions,
  started: (engine: Engine<object>) => void,
): Protocol<object> {
  const protocol = protocolOf(chain.genesis, {
    ...plan.retention,
    ...(plan.oneByOne === true && { appendBytes: 1 }),
  });
  const observer = isHonest(plan, index) ? monitor.observer<object>(index, { disk, clock }) : unseen;
  return observedProtocol(protocol, {
    ...observer,
    started: (start, engine) => {
      started(engine);
      observer.started(start, engine);
    },
  });
}

const unseen: EngineObserver<object> = { started: () => {}, input: () => {}, effects: () => {} };

/**
 * Where a liar stands: a validator in the present epoch; one that was removed goes on lying in the last epoch
 * in which it was one; a stranger takes the first place that nobody has.
 */
function liarPlace(roster: () => Roster, key: PublicKey): () => Roster & { readonly self: number } {
  let last: (Roster & { readonly self: number }) | undefined;
  return () => {
    const now = roster();
    if (last?.epoch === now.epoch) return last;
    const self = now.keys.indexOf(key);
    if (self >= 0) last = { ...now, self };
    return last ?? { ...now, self: now.keys.length };
  };
}

/** The wrapper that makes a liar of this node, or null. */
function liarOf(options: BootOptions & { readonly roster: () => Roster }, key: SimulatedKey) {
  const { index, plan, chain, scheme, scheduler, life, counters } = options;
  const node = plan.nodes[index];
  if (node === undefined || node.liar === null || node.liar === 'twin') return null;
  const name = node.liar;
  const create = liars[name];
  const place = liarPlace(options.roster, key.publicKey);
  const { chainId } = chain.genesis;
  let accounts = 0;
  const wrapper: { current: Liar | null; strategy: (network: Network) => Liar } = {
    current: null,
    strategy: (network) => {
      wrapper.current = create(
        liarTools({
          place: () => ({ ...place(), validators: place().keys.length }),
          publicKey: key.publicKey,
          chainId,
          genesis: genesisHeader(chain.genesis),
          viewTimeoutMs: 'viewTimeoutMs' in plan.consensus ? plan.consensus.viewTimeoutMs : 1_000,
          chance: new Chance(plan.seed, `liar ${index} ${options.starts}`),
          network,
          signMessage: (message) => {
            const { epoch, keys } = place();
            const { hash: validatorsHash } = validatorSet(keys);
            return scheme.sign(key.secretKey, preimageOf(message, { chainId, epoch, validatorsHash }));
          },
          newKey: () => {
            const { publicKey, secretKey } = scheme.key(`liar ${index} ${options.starts} ${++accounts}`);
            return { publicKey, sign: (bytes) => scheme.sign(secretKey, bytes) };
          },
          transacted: (transaction) => options.monitor.transacted(transaction),
          after: (delayMs, call) => {
            scheduler.after(delayMs, () => life.enter(call));
          },
          lied: () => counters.add(`liar/${name}`),
        }),
      );
      return wrapper.current;
    },
  };
  return wrapper;
}
