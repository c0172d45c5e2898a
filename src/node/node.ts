import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startApi } from '../api/server.ts';
import { checkRelations } from '../base/limit-relations.ts';
import { limits } from '../base/limits.ts';
import { machineFault } from '../base/machine-fault.ts';
import { Problem, unwrap } from '../base/problem.ts';
import type { KeyPair } from '../crypto/keys.ts';
import { decryptKey } from '../crypto/keystore.ts';
import { useNativeHash } from '../crypto/native-hash.ts';
import { pairHashName } from '../crypto/pair-hash.ts';
import { native, nativeSigner } from '../crypto/native.ts';
import type { NativeVerify } from '../crypto/native-addon.ts';
import { openNativeVerify } from '../crypto/native-verify.ts';
import { selfTest, verifySignature } from '../crypto/verify.ts';
import { ThreadedVerifier } from '../crypto/threaded-verifier.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { newestProtocolVersion } from '../ledger/protocol-version.ts';
import { createLibp2pNetwork } from '../network/libp2p-network.ts';
import type { Network, PeerId } from '../network/port.ts';
import { ChainStore } from '../storage/chain-store.ts';
import { openLevelStore } from '../storage/level-store.ts';
import { parseApiUrl } from './process/api-url.ts';
import { readExplorer } from './process/explorer-files.ts';
import { NodeBackend } from './backend/backend.ts';
import { boundedLog } from './process/bounded-log.ts';
import { systemClock } from './process/clock.ts';
import { type LoadedConfig, loadConfig, type NodeConfig, paths } from './process/config.ts';
import { Driver } from './core/driver.ts';
import { v8Flags, isHeapBounded } from './process/heap.ts';
import { type KeyUse, openKeyUse } from './process/key-use.ts';
import { jsonLog, type Logger } from './process/log.ts';
import { protocolOf, type Retention } from './core/protocol.ts';
import { restore } from './effects/restore.ts';
import { Telemetry } from './telemetry/telemetry.ts';
import { unknownVersionAfter, unknownVersionProblem } from './effects/upcoming.ts';
import { Usage } from './process/usage.ts';
import { softwareVersion } from './process/version.ts';

export interface StartNodeOptions {
  readonly directory: string;
  /** Of the validator's key file, when it is encrypted. */
  readonly password?: string;
  /** Instead of what `config.json` says, and checked as that is. */
  readonly override?: Partial<NodeConfig>;
  /** Takes the log, whatever its level; unless given, standard error takes it from the level `log` on. */
  readonly log?: Logger;
  /**
   * Puts something between the node and its network: how test networks make a node lie. Refused on any chain
   * that is not marked as one for development.
   */
  readonly wrap?: (parts: WrappedParts) => Network;
  /**
   * The operator's word that nothing is missing in the consensus log, or cannot matter: this validator votes
   * at once, now and at later starts. Without it, one whose database was lost, or is an old copy, votes only
   * when its lost votes cannot matter any more.
   */
  readonly assumeFirstUse?: boolean;
  /**
   * The newest protocol version that this node knows; that of this program unless given. A lower one makes a
   * node that stands for an older program, in tests of networks of both.
   */
  readonly newestProtocolVersion?: number;
}

export interface WrappedParts {
  readonly network: Network;
  readonly genesis: Genesis;
  /** What speaks for the node: the validator's key, or an observer's own. */
  readonly keyPair: KeyPair;
}

export interface RunningNode {
  readonly config: NodeConfig;
  /** URL of the HTTP API. */
  readonly apiAddress: string;
  readonly peer: PeerId;
  /** Multiaddrs that other nodes can dial. */
  readonly addresses: readonly string[];
  /**
   * Settles when the node works no more: with undefined after `stop`, with the reason when it could not go on
   * (a `Problem` of the machine, or our own broken promise). In that case it still has to be stopped; until
   * then its API says what is wrong.
   */
  readonly ended: Promise<unknown>;
  /** Ends in order, in less than five seconds. */
  stop(): Promise<void>;
}

/** How long one part may take to close before the next one is closed all the same. */
const closeMs = 1_000;
/** How long a leader may take to hand over before it stops. */
const handOverMs = 500;

/**
 * Starts a node from its data directory. Throws a problem when that cannot be: what is wrong with the
 * directory, the key, the database or a port is said with its remedy, and what was opened is closed again.
 */
export async function startNode(options: StartNodeOptions): Promise<RunningNode> {
  checkRelations(limits);
  useNativeHash();
  const failed = selfTest();
  if (failed !== undefined) throw failed;
  const loaded = await loadConfig(options.directory, options.override);
  const { config } = loaded;
  if (options.wrap !== undefined && !loaded.genesis.development) {
    throw new Problem('node/not-development', `${loaded.genesis.name} is not a development chain`, {
      remedy: 'Nodes may be made to misbehave on development chains only: use "quorate testnet".',
      details: { chain: loaded.genesis.name },
    });
  }
  const log = boundedLog(options.log ?? jsonLog(config.log, config.name), () => systemClock.monotonicMs());
  const keyPair = openKey(loaded, options.password);
  const closers = new Closers(log);
  try {
    return await start({ loaded, config, keyPair, log, closers, options });
  } catch (failure) {
    await closers.close();
    throw failure;
  }
}

async function start(parts: {
  readonly loaded: LoadedConfig;
  readonly config: NodeConfig;
  readonly keyPair: KeyPair;
  readonly log: Logger;
  readonly closers: Closers;
  readonly options: Pick<StartNodeOptions, 'wrap' | 'assumeFirstUse' | 'newestProtocolVersion'>;
}): Promise<RunningNode> {
  const { loaded, config, keyPair, log, closers } = parts;
  if (!isHeapBounded()) {
    log.warn('the process was started without bounds for its memory', {
      remedy: `Start it with scripts/quorate, or give these to node: ${v8Flags.join(' ')}`,
    });
  }
  const { wrap, assumeFirstUse = false } = parts.options;
  const { directory, genesis, nodeKey } = loaded;
  const { chainId } = genesis;

  const levelStore = await openLevelStore(paths.database(directory));
  closers.add('store', () => levelStore.close());
  const store = await ChainStore.open(levelStore, { chainId });
  await store.keepIndexes(config.indexes ?? true);
  const restored = await restore(store, genesis);
  const known = parts.options.newestProtocolVersion ?? newestProtocolVersion;
  const unknown = unknownVersionAfter(restored.final, known);
  if (unknown !== undefined && unknown.height <= restored.final.height + 1)
    throw unknownVersionProblem(unknown);
  const protocol = protocolOf(genesis, retentionOf(config));
  if (config.snapshots !== undefined && !protocol.capabilities.makesSnapshots) {
    log.warn('"snapshots" in config.json does nothing here: nodes of this chain delete no blocks', {
      remedy: 'Remove it from config.json, and see that the disk has room for the whole chain.',
    });
  }
  const path = paths.usedKey(directory, config.role);
  // An observer has no vote to forget yet; but any key may become a validator's.
  const keyUse = await openKeyUse({
    path,
    chainId,
    key: config.role === 'validator' ? keyPair.publicKey : null,
    store,
    now: new Date(),
    vouched: assumeFirstUse,
    onFatal: (problem) => onFatal(problem),
  });
  closers.add('key use', () => keyUse.close());
  if (config.role === 'validator') sayWhatWasFound(log, keyUse);

  const ending = Promise.withResolvers<unknown>();
  const onFatal = (error: unknown): void => {
    const problem = asProblem(error);
    log.error('the node cannot go on', { code: problem.code, reason: problem.message });
    driver.stop();
    backend.end(problem);
    ending.resolve(error);
    // Others must not take it for alive. Its API goes on saying what is wrong until it is stopped.
    void network.stop();
  };

  const addon = nativeAddon(log);
  const signatureCheck = (addon ?? native).name;
  const verifier = new ThreadedVerifier({ native: addon, onFatal: (error) => onFatal(error) });
  closers.add('verifier', () => verifier.close());
  const libp2p = await createLibp2pNetwork({
    seed: nodeKey.secretKey,
    listen: config.listen,
    peers: config.peers,
    chainId,
    hello: () => driver.hello(),
    log,
  });
  closers.add('network', () => libp2p.stop());
  const network = wrap === undefined ? libp2p : wrap({ network: libp2p, genesis, keyPair });
  const driver = new Driver<object>({
    genesis,
    protocol,
    restored,
    store,
    network,
    verifier,
    clock: systemClock,
    log,
    identity: { publicKey: keyPair.publicKey, sign: nativeSigner(keyPair.secretKey) },
    observers: config.observers ?? (genesis.development ? 'open' : 'members'),
    checkSignature: (claim) => verifySignature(claim, false),
    trust: keyUse.trust,
    uses: keyUse,
    seed: randomBytes(6).readUIntBE(0, 6),
    newestProtocolVersion: known,
    api: parseApiUrl(config.api.advertise ?? ''),
    onFatal,
  });
  closers.add('driver', async () => driver.stop());
  const usage = new Usage(paths.database(directory));
  const telemetry = new Telemetry({ driver, clock: systemClock, usage });
  closers.add('telemetry', async () => telemetry.stop());
  const backend = new NodeBackend({
    driver,
    telemetry,
    store,
    network,
    peersNamed: config.peers.length,
    genesis,
    clock: systemClock,
    version: softwareVersion,
    signatureCheck,
  });
  if (config.role === 'validator' && driver.validatorIndex === undefined) {
    log.warn('the key is not of a validator of this chain: the node follows and does not vote', {
      publicKey: keyPair.publicKey,
    });
  }
  driver.start();
  await network.start(driver.handlers);
  const api = await startApi({ backend, ...config.api, log, explorer: readExplorer() });
  closers.add('api', () => api.close());
  log.info('started', {
    chain: genesis.name,
    chainId,
    engine: genesis.consensus.engine,
    validator: driver.validatorIndex ?? null,
    height: restored.final.height,
    api: api.address,
    peer: network.self,
    treeHasher: pairHashName(),
    signatureCheck,
  });

  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    log.info('stopping');
    await handOver(driver);
    backend.end(new Problem('node/stopping', 'the node stops', { remedy: 'Ask another node.' }));
    await closers.close();
    log.info('stopped');
    ending.resolve(undefined);
  };
  return {
    config,
    apiAddress: api.address,
    peer: network.self,
    addresses: network.addresses(),
    ended: ending.promise,
    stop: () => (stopping ??= stop()),
  };
}

/** The native check of signatures, where it was built and judges as it must. */
function nativeAddon(log: Logger): NativeVerify | undefined {
  const opened = openNativeVerify();
  if (!(opened instanceof Problem)) return opened;
  log.warn(opened.message, { code: opened.code, remedy: opened.remedy });
  return undefined;
}

/** Says whether this node may vote at once, when that is not a matter of course. */
function sayWhatWasFound(log: Logger, { found, trust }: KeyUse): void {
  const details = {
    database: {
      'first-use': 'the first that this key is used with on this chain',
      same: 'the one that this key was used with last',
      'other-store': 'another one than this key was used with last',
      'older-copy': 'an old copy: this key signed since what is not in it',
    }[found],
  };
  if (trust === 'vouched') {
    log[found === 'first-use' ? 'info' : 'warn'](
      'this node votes at once, as told: whatever its key signed before counts as known',
      details,
    );
  } else if (trust === 'lost') {
    log.warn(
      'the consensus log is lost: this node votes when what it may have signed cannot matter any more',
      {
        ...details,
        remedy:
          'See "quorate why", which tells what it waits for: under PBFT for others and for blocks, under Raft to be removed and added again.',
      },
    );
  }
}

/** What speaks for the node: the validator's key, or an observer's own. */
function openKey({ nodeKey, validatorKeyFile }: LoadedConfig, password: string | undefined): KeyPair {
  return validatorKeyFile === null ? nodeKey : unwrap(decryptKey(validatorKeyFile, password));
}

function retentionOf({ snapshots }: NodeConfig): Partial<Retention> {
  return snapshots === undefined
    ? {}
    : { snapshotEvery: snapshots.everyBlocks, keepBlocks: snapshots.keepBlocks };
}

/**
 * A leader that stops on purpose hands over first: nobody has to wait for a timeout. An engine that cannot do
 * that refuses at once.
 */
async function handOver(driver: Driver<object>): Promise<void> {
  if (driver.engine.status().primary !== driver.validatorIndex) return;
  const handed = new Promise<void>((resolve) =>
    driver.request({ kind: 'transfer', to: null }, () => resolve()),
  );
  await Promise.race([handed, sleep(handOverMs, undefined, { ref: false })]);
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const fault = machineFault(error);
  if (fault !== undefined) return fault;
  return new Problem('node/broken', `the node broke a promise of its own: ${String(error)}`, {
    remedy: 'Report it with the log. The node can be started again: what it stored and signed holds.',
    cause: error,
  });
}

/** Closes what was opened, the last first; what fails or hangs does not keep the rest open. */
class Closers {
  readonly #log: Logger;
  readonly #closers: { readonly name: string; readonly close: () => Promise<void> }[] = [];

  constructor(log: Logger) {
    this.#log = log;
  }

  add(name: string, close: () => Promise<void>): void {
    this.#closers.push({ name, close });
  }

  async close(): Promise<void> {
    for (const { name, close } of this.#closers.splice(0).toReversed()) {
      try {
        const late = Symbol('late');
        const end = await Promise.race([close(), sleep(closeMs, late, { ref: false })]);
        if (end === late) this.#log.warn('a part of the node did not close in time', { part: name });
      } catch (error) {
        this.#log.warn('a part of the node did not close', { part: name, reason: String(error) });
      }
    }
  }
}
