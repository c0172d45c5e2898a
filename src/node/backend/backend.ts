import type {
  Backend,
  BlockReference,
  MetricFamily,
  NodeIdentity,
  NodeStatus,
  Pace,
} from '../../api/backend.ts';
import type { TelemetryBackend } from '../../api/telemetry-views.ts';
import { defined } from '../../base/invariant.ts';
import type { Problem } from '../../base/problem.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { StateKind } from '../../ledger/state-reading.ts';
import type { Height } from '../../ledger/block.ts';
import { formatGenesis, genesisValidators } from '../../ledger/genesis.ts';
import { metricFamilies } from './metrics.ts';
import type { NodeBackendOptions } from './options.ts';
import { Asking } from './asking.ts';
import { ChainRules } from './chain-rules.ts';
import { Health } from './health.ts';
import { Lists } from './lists.ts';
import { Members } from './members.ts';
import { Reads } from './reads.ts';
import { Submissions } from './submissions.ts';

/** What the API asks this node for. */
export class NodeBackend implements Backend {
  readonly identity: NodeIdentity;
  readonly #options: NodeBackendOptions;
  readonly #asking: Asking;
  readonly #submissions: Submissions;
  readonly #reads: Reads;
  readonly lists: Lists;
  readonly telemetry: TelemetryBackend;
  readonly #members: Members;
  readonly #health: Health;
  readonly #rules: ChainRules;
  /** Those who wait for finality, to be told when this node cannot tell them of it any more. */
  readonly #waiting = new Set<(reason: string) => void>();

  constructor(options: NodeBackendOptions) {
    this.#options = options;
    this.telemetry = options.telemetry;
    this.#asking = new Asking(options.driver);
    this.#submissions = new Submissions(options, this.#asking);
    this.#reads = new Reads(options, this.#asking);
    this.lists = new Lists(options.store, () => options.driver.chain.final.state);
    this.#members = new Members(options, this.#asking);
    this.#rules = new ChainRules(options);
    this.#health = new Health(options, this.#asking, this.#rules);
    this.identity = identityOf(options);
  }

  /** The node works no more: it stops, or cannot go on. */
  end(problem: Problem): void {
    this.#asking.end(problem);
    const { ended } = this.#asking;
    // One that stops in order answers them when its API closes, with how it stands.
    if (this.health() !== undefined)
      for (const tell of this.#waiting) tell(defined(ended, 'why it ended').message);
  }

  submit(...asked: Parameters<Backend['submit']>) {
    return this.#submissions.submit(...asked);
  }

  transaction(hash: Hash, pace?: Pace) {
    return this.#submissions.transaction(hash, pace);
  }

  outcome(hash: Hash, pace?: Pace) {
    return this.#submissions.outcome(hash, pace);
  }

  block(...asked: Parameters<Backend['block']>) {
    return this.#reads.block(...asked);
  }

  finality(name: BlockReference) {
    return this.#reads.finality(name);
  }

  epochs(from: Height) {
    return this.#reads.epochs(from);
  }

  headers(from: Height, limit: number, pace?: Pace) {
    return this.#reads.headers(from, limit, pace);
  }

  account(...asked: Parameters<Backend['account']>) {
    return this.#reads.account(...asked);
  }

  reservation(...asked: Parameters<Backend['reservation']>) {
    return this.#reads.reservation(...asked);
  }

  record(...asked: Parameters<Backend['record']>) {
    return this.#reads.record(...asked);
  }

  stateReading<Name>(kind: StateKind<Name, unknown>, name: Name) {
    return this.#reads.stateReading(kind, name);
  }

  chainParameters() {
    return this.#rules.parameters();
  }

  chainProposals() {
    return this.#rules.proposals();
  }

  listRecords(...asked: Parameters<Backend['listRecords']>) {
    return this.#reads.listRecords(...asked);
  }

  namespace(...asked: Parameters<Backend['namespace']>) {
    return this.#reads.namespace(...asked);
  }

  listNamespaces(...asked: Parameters<Backend['listNamespaces']>) {
    return this.#reads.listNamespaces(...asked);
  }

  validators() {
    return this.#members.validators();
  }

  strangers() {
    return this.#members.strangers();
  }

  members() {
    return this.#members.list();
  }

  changeMembers(...asked: Parameters<Backend['changeMembers']>) {
    return this.#members.changeMembers(...asked);
  }

  transferLeader(...asked: Parameters<Backend['transferLeader']>) {
    return this.#members.transferLeader(...asked);
  }

  status(): NodeStatus {
    return this.#health.status();
  }

  why(): string {
    return this.#health.why();
  }

  unreached() {
    return this.#health.unreached();
  }

  health(): Problem | undefined {
    return this.#health.problem();
  }

  readiness(): Problem | undefined {
    return this.#health.readiness();
  }

  async evidence(offset: number, limit: number) {
    const { driver, genesis, store } = this.#options;
    const keys = genesisValidators(genesis).keys;
    const indexOf = (key: (typeof keys)[number]): number =>
      Math.max(driver.registry.validators.indexOf(key), keys.indexOf(key));
    return store.evidence
      .list()
      .slice(offset, offset + limit)
      .map(({ accused, kind, bytes }) => ({
        accused: indexOf(accused),
        publicKey: accused,
        kind,
        bytes,
        contradiction: driver.contradictionIn(bytes),
      }));
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
      signatureCheck: this.identity.signatureCheck,
      queuedBytes: network.stats().reduce((sum, { queuedBytes }) => sum + queuedBytes, 0),
    });
  }

  onFinal(listener: Parameters<Backend['onFinal']>[0]): () => void {
    return this.#options.driver.listeners.final.add(({ hash, block, execution }) =>
      listener({
        hash,
        header: block.header,
        transactionCount: block.transactions.length,
        get receipts() {
          return execution.receipts;
        },
      }),
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
}

function identityOf({ driver, genesis, version, signatureCheck }: NodeBackendOptions): NodeIdentity {
  return {
    engine: genesis.consensus.engine,
    genesis: formatGenesis(genesis),
    leaderTakesAll: driver.capabilities.leaderTakesAll,
    chainId: genesis.chainId,
    chainName: genesis.name,
    development: genesis.development,
    version,
    signatureCheck,
    // A node may become a member while it runs, or be one no more.
    get validator() {
      const { validatorIndex } = driver;
      return validatorIndex === undefined ? null : (driver.registry.keyAt(validatorIndex) ?? null);
    },
  };
}
