import type { Backend, MetricFamily, NodeIdentity, NodeStatus, TransactionStatus } from '../api/backend.ts';
import { defined } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { Height } from '../ledger/block.ts';
import { type Genesis, genesisValidators } from '../ledger/genesis.ts';
import type { Transaction } from '../ledger/transaction.ts';
import type { DropReason } from '../mempool/mempool.ts';
import type { Network } from '../network/port.ts';
import type { ChainStore } from '../storage/chain-store.ts';
import { BoundedMap } from './bounded-map.ts';
import type { Clock } from './clock.ts';
import type { Driver } from './driver.ts';
import { FinalBlocks } from './final-blocks.ts';
import { metricFamilies } from './metrics.ts';

export interface NodeBackendOptions {
  readonly driver: Driver<object>;
  readonly store: ChainStore;
  readonly network: Pick<Network, 'peers' | 'stats'>;
  readonly genesis: Genesis;
  readonly clock: Clock;
  readonly version: string;
}

type Reject = (problem: Problem) => void;
type ReadBasis = Awaited<ReturnType<NodeBackend['readBasis']>>;

/** What the API asks this node for. Reads are of the final state, so they never show what could be undone. */
export class NodeBackend implements Backend {
  readonly identity: NodeIdentity;
  readonly #options: NodeBackendOptions;
  readonly #finalBlocks: FinalBlocks;
  readonly #startedAt: number;
  readonly #dropped = new BoundedMap<Hash, Problem>(limits.droppedRemembered);
  /** Answers that the driver owes; refused when it ends. */
  readonly #owed = new Set<Reject>();
  #ended: Problem | undefined;

  constructor(options: NodeBackendOptions) {
    const { driver, genesis, store, clock, version } = options;
    this.#options = options;
    this.#finalBlocks = new FinalBlocks(store);
    this.#startedAt = clock.monotonicMs();
    const { validatorIndex } = driver;
    this.identity = {
      engine: genesis.consensus.engine,
      chainId: genesis.chainId,
      chainName: genesis.name,
      development: genesis.development,
      version,
      validator: validatorIndex === undefined ? null : (driver.handshake.keyAt(validatorIndex) ?? null),
    };
    driver.onDropped((transaction, reason) =>
      this.#dropped.set(transaction.hash, droppedProblem(transaction, reason)),
    );
  }

  /** The node works no more: it stops, or cannot go on. */
  end(problem: Problem): void {
    this.#ended ??= problem;
    for (const reject of this.#owed) reject(this.#ended);
    this.#owed.clear();
  }

  async submit(transactions: readonly Uint8Array[]) {
    const { driver } = this.#options;
    if (driver.engine.status().accepting === false) {
      throw new Problem('node/busy', 'the node has too much unfinished work to take on more', {
        remedy: 'Try again in a moment.',
        details: { retryable: true },
      });
    }
    return this.#ask<Awaited<ReturnType<Backend['submit']>>>((done) => driver.submit(transactions, done));
  }

  async transaction(hash: Hash): Promise<TransactionStatus> {
    const { driver } = this.#options;
    const inclusion = this.#finalBlocks.inclusion(hash);
    if (inclusion !== undefined) return { status: 'final', hash, inclusion };
    if (driver.mempool.has(hash) || this.#isInFlight(hash)) return { status: 'pending', hash };
    const problem = this.#dropped.get(hash);
    return problem === undefined ? { status: 'unknown', hash } : { status: 'dropped', hash, problem };
  }

  async block(name: Parameters<Backend['block']>[0]) {
    const { final } = this.#options.driver.chain;
    if (name === 'latest') return this.#finalBlocks.at(final.height);
    return 'height' in name ? this.#finalBlocks.at(name.height) : this.#finalBlocks.named(name.hash);
  }

  async headers(from: Height, limit: number) {
    return this.#finalBlocks.headers(from, Math.min(limit, limits.httpPage));
  }

  async account(...[publicKey, consistency]: Parameters<Backend['account']>) {
    const basis = await this.readBasis(consistency);
    const { balance, nonce } = basis.state.account(publicKey);
    const pendingNonce = Math.max(nonce, this.#options.driver.mempool.pendingNonce(publicKey));
    return readOf(basis, { publicKey, balance, nonce, pendingNonce });
  }

  async record(...[key, consistency]: Parameters<Backend['record']>) {
    const basis = await this.readBasis(consistency);
    const entry = basis.state.record(key);
    return readOf(basis, entry && { key, ...entry });
  }

  validators() {
    const { driver, genesis } = this.#options;
    const { primary } = driver.engine.status();
    const names = new Map(genesis.validators.map(({ name, publicKey }) => [publicKey, name]));
    return driver.handshake.validators.map((publicKey, index) => {
      const self = index === driver.validatorIndex;
      return {
        index,
        name: names.get(publicKey) ?? `member-${index}`,
        publicKey,
        primary: index === primary,
        self,
        connected: self || driver.handshake.peerOf(index) !== undefined,
      };
    });
  }

  status(): NodeStatus {
    const { driver, network, clock } = this.#options;
    const engine = driver.engine.status();
    const { final } = driver.chain;
    return {
      validatorIndex: driver.validatorIndex ?? null,
      view: engine.view,
      primary: engine.primary,
      finalHeight: final.height,
      finalHash: final.hash,
      stateRoot: final.state.root,
      finalTimestamp: final.header.timestamp,
      highestKnown: engine.highestKnown > final.height ? engine.highestKnown : final.height,
      inFlight: engine.inFlight,
      voting: engine.voting,
      quorumContact: engine.quorumContact,
      syncing: driver.sync.active,
      peers: network.peers().length,
      mempool: { transactions: driver.mempool.size, bytes: driver.mempool.bytes },
      uptimeMs: Math.round(clock.monotonicMs() - this.#startedAt),
      counters: { ...engine.counters, ...driver.counters() },
    };
  }

  why(): string {
    return this.#ended?.message ?? this.#options.driver.engine.why();
  }

  async evidence(offset: number, limit: number) {
    const { driver, genesis, store } = this.#options;
    const keys = genesisValidators(genesis).keys;
    const indexOf = (key: (typeof keys)[number]): number =>
      Math.max(driver.handshake.validators.indexOf(key), keys.indexOf(key));
    return store.evidence
      .list()
      .slice(offset, offset + limit)
      .map(({ accused, kind, bytes }) => ({ accused: indexOf(accused), publicKey: accused, kind, bytes }));
  }

  health(): Problem | undefined {
    return this.#ended?.code === 'node/stopping' ? undefined : this.#ended;
  }

  readiness(): Problem | undefined {
    if (this.#ended !== undefined) return this.#ended;
    const { driver } = this.#options;
    const { quorumContact, peers, highestKnown, finalHeight } = this.status();
    const behind = highestKnown - finalHeight;
    if (behind > limits.readyBehind) {
      return notReady('node/behind', `the node is ${behind} blocks behind and catching up`, { behind });
    }
    if (driver.validatorIndex !== undefined && !quorumContact) {
      return notReady('node/no-quorum', 'the node is not in contact with a quorum of the validators', {
        peers,
      });
    }
    if (driver.validatorIndex === undefined && peers === 0) {
      return notReady('node/alone', 'the node is not connected to any other', { peers });
    }
    return undefined;
  }

  metrics(): readonly MetricFamily[] {
    const { network } = this.#options;
    return metricFamilies({
      status: this.status(),
      ready: this.readiness() === undefined,
      queuedBytes: network.stats().reduce((sum, { queuedBytes }) => sum + queuedBytes, 0),
    });
  }

  onFinal(listener: Parameters<Backend['onFinal']>[0]): () => void {
    return this.#options.driver.onFinal(({ hash, block, execution }) =>
      listener({ hash, header: block.header, receipts: execution.receipts }),
    );
  }

  /** The final block to read from. Where the engine knows no linearizable reads it is the one that this node has, and the answer says so. */
  private async readBasis(consistency: Parameters<Backend['account']>[1]) {
    const { driver } = this.#options;
    if (consistency === 'stale') return { ...driver.chain.final, consistency };
    const result = await this.#ask<{ readonly height: Height } | Problem>((done) =>
      driver.request({ kind: 'read' }, done),
    );
    if (!(result instanceof Problem)) return { ...driver.chain.final, consistency };
    if (result.code !== 'consensus/unsupported') throw result;
    return { ...driver.chain.final, consistency: 'stale' as const };
  }

  /** Not in the mempool, but in a block that others proposed and that is not final. */
  #isInFlight(hash: Hash): boolean {
    for (const { block } of this.#options.driver.chain.candidates()) {
      if (block.transactions.some((transaction) => transaction.hash === hash)) return true;
    }
    return false;
  }

  #ask<T>(ask: (done: (answer: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      this.#owed.add(reject);
      ask((answer) => {
        this.#owed.delete(reject);
        resolve(answer);
      });
    });
  }
}

function readOf<T>({ consistency, height, hash, header }: ReadBasis, value: T) {
  return { value, consistency, height, blockHash: hash, stateRoot: header.stateRoot };
}

function notReady(code: `node/${string}`, message: string, details: Record<string, number>): Problem {
  return new Problem(code, message, {
    remedy: 'Wait, or ask another node; "quorate why" tells what it waits for.',
    details: { ...details, retryable: true },
  });
}

const dropMessages: Record<DropReason, string> = {
  replaced: 'another transaction of the sender with the same nonce and a higher fee took its place',
  evicted: 'the mempool was full, and others paid more',
  expired: 'its expiry height was reached before it stood in a block',
  superseded: 'another transaction of the sender with the same nonce became final',
  'fee-not-payable': 'the sender can no longer pay the fees of all that it has waiting',
};

function droppedProblem(transaction: Transaction, reason: DropReason): Problem {
  const message = defined(dropMessages[reason], 'a message for each reason');
  return new Problem(`mempool/${reason}`, `the transaction left the mempool: ${message}`, {
    remedy: 'Sign it again if it is still wanted, with the next nonce, a sufficient fee and a later expiry.',
    details: { nonce: transaction.nonce, fee: `${transaction.fee}` },
  });
}
