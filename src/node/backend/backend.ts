import type {
  Backend,
  MemberView,
  MetricFamily,
  MissingNonce,
  NodeIdentity,
  NodeStatus,
  Pace,
  SubmitResult,
  TransactionOutcome,
  TransactionStatus,
} from '../../api/backend.ts';
import { defined } from '../../base/invariant.ts';
import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import type { CodeOf } from '../../base/problem-codes.ts';
import type { EngineRequest } from '../../consensus/engine.ts';
import { encodeAddress } from '../../crypto/address.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { FinalBlock } from '../effects/chain.ts';
import type { Height } from '../../ledger/block.ts';
import { type Genesis, genesisValidators } from '../../ledger/genesis.ts';
import type { Mempool } from '../../mempool/mempool.ts';
import type { Network } from '../../network/port.ts';
import type { ChainStore } from '../../storage/chain-store.ts';
import type { Clock } from '../process/clock.ts';
import { Departures } from './departures.ts';
import type { Driver } from '../core/driver.ts';
import { FinalBlocks } from './final-blocks.ts';
import type { Submitted } from '../peers/intake.ts';
import { metricFamilies } from './metrics.ts';

export interface NodeBackendOptions {
  readonly driver: Driver<object>;
  readonly store: ChainStore;
  readonly network: Pick<Network, 'peers' | 'stats' | 'unreached'>;
  readonly genesis: Genesis;
  readonly clock: Clock;
  readonly version: string;
}

const unpaced: Pace = () => Promise.resolve();
/** Blocks that are not final and are looked through in one turn of the loop: some ten thousand comparisons when they are full. */
const candidatesPerPiece = 16;
/** How often a submission that waits looks whether somebody leads: a tick. */
const leaderPollMs = limits.tickMs;
/** Peers that `why` names when it cannot reach them. */
const namedInWhy = 2;

type Reject = (problem: Problem) => void;
type Consistency = Parameters<Backend['account']>[1];
type ReadBasis = FinalBlock & { readonly consistency: Consistency };

/** What the API asks this node for. Reads are of the final state, so they never show what could be undone. */
export class NodeBackend implements Backend {
  readonly identity: NodeIdentity;
  readonly #options: NodeBackendOptions;
  readonly #finalBlocks: FinalBlocks;
  readonly #startedAt: number;
  readonly #departures: Departures;
  /** Answers that the driver owes; refused when it ends. */
  readonly #owed = new Set<Reject>();
  /** Those who wait for finality, to be told when this node cannot tell them of it any more. */
  readonly #waiting = new Set<(reason: string) => void>();
  #ended: Problem | undefined;
  #gaps: { readonly at: number; readonly sentences: readonly string[] } = { at: -Infinity, sentences: [] };

  constructor(options: NodeBackendOptions) {
    const { driver, genesis, store, clock, version } = options;
    this.#options = options;
    this.#finalBlocks = new FinalBlocks(store);
    this.#departures = new Departures(store);
    this.#startedAt = clock.monotonicMs();
    this.identity = {
      engine: genesis.consensus.engine,
      leaderTakesAll: driver.capabilities.leaderTakesAll,
      chainId: genesis.chainId,
      chainName: genesis.name,
      development: genesis.development,
      version,
      // A node may become a member while it runs, or be one no more.
      get validator() {
        const { validatorIndex } = driver;
        return validatorIndex === undefined ? null : (driver.handshake.keyAt(validatorIndex) ?? null);
      },
    };
    driver.listeners.dropped.add((transaction, reason) => this.#departures.note(transaction, reason));
  }

  /** The node works no more: it stops, or cannot go on. */
  end(problem: Problem): void {
    this.#ended ??= problem;
    for (const reject of this.#owed) reject(this.#ended);
    this.#owed.clear();
    // One that stops in order answers them when its API closes, with how it stands.
    if (this.health() !== undefined) for (const tell of this.#waiting) tell(this.#ended.message);
  }

  async submit(...[transactions, { waitMs = 0 } = {}]: Parameters<Backend['submit']>) {
    const { driver } = this.#options;
    await this.#leader(waitMs);
    if (driver.engine.status().accepting === false) {
      throw new Problem('node/busy', 'the node has too much unfinished work to take on more', {
        remedy: 'Try again in a moment.',
        details: { retryable: true },
      });
    }
    return this.#ask<Awaited<ReturnType<Backend['submit']>>>((done) =>
      driver.submit(transactions, (results) => done(results.map((result) => this.#asTaken(result)))),
    );
  }

  async transaction(hash: Hash, pace: Pace = unpaced): Promise<TransactionStatus> {
    const find = () => this.#finalBlocks.inclusion(hash, pace);
    let inclusion = await find();
    const other = inclusion === undefined ? await this.#notFinal(hash, pace) : undefined;
    // It may have become final while others were looked through.
    inclusion ??= await find();
    return other === undefined || inclusion !== undefined
      ? { status: 'final', hash, inclusion: defined(inclusion, 'what was found') }
      : other;
  }

  async outcome(hash: Hash, pace: Pace = unpaced): Promise<TransactionOutcome> {
    await pace();
    let outcome = this.#finalBlocks.outcome(hash);
    const other = outcome === undefined ? await this.#notFinal(hash, pace) : undefined;
    outcome ??= this.#finalBlocks.outcome(hash);
    return other === undefined || outcome !== undefined
      ? { status: 'final', hash, ...defined(outcome, 'what was found') }
      : other;
  }

  async #notFinal(hash: Hash, pace: Pace): Promise<Exclude<TransactionStatus, { readonly status: 'final' }>> {
    const { driver } = this.#options;
    if (driver.mempool.has(hash) || (await this.#isInFlight(hash, pace))) {
      return { status: 'pending', hash, missing: this.#missingBefore(hash) };
    }
    return { hash, ...this.#departures.statusOf(hash, driver.chain.final) };
  }

  async block(...[name, pace = unpaced]: Parameters<Backend['block']>) {
    const { final } = this.#options.driver.chain;
    if (name === 'latest') return this.#finalBlocks.at(final.height, pace);
    return 'height' in name
      ? this.#finalBlocks.at(name.height, pace)
      : this.#finalBlocks.named(name.hash, pace);
  }

  async headers(from: Height, limit: number, pace: Pace = unpaced) {
    return this.#finalBlocks.headers(from, Math.min(limit, limits.httpPage), pace);
  }

  async account(...[publicKey, consistency]: Parameters<Backend['account']>) {
    await this.#readable(consistency);
    const basis = this.#basis(consistency);
    const { balance, nonce } = basis.state.account(publicKey);
    const pendingNonce = Math.max(nonce, this.#options.driver.mempool.pendingNonce(publicKey));
    return readOf(basis, { publicKey, balance, nonce, pendingNonce });
  }

  async record(...[key, consistency]: Parameters<Backend['record']>) {
    await this.#readable(consistency);
    const basis = this.#basis(consistency);
    const entry = basis.state.record(key);
    return readOf(basis, entry && { key, ...entry });
  }

  validators() {
    const noVote = new Set(
      this.members().flatMap(({ role, index }) => (role === 'learner' || role === 'removed' ? [index] : [])),
    );
    return this.#keyHolders().filter(({ index }) => !noVote.has(index));
  }

  unreached() {
    return this.#options.network.unreached?.() ?? [];
  }

  /** Of every key that has an index, whatever it may do now. */
  #keyHolders() {
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

  members() {
    const { driver } = this.#options;
    const members = driver.engine.status().members ?? [];
    return this.#keyHolders().map(({ primary, ...validator }) => ({
      ...validator,
      role: members[validator.index]?.role ?? ('voter' as const),
      leader: primary,
      api: driver.handshake.apiOf(validator.index) ?? null,
    }));
  }

  changeMembers(...[changes, forced]: Parameters<Backend['changeMembers']>) {
    const request = { changes: changes.map(({ publicKey: key, role }) => ({ key, role })), forced };
    return this.#operate({ kind: 'members', ...request });
  }

  async transferLeader(to: Parameters<Backend['transferLeader']>[0]) {
    const { validators } = this.#options.driver.handshake;
    const index = to === null ? null : validators.indexOf(to);
    if (index === -1) {
      throw new Problem('consensus/no-transferee', 'that key is of no member', {
        remedy: 'See who takes part ("quorate members list"), and name one that votes.',
      });
    }
    return this.#operate({ kind: 'transfer', to: index });
  }

  status(): NodeStatus {
    const { driver, network, clock } = this.#options;
    const engine = driver.engine.status();
    const { final } = driver.chain;
    return {
      validatorIndex: driver.validatorIndex ?? null,
      view: engine.view,
      primary: engine.primary,
      leaderApi: engine.primary === null ? null : (driver.handshake.apiOf(engine.primary) ?? null),
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
    if (this.#ended !== undefined) return this.#ended.message;
    const { driver } = this.#options;
    return [
      driver.engine.why(),
      ...driver.clockWatch.sentences(),
      ...this.#notReached(),
      ...this.#gapsNow(),
    ].join('; ');
  }

  #notReached(): readonly string[] {
    const unreached = this.unreached();
    const named = unreached
      .slice(0, namedInWhy)
      .map(({ address, why }) => `${address} is not reached: ${why}`);
    const more = unreached.length - named.length;
    return more > 0 ? [...named, `${more} more are not reached`] : named;
  }

  /** Every lane of the pool is looked at for it, and so not for each who asks. */
  #gapsNow(): readonly string[] {
    const { driver, clock } = this.#options;
    const now = clock.monotonicMs();
    if (now - this.#gaps.at >= limits.whyGapsMs) this.#gaps = { at: now, sentences: gapsIn(driver.mempool) };
    return this.#gaps.sentences;
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
    if (this.#hasLostVote()) {
      const problem = 'the node does not vote: its consensus log was lost';
      return notReady('node/not-voting', problem, { finalHeight });
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

  /** It should vote, and may not. */
  #hasLostVote(): boolean {
    const { driver } = this.#options;
    const { validatorIndex } = driver;
    const { voting, members } = driver.engine.status();
    if (voting || validatorIndex === undefined) return false;
    return members === undefined || members[validatorIndex]?.role === 'voter';
  }

  metrics(): readonly MetricFamily[] {
    const { network, driver, store } = this.#options;
    return metricFamilies({
      status: this.status(),
      ready: this.readiness() === undefined,
      clockBehindMs: driver.clockWatch.behindMs(),
      clockDifferenceMs: driver.clockWatch.differenceMs(),
      waiting: driver.engine.status().waiting,
      waitingTransactions: driver.mempool.waiting,
      firstBlock: store.firstBlock,
      queuedBytes: network.stats().reduce((sum, { queuedBytes }) => sum + queuedBytes, 0),
    });
  }

  onFinal(listener: Parameters<Backend['onFinal']>[0]): () => void {
    return this.#options.driver.listeners.final.add(({ hash, block, execution }) =>
      listener({ hash, header: block.header, receipts: execution.receipts }),
    );
  }

  onSteppedDown(listener: Parameters<Backend['onSteppedDown']>[0]): () => void {
    const leave = this.#options.driver.listeners.steppedDown.add(listener);
    this.#waiting.add(listener);
    return () => {
      this.#waiting.delete(listener);
      leave();
    };
  }

  /** Waits until this node has what a read must see. */
  async #readable(consistency: Consistency): Promise<void> {
    if (consistency === 'stale') return;
    const result = await this.#request({ kind: 'read', lease: consistency === 'lease' });
    const { engine } = this.#options.genesis.consensus;
    if (result instanceof Problem) throw unsupportedRead(result, engine, consistency);
  }

  /** The final block to read from, at once: its state is given back when the next block is final. */
  #basis(consistency: Consistency): ReadBasis {
    return { ...this.#options.driver.chain.final, consistency };
  }

  #request(request: EngineRequest): Promise<{ readonly height: Height } | Problem> {
    return this.#ask((done) => this.#options.driver.request(request, done));
  }

  async #operate(request: EngineRequest): Promise<{ readonly height: Height }> {
    const result = await this.#request(request);
    if (!(result instanceof Problem)) return result;
    const { leader } = result.details;
    const known = typeof leader === 'number' ? this.members()[leader] : undefined;
    throw result.code === 'consensus/not-leader' && known !== undefined ? notLeader(result, known) : result;
  }

  /** Where one member leads there must be one before anything is taken: what a node without a majority takes may wait forever. */
  async #leader(waitMs: number): Promise<void> {
    const { driver, clock } = this.#options;
    if (!driver.capabilities.leaderTakesAll) return;
    const until = clock.monotonicMs() + waitMs;
    while (driver.engine.status().primary === null) {
      // An observer hears no leader, and hands on what it is given.
      if (driver.validatorIndex === undefined) return;
      if (clock.monotonicMs() >= until) throw noLeader(waitMs);
      await this.#ask<void>((done) => clock.after(leaderPollMs, () => done()));
    }
  }

  #asTaken(result: Submitted): SubmitResult {
    if (result.status === 'refused') return result;
    const { status, hash } = result;
    return status === 'known' ? { status, hash } : { status, hash, missing: this.#missingBefore(hash) };
  }

  #missingBefore(hash: Hash): MissingNonce | null {
    const { mempool } = this.#options.driver;
    const missing = mempool.missingBefore(hash);
    if (missing === undefined) return null;
    const { expiryHeight } = defined(mempool.get(hash), 'what waits in the pool');
    return { sender: missing.sender, nonce: missing.nonce, expiryHeight };
  }

  /** Not in the mempool, but in a block that others proposed and that is not final. */
  async #isInFlight(hash: Hash, pace: Pace): Promise<boolean> {
    for (const [at, { block }] of [...this.#options.driver.chain.candidates()].entries()) {
      if (at % candidatesPerPiece === candidatesPerPiece - 1) await pace();
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

function unsupportedRead(problem: Problem, engine: string, consistency: string): Problem {
  if (problem.code !== 'consensus/unsupported') return problem;
  return problem.restated(`this chain runs ${engine}, which serves no ${consistency} reads`, {
    remedy:
      'Read with consistency=stale: a final state that may not be the newest; compare several nodes if that matters.',
    details: { engine, consistency },
  });
}

function notLeader(problem: Problem, { name, index, api }: MemberView): Problem {
  return problem.restated(`this node does not lead: ${name} (member ${index}) does`, {
    remedy:
      api === null ? `Ask the node of ${name}.` : `Ask the node of ${name}: ${api} (quorate: --follow).`,
    details: { ...problem.details, leaderApi: api },
  });
}

function noLeader(waitedMs: number): Problem {
  return new Problem('consensus/no-leader', 'no leader is known: nothing was taken', {
    remedy: 'Try again in a second or at another node; ask "why" what it waits for.',
    details: { waitedMs, retryable: true },
  });
}

function notReady(code: CodeOf<'node'>, message: string, details: Record<string, number>): Problem {
  return new Problem(code, message, {
    remedy: 'Wait, or ask another node; "quorate why" tells what it waits for.',
    details: { ...details, retryable: true },
  });
}

/** What no block can take because a nonce before it is missing here: that is no fault of the engine, which sees nothing to do. */
function gapsIn(mempool: Pick<Mempool, 'missing' | 'waiting'>): string[] {
  const gaps = mempool.missing();
  const [worst] = gaps;
  if (worst === undefined) return [];
  const others = gaps.length === 1 ? '' : `, and those of ${gaps.length - 1} other senders likewise`;
  return [
    `${mempool.waiting} transactions wait for nonces that are missing here: nonce ${worst.nonce} of ` +
      `${encodeAddress(worst.sender)} keeps ${worst.waiting} waiting${others}; the first of them are gone when block ` +
      `${gaps.reduce((least, { firstExpiry }) => Math.min(least, firstExpiry), Infinity)} is final, and while they wait an ` +
      `empty block is made every ${limits.waitingBlockMs / 1_000} s`,
  ];
}
