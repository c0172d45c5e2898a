import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { boundedBytes, decode, listOf } from '../../src/base/codec.ts';
import { limits } from '../../src/base/limits.ts';
import { unwrap } from '../../src/base/problem.ts';
import type { ProblemAnswer, SubmitAnswer } from '../../src/client/answers.ts';
import { defaultSurroundings, type Surroundings } from '../../src/client/transport.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { decodeTransaction, type Transaction } from '../../src/ledger/transaction.ts';
import { origin, status } from './fake-api.ts';

const batchCodec = listOf(boundedBytes(limits.maxTransactionBytes), limits.httpBatch);

interface Block {
  readonly hash: Hash;
  readonly header: { readonly height: number; readonly parentHash: Hash };
  readonly transactions: readonly Transaction[];
}

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

/** One chain behind the APIs of several nodes. Each keeps what it is given; a block takes what the living ones have. */
export class FakeLedger {
  readonly blocks: Block[] = [];
  readonly nodes: FakeNode[] = [];
  /** Nonces by sender, after the last block. */
  readonly nonces = new Map<string, number>();
  /** Whether a submission makes a block by itself. */
  commits = true;
  /** What no block holds any more. */
  readonly gone = new Set<Hash>();
  judge: (transaction: Transaction, node: FakeNode) => ProblemAnswer | undefined = () => undefined;

  static async start(t: TestContext, count: number): Promise<FakeLedger> {
    const ledger = new FakeLedger();
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
    if (taken.length === 0) return;
    const height = this.blocks.length + 1;
    const hash = height.toString(16).padStart(64, 'b') as Hash;
    const parentHash = (height - 1).toString(16).padStart(64, 'b') as Hash;
    this.blocks.push({ hash, header: { height, parentHash }, transactions: taken });
    for (const node of this.nodes) {
      for (const transaction of taken) node.pool.delete(transaction.hash);
      node.announce();
    }
  }
}

class FakeNode {
  readonly pool = new Map<Hash, Transaction>();
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
      response.write(`data: ${JSON.stringify({ ...origin, ...event })}\n\n`);
    }
  }

  announce(): void {
    for (const [response, next] of this.readers) {
      for (const block of this.#ledger.blocks.slice(next - 1)) {
        const event = {
          ...origin,
          hash: block.hash,
          header: block.header,
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
      response.writeHead(code, {
        'content-type': code < 400 ? 'application/json' : 'application/problem+json',
      });
      response.end(JSON.stringify({ ...origin, ...value }));
    };
    const { blocks, nonces } = this.#ledger;
    const [, , resource, name = ''] = url.split(/[/?]/);
    if (method === 'POST') {
      this.onBatch();
      if (!this.alive) return;
      const results = this.#submit(body);
      const [code, ...others] = this.garbled;
      this.garbled = others;
      if (code === undefined) json({ results });
      else response.writeHead(code, { 'content-type': 'text/html' }).end('<html>');
      if (this.#ledger.commits) setImmediate(() => this.#ledger.commit());
    } else if (resource === 'status') json({ ...status, finalHeight: blocks.length });
    else if (resource === 'chain') json({ feePerOperation: this.floor, scheduled: [] });
    else if (resource === 'genesis') json({ genesis: '{}' });
    else if (resource === 'accounts')
      json({ nonce: nonces.get(name) ?? 0, pendingNonce: nonces.get(name) ?? 0 });
    else if (resource === 'events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': hello\n\n');
      this.readers.set(response, Number(request.headers['last-event-id'] ?? blocks.length) + 1);
      response.on('close', () => this.readers.delete(response));
      this.announce();
    } else if (resource === 'blocks') {
      const block = blocks.find(({ hash }) => hash === name);
      if (block === undefined) return json({ code: 'api/no-such-block', detail: name, remedy: '' }, 404);
      const transactionHashes = block.transactions.map(({ hash }) => hash);
      const receipts = transactionHashes.map((hash) => this.#receipt(hash));
      json({ hash: block.hash, header: block.header, transactionHashes, receipts });
    } else if (resource === 'transactions') {
      const block = this.#ledger.find(name as Hash);
      if (this.#ledger.gone.has(name as Hash)) {
        const problem = { code: 'mempool/expired', detail: 'gone', remedy: '', details: {} };
        return json({ hash: name, status: 'gone', problem });
      }
      if (block === undefined) return json({ hash: name, status: 'unknown', problem: null });
      const { height } = block.header;
      json({
        hash: name,
        status: 'final',
        inclusion: { height, blockHash: block.hash, receipt: this.#receipt(name) },
      });
    } else json({ code: 'api/not-found', detail: url, remedy: '' }, 404);
  }

  #receipt(transactionHash: string) {
    return {
      transactionHash,
      status: 'applied',
      code: '',
      failure: null,
      fee: '1',
      accounts: [],
      records: [],
    };
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
      this.pool.set(hash, transaction);
      return { status: 'accepted', hash, missing: null };
    });
  }
}
