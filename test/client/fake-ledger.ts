import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { boundedBytes, decode, listOf } from '../../src/base/codec.ts';
import { limits } from '../../src/base/limits.ts';
import { unwrap } from '../../src/base/problem.ts';
import type { Origin, ProblemAnswer, SubmitAnswer } from '../../src/client/answers.ts';
import { defaultSurroundings, type Surroundings } from '../../src/client/transport.ts';
import { parseAddress } from '../../src/crypto/address.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import type { PublicKey } from '../../src/crypto/signature.ts';
import { decodeTransaction, type Transaction } from '../../src/ledger/transaction.ts';
import { accountJson, finalityJson, stateReadingJson, transactionStatusJson } from '../../src/api/present.ts';
import { type BlockHeader, hashHeader, headerJson } from '../../src/ledger/block.ts';
import type { FinalityCertificate } from '../../src/ledger/certificate.ts';
import { formatGenesis, type Genesis, genesisHeader, genesisState } from '../../src/ledger/genesis.ts';
import { merkleProof, merkleRoot } from '../../src/ledger/merkle.ts';
import { hashReceipt, type Receipt, receiptJson, receiptsRootOf } from '../../src/ledger/receipt.ts';
import type { State } from '../../src/ledger/state.ts';
import { accountStateKey, encodeAccount, type StateChange } from '../../src/ledger/state-entry.ts';
import { parseReservation } from '../../src/ledger/reservation-id.ts';
import { pageReading } from '../../src/ledger/page-reading.ts';
import {
  accountReading,
  namespaceReading,
  recordReading,
  reservationReading,
} from '../../src/ledger/state-reading.ts';
import { status } from './fake-api.ts';
import { certificateOf, genesisOf, nextHeader } from './proof-samples.ts';

const batchCodec = listOf(boundedBytes(limits.maxTransactionBytes), limits.httpBatch);

interface Block {
  readonly hash: Hash;
  readonly header: BlockHeader;
  readonly certificate: FinalityCertificate;
  readonly transactions: readonly Transaction[];
  readonly receipts: readonly Receipt[];
  readonly state: State;
}

/** What came of each, but its name. */
const nothingCame: Omit<Receipt, 'transactionHash'> = {
  status: 'applied',
  code: '',
  failure: undefined,
  fee: 1n,
  accounts: [],
  records: [],
  changes: [],
};

/** So much passes with a turn of the event loop. */
const msPerTurn = 40;
/** Later than any deadline. */
export const afterAllMs = 2 ** 50;
/** More turns than anything takes that comes to pass. */
const enoughTurns = 20_000;

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** Waits for what comes to pass; fails when it does not. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turns = 0; !holds(); turns++) {
    assert.ok(turns < enoughTurns, `it does not come to pass that ${holds.toString()}`);
    await turn();
  }
}

/**
 * Time that passes with the turns of the event loop: on a busy machine all of the story takes longer, and not
 * only what is waited for. When the test is over no time is left, so that what is still asked gives up.
 */
export function fastTime(t: TestContext): Surroundings {
  let ms = 0;
  const alarms = new Map<() => void, number>();
  const ring = (): void => {
    for (const [call, at] of alarms) if ((at <= ms || ms === afterAllMs) && alarms.delete(call)) call();
  };
  const turns = setInterval(() => {
    ms += msPerTurn;
    ring();
  }, 1);
  t.after(() => {
    clearInterval(turns);
    ms = afterAllMs;
    ring();
  });
  const alarm: Surroundings['alarm'] = (more, call) => {
    const once = (): void => call();
    alarms.set(once, ms + more);
    if (ms === afterAllMs) setImmediate(ring);
    return () => void alarms.delete(once);
  };
  return {
    ...defaultSurroundings,
    now: () => ms,
    alarm,
    sleep: (more) => new Promise((resolve) => void alarm(more, resolve)),
    random: () => 0.5,
  };
}

/**
 * One chain behind the APIs of several nodes. Each keeps what it is given; a block takes what the living ones
 * have, and is signed by the validators of a genesis file.
 */
export class FakeLedger {
  readonly genesis: Genesis;
  readonly origin: Origin;
  readonly blocks: Block[] = [];
  readonly nodes: FakeNode[] = [];
  /** Nonces by sender, after the last block. */
  readonly nonces = new Map<string, number>();
  /** Whether a submission makes a block by itself. */
  commits = true;
  /** What no block holds any more. */
  readonly gone = new Set<Hash>();
  judge: (transaction: Transaction, node: FakeNode) => ProblemAnswer | undefined = () => undefined;

  private constructor(engine: 'pbft' | 'raft') {
    this.genesis = genesisOf(engine);
    this.origin = { engine, chainId: this.genesis.chainId };
  }

  static async start(t: TestContext, count: number, engine: 'pbft' | 'raft' = 'pbft'): Promise<FakeLedger> {
    const ledger = new FakeLedger(engine);
    for (let index = 0; index < count; index++) ledger.nodes.push(await FakeNode.start(ledger));
    t.after(() => {
      for (const node of ledger.nodes) node.kill();
    });
    return ledger;
  }

  get endpoints(): string[] {
    return this.nodes.map(({ url }) => url);
  }

  /** Every final transaction, in order. */
  get final(): Transaction[] {
    return this.blocks.flatMap(({ transactions }) => transactions);
  }

  find(hash: Hash): Block | undefined {
    return this.blocks.find(({ transactions }) => transactions.some((one) => one.hash === hash));
  }

  /** A final transaction, with its proof. */
  statusOf(block: Block, name: Hash) {
    const { hash: blockHash, header, certificate, transactions, receipts } = block;
    const at = transactions.findIndex(({ hash }) => hash === name);
    const inclusion = {
      header,
      descendants: [],
      certificate,
      height: header.height,
      blockHash,
      receipt: receipts[at] as Receipt,
      transaction: transactions[at] as Transaction,
      transactionProof: merkleProof(
        transactions.map(({ hash }) => hash),
        at,
      ),
      receiptProof: merkleProof(receipts.map(hashReceipt), at),
    };
    return { status: 'final', hash: name, inclusion } as const;
  }

  /** The state after a block, and what shows that the block is final. */
  readingAt(height: number) {
    const block = this.blocks[height - 1];
    if (block === undefined) return { finality: undefined, state: genesisState(this.genesis) };
    const { header, certificate, state } = block;
    return { finality: { header, descendants: [], certificate }, state };
  }

  /** What the next block changes in the state besides the nonces. */
  alsoChanges: StateChange[] = [];

  #blockOf(transactions: readonly Transaction[]): Block {
    const receipts = transactions.map(({ hash }): Receipt => ({ ...nothingCame, transactionHash: hash }));
    const before = this.blocks.at(-1)?.state ?? genesisState(this.genesis);
    const senders = [...new Set(transactions.map(({ sender }) => sender))];
    const state = before.with([
      ...senders.map((sender) => {
        const account = { ...before.account(sender), nonce: this.nonces.get(sender) ?? 0 };
        return { key: accountStateKey(sender), value: encodeAccount(account) };
      }),
      ...this.alsoChanges.splice(0),
    ]);
    const header = nextHeader(this.blocks.at(-1)?.header ?? genesisHeader(this.genesis), {
      transactionRoot: merkleRoot(transactions.map(({ hash }) => hash)),
      receiptsRoot: receiptsRootOf(receipts),
      stateRoot: state.root,
    });
    const certificate = certificateOf(this.genesis, header);
    return { hash: hashHeader(header), header, certificate, transactions, receipts, state };
  }

  commit(): void {
    const waiting = new Map<Hash, Transaction>();
    for (const { alive, pool } of this.nodes) {
      if (alive) for (const [hash, transaction] of pool) waiting.set(hash, transaction);
    }
    const taken: Transaction[] = [];
    for (const transaction of [...waiting.values()].sort((a, b) => a.nonce - b.nonce)) {
      const next = this.nonces.get(transaction.sender) ?? 0;
      if (transaction.nonce !== next) continue;
      this.nonces.set(transaction.sender, next + 1);
      taken.push(transaction);
    }
    if (taken.length === 0 && this.alsoChanges.length === 0) return;
    this.blocks.push(this.#blockOf(taken));
    for (const node of this.nodes) {
      for (const transaction of taken) node.pool.delete(transaction.hash);
      node.announce();
    }
  }
}

class FakeNode {
  /** What it says instead of what is so; undefined for the truth. */
  lie: (path: string, truth: object) => object | undefined = () => undefined;
  /** What it refuses to answer, with which problem. */
  refuses: (path: string) => ProblemAnswer | undefined = () => undefined;
  /** Whether it keeps what it takes to itself, and forgets it. */
  forgets = false;
  readonly pool = new Map<Hash, Transaction>();
  /** The last block that reaches it, when it is cut off from the others and lives on. */
  cutOffAt = Infinity;
  /** How many blocks it lacks of the state, as it shows it. */
  behind = 0;
  readonly readers = new Map<ServerResponse, number>();
  requests: string[] = [];
  alive = true;
  /** The least fee for each unit, as it says. */
  floor = '0';
  /** Called with each batch before it is answered. */
  onBatch: () => void = () => undefined;
  /** What somebody in between answers in its place, after it took a batch. */
  garbled: readonly number[] = [];
  url = '';
  readonly #ledger: FakeLedger;
  readonly #server: Server;

  private constructor(ledger: FakeLedger) {
    this.#ledger = ledger;
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => this.#answer(request, response, Buffer.concat(chunks)));
    });
  }

  static async start(ledger: FakeLedger): Promise<FakeNode> {
    const node = new FakeNode(ledger);
    await new Promise<void>((resolve) => node.#server.listen(0, '127.0.0.1', resolve));
    node.url = `http://127.0.0.1:${(node.#server.address() as AddressInfo).port}`;
    return node;
  }

  /** As kill -9: what it alone had is gone. */
  kill(): void {
    this.alive = false;
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Says to its readers whatever it likes. */
  tell(event: object): void {
    for (const response of this.readers.keys()) {
      response.write(`data: ${JSON.stringify({ ...this.#ledger.origin, ...event })}\n\n`);
    }
  }

  /** Gives its readers signs of life from here on. */
  breathe(t: TestContext): void {
    const signs = setInterval(() => {
      for (const response of this.readers.keys()) response.write(': alive\n\n');
    }, 10);
    t.after(() => clearInterval(signs));
  }

  announce(): void {
    for (const [response, next] of this.readers) {
      for (const block of this.#ledger.blocks.slice(next - 1, this.cutOffAt)) {
        const event = {
          ...this.#ledger.origin,
          hash: block.hash,
          header: headerJson(block.header),
          transactionCount: block.transactions.length,
        };
        response.write(`id: ${block.header.height}\ndata: ${JSON.stringify(event)}\n\n`);
        this.readers.set(response, block.header.height + 1);
      }
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const { method = '', url = '' } = request;
    this.requests.push(`${method} ${url.replace(/[0-9a-f]{64}/, 'HASH')}`);
    const json = (value: object, code = 200): void => {
      const said = { ...this.#ledger.origin, ...value };
      const lie = this.lie(url, said);
      const status = lie === undefined ? code : 200;
      response.writeHead(status, {
        'content-type': status < 400 ? 'application/json' : 'application/problem+json',
      });
      response.end(JSON.stringify(lie ?? said));
    };
    const refusal = this.refuses(url);
    if (refusal !== undefined) return json(refusal, 404);
    const { blocks, nonces, genesis } = this.#ledger;
    const [, , resource, name = '', part] = url.split(/[/?]/);
    if (method === 'POST') {
      this.onBatch();
      if (!this.alive) return;
      const results = this.#submit(body);
      const [code, ...others] = this.garbled;
      this.garbled = others;
      if (code === undefined) json({ results });
      else response.writeHead(code, { 'content-type': 'text/html' }).end('<html>');
      if (this.#ledger.commits) setImmediate(() => this.#ledger.commit());
    } else if (resource === 'status') json({ ...status, ...this.#ledger.origin, finalHeight: blocks.length });
    else if (resource === 'chain') json({ feePerOperation: this.floor, scheduled: [] });
    else if (resource === 'genesis') json({ genesis: formatGenesis(genesis) });
    else if (resource === 'accounts') {
      const account = unwrap(parseAddress(name));
      const nonce = nonces.get(account) ?? 0;
      json(accountOf(this.#ledger, account, { nonce, pendingNonce: nonce }));
    } else if (resource === 'proofs') {
      const { finality, state } = this.#ledger.readingAt(blocks.length - this.behind);
      if (finality === undefined) return json({ code: 'api/no-such-block', detail: 'none', remedy: '' }, 404);
      const entry = entryIn(state, new URL(url, this.url));
      json(stateReadingJson(this.#ledger.origin as never, { ...finality, ...entry }));
    } else if (resource === 'events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': hello\n\n');
      this.readers.set(response, Number(request.headers['last-event-id'] ?? blocks.length) + 1);
      response.on('close', () => this.readers.delete(response));
      this.announce();
    } else if (resource === 'headers') {
      const from = Number(new URL(url, this.url).searchParams.get('from'));
      const headers = blocks
        .slice(Math.max(from - 1, 0), this.cutOffAt)
        .map(({ hash, header, transactions }) => {
          return { hash, header: headerJson(header), transactionCount: transactions.length };
        });
      json({ headers });
    } else if (resource === 'blocks') {
      const block = name === 'latest' ? blocks.at(-1) : blocks.find(({ hash }) => hash === name);
      if (block === undefined) return json({ code: 'api/no-such-block', detail: name, remedy: '' }, 404);
      const { hash, header, certificate, transactions, receipts } = block;
      if (part === 'finality')
        return json({ hash, ...finalityJson({ header, descendants: [], certificate }) });
      const transactionHashes = transactions.map((one) => one.hash);
      json({ hash, header: headerJson(header), transactionHashes, receipts: receipts.map(receiptJson) });
    } else if (resource === 'transactions') {
      const block = this.#ledger.find(name as Hash);
      if (this.#ledger.gone.has(name as Hash)) {
        const problem = { code: 'mempool/expired', detail: 'gone', remedy: '', details: {} };
        return json({ hash: name, status: 'gone', problem });
      }
      if (block === undefined) return json({ hash: name, status: 'unknown', problem: null });
      json(transactionStatusJson(this.#ledger.origin as never, this.#ledger.statusOf(block, name as Hash)));
    } else json({ code: 'api/not-found', detail: url, remedy: '' }, 404);
  }

  #submit(body: Buffer): SubmitAnswer[] {
    return unwrap(decode(batchCodec, new Uint8Array(body), 'a batch')).map((bytes): SubmitAnswer => {
      const transaction = unwrap(decodeTransaction(bytes));
      const { hash, nonce, sender } = transaction;
      if (this.pool.has(hash) || this.#ledger.find(hash) !== undefined) return { status: 'known', hash };
      const next = this.#ledger.nonces.get(sender) ?? 0;
      const used = { code: 'transaction/nonce-used', detail: 'used', remedy: '', details: { next } };
      const expired = { code: 'transaction/expired', detail: 'expired', remedy: '', details: {} };
      const isGone = this.#ledger.gone.has(hash);
      const problem = nonce < next ? used : isGone ? expired : this.#ledger.judge(transaction, this);
      if (problem !== undefined) return { status: 'refused', hash, problem };
      if (!this.forgets) this.pool.set(hash, transaction);
      return { status: 'accepted', hash, missing: null };
    });
  }
}

/** What a node says of an account after the last block. */
function accountOf(
  { blocks, origin, genesis }: FakeLedger,
  publicKey: PublicKey,
  nonces: { readonly nonce: number; readonly pendingNonce: number },
) {
  const first = { header: genesisHeader(genesis), hash: genesis.chainId, state: genesisState(genesis) };
  const { header, hash, state } = blocks.at(-1) ?? first;
  const { height, stateRoot } = header;
  const value = { publicKey, ...state.account(publicKey), ...nonces };
  return accountJson(origin as never, { value, consistency: 'stale', height, blockHash: hash, stateRoot });
}

/** What is asked for of a state, with its proof. */
function entryIn(state: State, { pathname, searchParams }: URL) {
  const [kind = '', name = '', below] = pathname.split('/').slice(3).map(decodeURIComponent);
  if (kind === 'accounts') return accountReading.read(state, unwrap(parseAddress(name)));
  if (kind === 'records') return recordReading.read(state, searchParams.get('key') ?? '');
  if (kind === 'reservations') return reservationReading.read(state, unwrap(parseReservation(name)));
  if (below === undefined) return namespaceReading.read(state, name);
  return pageReading.read(state, { namespace: name, after: searchParams.get('after') ?? undefined });
}
