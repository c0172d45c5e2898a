import type {
  Backend,
  BlockReference,
  Consistency,
  FinalBlock,
  MissingNonce,
  NodeIdentity,
  NodeStatus,
  SubmitResult,
  TransactionOutcome,
  TransactionStatus,
} from '../../src/api/backend.ts';
import type { BlockView } from '../../src/api/chain-views.ts';
import type { EvidenceView } from '../../src/api/evidence-views.ts';
import type { NamePage } from '../../src/api/record-views.ts';
import type { SampleSpan, TelemetryBackend } from '../../src/api/telemetry-views.ts';
import type { ListBackend } from '../../src/api/listed.ts';
import { defined } from '../../src/base/invariant.ts';
import { compareBytes, utf8 } from '../../src/base/bytes.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { type Hash, zeroHash } from '../../src/crypto/hash.ts';
import type { PublicKey, Signature } from '../../src/crypto/signature.ts';
import { type BlockHeader, hashHeader, type Height, toHeight, toView } from '../../src/ledger/block.ts';
import type { FinalityCertificate } from '../../src/ledger/certificate.ts';
import { merkleProof, merkleRoot } from '../../src/ledger/merkle.ts';
import type { Reservation } from '../../src/ledger/reservation.ts';
import type { ReservationId } from '../../src/ledger/reservation-id.ts';
import { hashReceipt, type Receipt, receiptsRootOf } from '../../src/ledger/receipt.ts';
import { State } from '../../src/ledger/state.ts';
import type { StateKind } from '../../src/ledger/state-reading.ts';
import { assembleTransaction, decodeTransaction, type Transaction } from '../../src/ledger/transaction.ts';

export const alice = 'a1'.repeat(32) as PublicKey;
export const validator = 'b2'.repeat(32) as PublicKey;
const chainId = 'cc'.repeat(32) as Hash;

export function transfer(nonce: number, fee = 10n): Transaction {
  return assembleTransaction(
    {
      chainId,
      sender: alice,
      nonce,
      fee,
      expiryHeight: toHeight(1_000),
      reference: new Uint8Array(),
      conditions: [],
      operations: [{ type: 'transfer', to: validator, amount: 2n ** 60n, memo: 'héllo' }],
      signers: [alice],
    },
    ['ee'.repeat(64) as Signature],
  );
}

/** What lists answer, and what they were asked for. */
class FakeLists implements ListBackend {
  answers: {
    readonly transactions?: Awaited<ReturnType<ListBackend['transactions']>>;
    readonly history?: Awaited<ReturnType<ListBackend['history']>>;
    readonly at?: Awaited<ReturnType<ListBackend['recordAt']>>;
  } = {};
  readonly asked: unknown[][] = [];

  async transactions(...asked: Parameters<ListBackend['transactions']>) {
    this.asked.push(asked.slice(0, 2));
    return defined(this.answers.transactions, 'a page');
  }

  async history(...asked: Parameters<ListBackend['history']>) {
    this.asked.push(asked.slice(0, 2));
    return defined(this.answers.history, 'a page');
  }

  async recordAt(...asked: Parameters<ListBackend['recordAt']>) {
    this.asked.push(asked.slice(0, 2));
    return defined(this.answers.at, 'what a record was');
  }
}

/** What a node saw: two of each. */
class FakeTelemetry implements TelemetryBackend {
  readonly asked: SampleSpan[] = [];

  viewChanges() {
    const at = 1_700_000_000_000;
    return [
      { at, view: toView(0), leader: validator, reason: 'this node started' },
      { at: at + 5, view: toView(1), leader: null, reason: 'its primary is silent' },
    ];
  }

  blockVotes() {
    const block = { hash: zeroHash, proposer: validator };
    return [
      { ...block, height: toHeight(7), finalMs: null, votes: [{ validator: alice, ms: null }] },
      { ...block, height: toHeight(8), finalMs: 12.345, votes: [{ validator, ms: 3.21 }] },
    ];
  }

  samples(span: SampleSpan) {
    this.asked.push(span);
    const sample = {
      at: 1_700_000_000_000,
      ms: 2_000.123,
      blocks: 1,
      transactions: 3,
      blockBytes: 500,
      latencyMs: { p50: 10.04, p90: 20.06, p99: null },
      pending: 4,
      view: toView(1),
      viewChanges: 2,
      memoryBytes: 1_000,
      heapBytes: 900,
      diskBytes: null,
      votes: [{ validator, ms: 2 / 3 }],
    };
    return { everyMs: 2_000, samples: [sample, { ...sample, diskBytes: 5 }] };
  }
}

/** A node of plain memory: what is submitted waits until a test makes a block of it. */
export class FakeBackend implements Backend {
  readonly identity: NodeIdentity = {
    engine: 'pbft',
    genesis: '{}\n',
    leaderTakesAll: false,
    chainId,
    chainName: 'fake',
    development: true,
    version: '1.2.3',
    signatureCheck: 'nobody',
    validator,
  };
  readonly telemetry = new FakeTelemetry();
  readonly blocks: BlockView[] = [];
  readonly pending = new Map<Hash, Transaction>();
  /** What those that are pending wait for. */
  missing: MissingNonce | null = null;
  readonly records = new Map<string, Uint8Array>();
  /** In the order of their bytes. */
  readonly namespaces: string[] = [];
  readonly listeners = new Set<(block: FinalBlock) => void>();
  readonly evidenceList: EvidenceView[] = [];
  /** What `submit` says of each, when a test wants something else than taking it. */
  judge: (transaction: Transaction) => Problem | undefined = () => undefined;
  /** Runs while a submission is under way. */
  meanwhile: () => void = () => undefined;
  unhealthy: Problem | undefined;
  unready: Problem | undefined;
  failure: Error | undefined;
  submissions = 0;
  readonly waits: (number | undefined)[] = [];
  /** What changes of members and leader end with, and those that were asked for. */
  operation: Problem | { readonly height: Height } = { height: toHeight(9) };
  readonly operations: object[] = [];

  constructor() {
    this.makeBlock([]);
  }

  /** Makes a block of these, or of all that waits, final, and tells of it. */
  makeBlock(transactions: readonly Transaction[] = [...this.pending.values()]): BlockView {
    const parent = this.blocks.at(-1);
    const receipts = transactions.map(({ hash, fee }): Receipt => ({
      transactionHash: hash,
      status: 'applied',
      code: '',
      failure: undefined,
      fee,
      accounts: [{ publicKey: alice, balance: 5n, held: 0n }],
      records: [],
      changes: [],
    }));
    const header: BlockHeader = {
      height: toHeight(this.blocks.length),
      parentHash: parent?.hash ?? chainId,
      view: toView(0),
      proposer: validator,
      timestamp: 1_700_000_000_000 + this.blocks.length,
      protocolVersion: 1,
      transactionRoot: merkleRoot(transactions.map(({ hash }) => hash)),
      stateRoot: zeroHash,
      receiptsRoot: receiptsRootOf(receipts),
      validatorsHash: zeroHash,
      nextValidatorsHash: zeroHash,
    };
    const hash = hashHeader(header);
    const block: BlockView = {
      hash,
      header,
      transactions,
      receipts,
      certificate: this.blocks.length === 0 ? null : certificateOf(header, hash),
    };
    this.blocks.push(block);
    for (const each of transactions) this.pending.delete(each.hash);
    const transactionCount = transactions.length;
    for (const listener of this.listeners) listener({ hash, header, transactionCount, receipts });
    return block;
  }

  readonly lists = new FakeLists();

  async submit(
    transactions: readonly Uint8Array[],
    options: { readonly waitMs?: number } = {},
  ): Promise<readonly SubmitResult[]> {
    this.waits.push(options.waitMs);
    this.submissions += 1;
    if (this.failure !== undefined) throw this.failure;
    const results = transactions.map((bytes): SubmitResult => {
      const transaction = decodeTransaction(bytes);
      if (transaction instanceof Problem) return { status: 'refused', hash: null, problem: transaction };
      const { hash } = transaction;
      const problem = this.judge(transaction);
      if (problem !== undefined) return { status: 'refused', hash, problem };
      if (this.pending.has(hash) || this.find(hash) !== undefined) return { status: 'known', hash };
      this.pending.set(hash, transaction);
      return { status: 'accepted', hash, missing: null };
    });
    this.meanwhile();
    return results;
  }

  find(hash: Hash): { block: BlockView; index: number } | undefined {
    for (const block of this.blocks) {
      const index = block.transactions.findIndex((each) => each.hash === hash);
      if (index >= 0) return { block, index };
    }
    return undefined;
  }

  async transaction(hash: Hash): Promise<TransactionStatus> {
    const found = this.find(hash);
    if (found === undefined) {
      if (hash === 'dd'.repeat(32)) {
        const problem = new Problem('mempool/expired', 'it expired', { remedy: 'Sign it again.' });
        return { status: 'gone', hash, problem };
      }
      return this.pending.has(hash)
        ? { status: 'pending', hash, missing: this.missing }
        : { status: 'unknown', hash, problem: null };
    }
    const { block, index } = found;
    const hashes = block.transactions.map((each) => each.hash);
    return {
      status: 'final',
      hash,
      inclusion: {
        height: block.header.height,
        blockHash: block.hash,
        header: block.header,
        descendants: [],
        certificate: certificateOf(block.header, block.hash),
        receipt: block.receipts[index] as Receipt,
        transactionProof: merkleProof(hashes, index),
        receiptProof: merkleProof(block.receipts.map(hashReceipt), index),
        transaction: block.transactions[index] as Transaction,
      },
    };
  }

  async outcome(hash: Hash): Promise<TransactionOutcome> {
    const status = await this.transaction(hash);
    if (status.status !== 'final') return status;
    const { height, blockHash, receipt } = status.inclusion;
    return { status: 'final', hash, height, blockHash, receipt };
  }

  async block(name: BlockReference): Promise<BlockView | undefined> {
    if (name === 'latest') return this.blocks.at(-1);
    return 'height' in name
      ? this.blocks[name.height]
      : this.blocks.find((block) => block.hash === name.hash);
  }

  async finality(name: BlockReference) {
    const block = await this.block(name);
    const signed =
      block &&
      this.blocks.find(
        ({ header, certificate }) => certificate !== null && header.height >= block.header.height,
      );
    if (block === undefined || signed === undefined || signed.certificate === null) return undefined;
    const descendants = this.blocks.slice(block.header.height + 1, signed.header.height + 1);
    return {
      header: block.header,
      descendants: descendants.map(({ header }) => header),
      certificate: signed.certificate,
    };
  }

  async epochs() {
    return [];
  }

  async headers(from: Height, limit: number) {
    return this.blocks
      .slice(from, from + limit)
      .map(({ hash, header, transactions }) => ({ hash, header, transactionCount: transactions.length }));
  }

  async account(publicKey: PublicKey, consistency: Consistency) {
    return this.#read(consistency, {
      publicKey,
      balance: 2n ** 63n,
      held: 7n,
      nonce: 4,
      keys: undefined,
      pendingNonce: 6,
    });
  }

  async stateReading<Name>(kind: StateKind<Name, unknown>, name: Name) {
    const finality = await this.finality('latest');
    return finality && { ...finality, ...kind.read(State.empty, name) };
  }

  async reservation(id: ReservationId, consistency: Consistency) {
    const place = { height: toHeight(1), transaction: 0, operation: id.operation };
    const reservation: Reservation = {
      recipient: validator,
      amount: 7n,
      expiryHeight: toHeight(9),
      made: place,
      previous: undefined,
      fate: id.operation === 0 ? { type: 'held' } : { type: 'posted', taken: 5n, at: place },
    };
    return this.#read(consistency, id.nonce === 0 ? reservation : undefined);
  }

  async record(key: string, consistency: Consistency) {
    const value = this.records.get(key);
    const changed = { height: toHeight(1), transaction: 0, operation: 0 };
    const about = { key, owner: alice, version: 1, changed, previous: undefined };
    return this.#read(consistency, value === undefined ? undefined : { ...about, value });
  }

  async listRecords({ prefix, after, limit }: NamePage, consistency: Consistency) {
    const changed = { height: toHeight(1), transaction: 0, operation: 0 };
    const about = { owner: alice, version: 1, changed, previous: undefined };
    const all = [...this.records].toSorted(([a], [b]) => compareBytes(utf8(a), utf8(b)));
    const found = all.filter(([key]) => key.startsWith(prefix) && (after === undefined || key > after));
    const records = found.slice(0, limit).map(([key, value]) => ({ ...about, key, value }));
    const next = found.length > limit ? (records.at(-1)?.key ?? null) : null;
    return this.#read(consistency, { records, next });
  }

  async namespace(name: string, consistency: Consistency) {
    return this.#read(consistency, name === 'none' ? undefined : namespaceOf(name));
  }

  async listNamespaces({ prefix, after, limit }: NamePage, consistency: Consistency) {
    const found = this.namespaces.filter(
      (name) => name.startsWith(prefix) && (after === undefined || name > after),
    );
    const namespaces = found.slice(0, limit).map(namespaceOf);
    const next = found.length > limit ? (namespaces.at(-1)?.name ?? null) : null;
    return this.#read(consistency, { namespaces, next });
  }

  /** As PBFT: it serves stale reads only. */
  #read<T>(consistency: Consistency, value: T) {
    if (consistency === 'linearizable') {
      throw new Problem('consensus/unsupported', 'no such reads', { remedy: 'Read with consistency=stale.' });
    }
    const head = this.blocks.at(-1) as BlockView;
    const { height, stateRoot } = head.header;
    return { value, consistency: 'stale' as const, height, blockHash: head.hash, stateRoot };
  }

  unreached() {
    return [{ address: '/ip4/192.0.2.1/tcp/4601', why: 'nothing listens there', remedy: 'Start it.' }];
  }

  chainParameters() {
    const { hash: blockHash, header } = this.blocks.at(-1) as BlockView;
    const { height, stateRoot } = header;
    return {
      height,
      blockHash,
      stateRoot,
      protocolVersion: 1,
      feePerOperation: 3n,
      limits: { maxTransactions: 10, maxOperations: 300, maxBytes: 40_000 },
      scheduled: [
        {
          height: toHeight(900),
          change: { type: 'protocol-version' as const, version: 2, height: toHeight(900) },
        },
      ],
      validatorsHash: zeroHash,
      validators: [
        { publicKey: validator, name: 'a', protocolVersions: { oldest: 1, newest: 2 } },
        { publicKey: alice, name: null, protocolVersions: null },
      ],
      members: Uint8Array.of(1, 2),
      needed: 2,
    };
  }

  chainProposals() {
    return [
      {
        id: zeroHash,
        proposer: validator,
        change: { type: 'fee-floor' as const, feePerOperation: 2n ** 64n - 1n, height: undefined },
        expiryHeight: toHeight(800),
        validatorsHash: zeroHash,
        approvals: [validator],
        needed: 2,
        decidedAt: null,
        status: 'open' as const,
      },
    ];
  }

  validators() {
    return [
      { index: 0, name: 'a', publicKey: validator, primary: true, self: true, connected: true, heard: true },
      { index: 1, name: 'b', publicKey: alice, primary: false, self: false, connected: false, heard: false },
    ];
  }

  strangers() {
    return ['b0'.repeat(32) as PublicKey];
  }

  members() {
    return this.validators().map(({ primary, index, name, publicKey, self, connected }) => ({
      index,
      name,
      publicKey,
      self,
      connected,
      role: 'voter' as const,
      leader: primary,
      api: primary ? 'http://leader.example:4600' : null,
    }));
  }

  async changeMembers(...[changes, forced]: Parameters<Backend['changeMembers']>) {
    this.operations.push({ changes, forced });
    return unwrap(this.operation);
  }

  async transferLeader(to: PublicKey | null) {
    this.operations.push({ to });
    return unwrap(this.operation);
  }

  status(): NodeStatus {
    const head = this.blocks.at(-1) as BlockView;
    return {
      validatorIndex: 0,
      view: toView(3),
      primary: null,
      leaderApi: null,
      finalHeight: head.header.height,
      finalHash: head.hash,
      stateRoot: head.header.stateRoot,
      finalTimestamp: head.header.timestamp,
      highestKnown: head.header.height,
      inFlight: 2,
      voting: true,
      quorumContact: true,
      syncing: false,
      peers: 3,
      mempool: { transactions: this.pending.size, bytes: 100 },
      protocolVersion: 1,
      knownProtocolVersions: { oldest: 1, newest: 2 },
      scheduledProtocolVersion: { version: 2, height: toHeight(900) },
      uptimeMs: 12,
      counters: { votes: 5 },
    };
  }

  why(): string {
    return 'height 812, view 3: 2 of 3 commits';
  }

  async evidence(offset: number, limit: number) {
    return this.evidenceList.slice(offset, offset + limit);
  }

  health() {
    return this.unhealthy;
  }

  readiness() {
    return this.unready;
  }

  metrics() {
    return [
      {
        name: 'quorate_final_height',
        help: 'h',
        type: 'gauge' as const,
        samples: [{ labels: {}, value: 7 }],
      },
      {
        name: 'quorate_votes_total',
        help: 'v',
        type: 'counter' as const,
        samples: [
          { labels: { phase: 'commit' }, value: 3 },
          { labels: { phase: 'prepare' }, value: 0 },
        ],
      },
    ];
  }

  onFinal(listener: (block: FinalBlock) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  readonly steppedDownListeners = new Set<(reason: string) => void>();

  onSteppedDown(listener: (reason: string) => void): () => void {
    this.steppedDownListeners.add(listener);
    return () => this.steppedDownListeners.delete(listener);
  }

  stepDown(reason: string): void {
    for (const listener of this.steppedDownListeners) listener(reason);
  }
}

function namespaceOf(name: string) {
  const root = new Uint8Array(32).fill(7);
  return { name, owner: alice, mode: 'writers' as const, writers: [alice], entries: 3, root };
}

function certificateOf({ height, view }: BlockHeader, blockHash: Hash): FinalityCertificate {
  const signatures = [0, 1, 2].map((index) => ({
    validator: index,
    signature: 'ab'.repeat(64) as Signature,
  }));
  return { epoch: toHeight(0), engine: 'pbft', phase: 'commit', view, height, blockHash, signatures };
}
