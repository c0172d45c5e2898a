import { equalBytes } from '../../src/base/bytes.ts';
import { invariant } from '../../src/base/invariant.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { InlineVerifier } from '../../src/crypto/inline-verifier.ts';
import { nativeSigner } from '../../src/crypto/native.ts';
import type { SignatureClaim, Verifier } from '../../src/crypto/signature.ts';
import { verifySignature } from '../../src/crypto/verify.ts';
import type { Protocol } from '../../src/consensus/protocol.ts';
import { type Height, toHeight } from '../../src/ledger/block.ts';
import {
  developmentGenesis,
  developmentPbft,
  developmentRaft,
} from '../../src/ledger/development-genesis.ts';
import type { Genesis } from '../../src/ledger/genesis.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import {
  assembleTransaction,
  encodeBody,
  type Transaction,
  transactionSigningBytes,
} from '../../src/ledger/transaction.ts';
import { Driver } from '../../src/node/core/driver.ts';
import { type Logger, silentLog } from '../../src/node/process/log.ts';
import { protocolOf } from '../../src/node/core/protocol.ts';
import { restore } from '../../src/node/effects/restore.ts';
import { ChainStore } from '../../src/storage/chain-store.ts';
import { MemoryStore } from '../../src/storage/memory-store.ts';
import { keys } from '../../src/storage/keys.ts';
import { copyOf, type Store } from '../../src/storage/port.ts';
import { VirtualTime } from '../support/virtual-time.ts';
import { TestNet } from './world.ts';

export function testGenesis(validators: number): Genesis {
  return developmentGenesis({
    name: 'node-test',
    validators,
    consensus: { ...developmentPbft, viewTimeoutMs: 1_000 },
  });
}

export function testProtocol(genesis: Genesis): Protocol<object> {
  return protocolOf(genesis);
}

export function raftGenesis(validators: number): Genesis {
  return developmentGenesis({ name: 'node-test-raft', validators, consensus: developmentRaft });
}

/** Signs a transaction of one of the development accounts. */
export function signedTransaction(
  genesis: Genesis,
  sender: string,
  options: { nonce: number; operation?: Operation; fee?: bigint; expiryHeight?: Height },
): Transaction {
  const pair = developmentKeyPair(sender);
  const body = {
    chainId: genesis.chainId,
    sender: pair.publicKey,
    nonce: options.nonce,
    fee: options.fee ?? 1n,
    expiryHeight: options.expiryHeight ?? toHeight(1_000),
    reference: new Uint8Array(),
    conditions: [],
    operations: [
      options.operation ?? {
        type: 'transfer' as const,
        to: developmentKeyPair('bob').publicKey,
        amount: 5n,
        memo: '',
      },
    ],
    signers: [pair.publicKey],
  };
  const sign = nativeSigner(pair.secretKey);
  return assembleTransaction(body, [sign(transactionSigningBytes(encodeBody(body)))]);
}

export interface TestNode {
  readonly name: string;
  readonly driver: Driver<object>;
  readonly store: ChainStore;
  readonly clock: ReturnType<VirtualTime['clock']>;
  readonly fatal: unknown[];
}

/** Nodes of one chain in one process, on virtual time; each disk outlives its node. */
export class Cluster {
  readonly time = new VirtualTime();
  readonly net = new TestNet(this.time);
  readonly genesis: Genesis;
  readonly protocol: Protocol<object>;
  readonly nodes = new Map<string, TestNode>();
  /** What each node had its verifier check. */
  readonly checkedClaims = new Map<string, SignatureClaim[]>();
  /** How many batches each node wrote. */
  readonly writes = new Map<string, number>();
  /** How long a write of a node takes; they are written one after the other, and what is not by then is lost with its node. */
  readonly diskMs = new Map<string, number>();
  readonly #busyUntil = new Map<string, number>();
  readonly #failing = new Map<string, 'every write' | 'blocks' | 'records'>();
  #boots = 0;
  readonly #disks = new Map<string, Map<string, Uint8Array>>();

  constructor(genesis: Genesis) {
    this.genesis = genesis;
    this.protocol = protocolOf(genesis);
  }

  static async start(validators: number, genesis = testGenesis(validators)): Promise<Cluster> {
    const cluster = new Cluster(genesis);
    for (let index = 0; index < validators; index++) await cluster.boot(`validator-${index}`);
    cluster.time.runUntil(() =>
      cluster.all.every(({ name }) => cluster.net.reaches(name) === validators - 1),
    );
    return cluster;
  }

  /** Starts a node: with the name of a validator it is that one, otherwise an observer. */
  async boot(
    name: string,
    options: {
      log?: Logger;
      protocol?: Protocol<object>;
      api?: string;
      newestProtocolVersion?: number;
    } = {},
  ): Promise<TestNode> {
    const disk = this.#disks.get(name) ?? new Map<string, Uint8Array>();
    this.#disks.set(name, disk);
    const { time, genesis } = this;
    const memory = this.#failable(name, new MemoryStore(time.defer, disk));
    const store = await time.settle(ChainStore.open(memory, { chainId: genesis.chainId }));
    const restored = await time.settle(restore(store, genesis));
    const pair = developmentKeyPair(name);
    const clock = time.clock();
    const fatal: unknown[] = [];
    const network = this.net.join(name, () => driver.hello());
    const driver: Driver<object> = new Driver({
      genesis,
      protocol: options.protocol ?? this.protocol,
      restored,
      store,
      network,
      verifier: this.#counting(name, new InlineVerifier(time.defer)),
      clock,
      log: options.log ?? silentLog,
      identity: { publicKey: pair.publicKey, sign: nativeSigner(pair.secretKey) },
      checkSignature: (claim) => verifySignature(claim, false),
      // No disk is ever lost here.
      trust: 'whole',
      seed: ++this.#boots,
      newestProtocolVersion: options.newestProtocolVersion,
      api: options.api,
      onFatal: (error) => fatal.push(error),
    });
    const node: TestNode = { name, driver, store, clock, fatal };
    this.nodes.set(name, node);
    driver.start();
    await network.start(driver.handlers);
    return node;
  }

  /** From now on writes of this node fail: all, those that make blocks final, or those of the consensus log. */
  failDisk(name: string, what: 'every write' | 'blocks' | 'records' = 'every write'): void {
    this.#failing.set(name, what);
  }

  #failable(name: string, store: Store): Store {
    return {
      get: (key) => store.get(key),
      scan: (range) => store.scan(range),
      compact: (range, livingBytes) => store.compact(range, livingBytes),
      close: () => store.close(),
      write: (changes, done) => {
        const batch = copyOf(changes);
        this.writes.set(name, (this.writes.get(name) ?? 0) + 1);
        const failing = this.#failing.get(name);
        const isFinal = batch.some(({ key }) => equalBytes(key, keys.final));
        const fails = failing === 'every write' || failing === (isFinal ? 'blocks' : 'records');
        if (!fails) return this.#slowly(name, () => store.write(batch, done));
        const problem = new Problem('storage/write-failed', 'the disk is full', { remedy: 'Make room.' });
        this.time.defer(() => done(problem));
      },
    };
  }

  #slowly(name: string, write: () => void): void {
    const { now } = this.time;
    const start = Math.max(now, this.#busyUntil.get(name) ?? 0);
    const end = start + (this.diskMs.get(name) ?? 0);
    this.#busyUntil.set(name, end);
    if (end === now) return write();
    const boots = this.#boots;
    const life = this.nodes.get(name);
    this.time.after(end - now, () => {
      if (life === undefined ? boots === this.#boots : this.nodes.get(name) === life) write();
    });
  }

  #counting(name: string, verifier: Verifier): Verifier {
    const checked = this.checkedClaims.get(name) ?? [];
    this.checkedClaims.set(name, checked);
    return {
      close: () => verifier.close(),
      verify: (claims, strict, done) => {
        checked.push(...claims);
        verifier.verify(claims, strict, done);
      },
    };
  }

  /** As by kill -9: nothing that is not on disk survives. */
  kill(name: string): void {
    this.node(name).driver.stop();
    this.net.leave(name);
    this.nodes.delete(name);
  }

  node(name: string): TestNode {
    const node = this.nodes.get(name);
    invariant(node !== undefined, `${name} runs`);
    return node;
  }

  get all(): TestNode[] {
    return [...this.nodes.values()];
  }

  submit(name: string, ...transactions: Transaction[]): void {
    this.node(name).driver.submit(transactions, (results) => {
      for (const result of results) if (result.status === 'refused') unwrap(result.problem);
    });
  }

  why(): string {
    return this.all
      .map(({ name, driver, fatal }) => `${name}: ${driver.engine.why()} ${fatal.map(String).join()}`)
      .join('\n');
  }

  heights(): number[] {
    return this.all.map(({ driver }) => driver.chain.final.height);
  }

  /** The next nonce of an account at every node. */
  nonces(account: string): number[] {
    const { publicKey } = developmentKeyPair(account);
    return this.all.map(({ driver }) => driver.chain.final.state.account(publicKey).nonce);
  }
}
