import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { concat } from '../../../src/base/bytes.ts';
import { decode, encode } from '../../../src/base/codec.ts';
import { defined } from '../../../src/base/invariant.ts';
import { limits } from '../../../src/base/limits.ts';
import { Problem, unwrap } from '../../../src/base/problem.ts';
import type { Input } from '../../../src/consensus/engine.ts';
import { InlineVerifier } from '../../../src/crypto/inline-verifier.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import { type Height, toHeight } from '../../../src/ledger/block.ts';
import { encodeBlock } from '../../../src/ledger/block-body.ts';
import { finalityCodec, type FinalityCertificate } from '../../../src/ledger/certificate.ts';
import { merkleRoot } from '../../../src/ledger/merkle.ts';
import { assembleTransaction, hashOfTransactionBytes } from '../../../src/ledger/transaction.ts';
import { headerBytes } from '../../../src/node/effects/chain.ts';
import { silentLog } from '../../../src/node/process/log.ts';
import { restore } from '../../../src/node/effects/restore.ts';
import { Serving } from '../../../src/node/catch-up/serving.ts';
import { Snapshots } from '../../../src/node/catch-up/snapshots.ts';
import { Sync } from '../../../src/node/catch-up/sync.ts';
import { Verification } from '../../../src/node/peers/verification.ts';
import {
  blocksRequestCodec,
  type BlocksResponse,
  blocksResponseCodec,
} from '../../../src/node/peers/wire.ts';
import type { Signature } from '../../../src/crypto/signature.ts';
import { receiptsCodec } from '../../../src/ledger/receipt.ts';
import { Touched } from '../../../src/ledger/touched.ts';
import { ChainStore } from '../../../src/storage/chain-store.ts';
import { MemoryStore } from '../../../src/storage/memory-store.ts';
import { ChainMaker, genesisRoster, type Made, startOfTime } from '../chain-maker.ts';
import { signedTransaction, testGenesis, testProtocol } from '../cluster.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const genesis = testGenesis(4);
const maker = new ChainMaker(genesis);
const transfer = (nonce: number) => signedTransaction(genesis, 'alice', { nonce });
const everyBlock = (): boolean => true;

/**
 * A node that holds these final blocks from `keepFrom` on, with certificates of those that `hasCertificate` names, and
 * a snapshot of one of them.
 */
async function serverOf(
  run: readonly Made[],
  hasCertificate: (height: number) => boolean = everyBlock,
  keepFrom = 1,
  snapshotAt = run.length,
): Promise<Serving> {
  const time = new VirtualTime();
  const store = await time.settle(ChainStore.open(new MemoryStore(time.defer), { chainId: genesis.chainId }));
  await time.settle(restore(store, genesis));
  for (const made of run) {
    const { height } = made.header;
    store.commit(
      {
        height,
        hash: made.hash,
        headerBytes: headerBytes(made.header),
        blockBytes: encodeBlock(made.block),
        certificate: hasCertificate(height) ? encode(finalityCodec, maker.certificate(made)) : null,
        transactions: made.block.transactions,
        touched: Touched.by(made.receipts),
        receiptsBytes: encode(receiptsCodec, made.receipts),
        stateChanges: [],
        forgetRecords: [],
        forgetCandidates: [],
      },
      (problem) => assert.equal(problem, undefined),
    );
  }
  time.run(0);
  const last = run.at(snapshotAt - 1);
  const snapshots = new Snapshots({
    chain: { final: last === undefined ? maker.start : { ...last, height: last.header.height } },
    store,
    clock: new VirtualTime().clock(),
    complete: (certificate) => certificate,
    partBytes: limits.snapshotPartBytes,
    enqueue: () => undefined,
    onFatal: (problem) => assert.fail(problem),
  });
  snapshots.take();
  if (keepFrom > 1) store.prune({ keepFrom: toHeight(keepFrom), atMost: 1_000 }, () => undefined);
  time.run(0);
  return new Serving({ chain: maker.chain(), store, snapshots, log: silentLog });
}

type Server = (request: Uint8Array) => Uint8Array | null;
type Synced = Extract<Input<never>, { type: 'synced' }>;
type Offered = Extract<Input<never>, { type: 'offered' }>;

/** A line that all answers share: one alone takes `answerMs`, and of several each gets a part. */
class SlowLine {
  readonly #time: VirtualTime;
  readonly #answerMs: number;
  readonly #under = new Set<{ leftMs: number; readonly arrive: () => void }>();

  constructor(time: VirtualTime, answerMs: number) {
    this.#time = time;
    this.#answerMs = answerMs;
    this.#carryOn();
  }

  carry(response: Uint8Array, done: (response: Uint8Array | Problem) => void): void {
    const transfer = { leftMs: this.#answerMs, arrive: () => done(response) };
    this.#under.add(transfer);
    this.#time.after(limits.requestTimeoutMs, () => {
      if (!this.#under.delete(transfer)) return;
      done(new Problem('network/timeout', 'it is late', { remedy: 'Ask another.' }));
    });
  }

  #carryOn(): void {
    const stepMs = 50;
    const share = stepMs / Math.max(this.#under.size, 1);
    for (const transfer of this.#under) {
      transfer.leftMs -= share;
      if (transfer.leftMs > 0) continue;
      this.#under.delete(transfer);
      transfer.arrive();
    }
    this.#time.after(stepMs, () => this.#carryOn());
  }
}

/** A node at genesis that syncs, with an engine that finalises all that it is given. */
class World {
  readonly time = new VirtualTime();
  readonly clock = this.time.clock(startOfTime);
  readonly chain = maker.chain();
  readonly servers = new Map<string, Server>();
  /** How long each takes to answer; 1 ms unless it is said. */
  readonly delaysMs = new Map<string, number>();
  /** Our own line, when all answers come over it. */
  line: SlowLine | undefined;
  readonly asked: string[] = [];
  readonly penalties: string[] = [];
  readonly synced: Synced[] = [];
  readonly offered: Offered[] = [];
  readonly sync: Sync;
  engineFinal: Height = toHeight(0);
  /** While true, the engine takes nothing of what it is given. */
  deaf = false;
  readonly strangers = new Set<string>();

  constructor(protocol = testProtocol(genesis)) {
    const { time, clock, chain } = this;
    const verification = new Verification<object>({
      protocol,
      verifier: new InlineVerifier(time.defer),
      clock,
      wants: () => true,
      roster: () => genesisRoster(genesis),
      validatorOf: () => undefined,
      penalise: (peer, reason) => void this.penalties.push(`${peer} ${reason}`),
    });
    this.sync = new Sync({
      chain,
      clock,
      verification,
      log: silentLog,
      network: {
        request: (peer, _protocol, bytes, done) => {
          this.asked.push(peer);
          const response = this.servers.get(peer)?.(bytes) ?? null;
          if (this.line !== undefined && response !== null) return this.line.carry(response, done);
          const delayMs = this.delaysMs.get(peer) ?? 1;
          const code = delayMs < limits.requestTimeoutMs ? 'network/refused' : 'network/timeout';
          time.after(delayMs, () => done(response ?? new Problem(code, 'no', { remedy: 'Ask another.' })));
        },
      },
      peersFor: () => [...this.servers.keys()],
      roster: () => genesisRoster(genesis),
      validatorOf: (peer) => Number(peer.split('-')[1]),
      isStranger: (peer) => this.strangers.has(peer),
      engineFinal: () => this.engineFinal,
      enqueue: (input) => {
        if (input.type === 'offered') return void this.offered.push(input);
        this.synced.push(input);
        if (!this.deaf) time.defer(() => this.#finalise(input));
      },
    });
  }

  #finalise({ chain: links }: Synced): void {
    for (const { height, blockHash } of links) {
      this.engineFinal = height;
      assert.equal(this.chain.judge(blockHash).verdict, 'valid');
      const candidate = defined(this.chain.get(blockHash), 'a synced block');
      assert.ok(candidate.outcome.name === 'valid');
      this.chain.advance(candidate, candidate.outcome.execution);
      this.sync.applied(height);
    }
  }

  /** A block becomes final without sync. */
  finalise({ block, hash }: Made): void {
    this.chain.add(block, { stored: false });
    this.#finalise({ chain: [{ height: block.header.height, blockHash: hash }] } as unknown as Synced);
  }

  want(height: number): void {
    this.sync.want(toHeight(height), []);
    this.time.run(1_000);
  }

  get height(): number {
    return this.chain.final.height;
  }
}

const honest =
  (serving: Serving): Server =>
  (request) =>
    serving.serve('blocks', request);

const read = (answer: Uint8Array): BlocksResponse =>
  unwrap(decode(blocksResponseCodec, answer, 'blocks response'));

/** A server that changes what an honest one would say. */
const liar =
  (serving: Serving, lie: (answer: BlocksResponse) => BlocksResponse): Server =>
  (request) => {
    const answer = serving.serve('blocks', request);
    if (answer === null) return null;
    return encode(blocksResponseCodec, lie(read(answer)));
  };

describe('sync', () => {
  test('fetches final blocks with their proof, until nobody has more', async () => {
    const run = maker.run(20, (height) => [transfer(height - 1)]);
    const world = new World();
    world.servers.set('peer-1', honest(await serverOf(run)));
    world.want(20);
    assert.equal(world.height, 20);
    assert.equal(world.chain.final.hash, run.at(-1)?.hash);
    assert.equal(world.sync.active, false);
  });

  test('takes long chains in parts', async () => {
    const length = 2 * limits.syncBlocks + 5;
    const world = new World();
    world.servers.set('peer-1', honest(await serverOf(maker.run(length))));
    world.want(length);
    assert.equal(world.height, length);
    assert.equal(world.synced.length, 3);
  });

  test('goes on from where it is', async () => {
    const run = maker.run(10);
    const world = new World();
    world.servers.set('peer-1', honest(await serverOf(run.slice(0, 4))));
    world.want(4);
    world.servers.set('peer-1', honest(await serverOf(run)));
    world.want(10);
    assert.equal(world.height, 10);
    assert.equal(world.synced[1]?.chain[0]?.height, 5);
  });

  test('that only looks whether there is anything new takes all that there is', async () => {
    const length = 2 * limits.syncBlocks + 5;
    const world = new World();
    const serving = await serverOf(maker.run(length));
    for (const name of ['peer-1', 'peer-2']) world.servers.set(name, honest(serving));
    world.sync.poll('peer-1');
    world.time.run(1_000);
    assert.equal(world.height, length);
    assert.equal(world.sync.active, false);
    assert.deepEqual(new Set(world.asked), new Set(['peer-1']));

    world.asked.length = 0;
    world.sync.poll('peer-2');
    world.time.run(1_000);
    assert.deepEqual(world.asked, ['peer-2'], 'once, where there is nothing new');
  });

  test('proves a block by the certificate of a later one, when that one is not in the response', async () => {
    const run = maker.run(limits.syncBlocks + 10);
    const world = new World();
    const last = run.length;
    world.servers.set('peer-1', honest(await serverOf(run, (height) => height === last)));
    world.want(last);
    assert.equal(world.height, last);
    assert.equal(world.synced.length, 1, 'the engine gets the run with the certificate of its last block');
    assert.equal(world.synced[0]?.chain.length, last);
  });

  test('hands on what one certificate proves, where those who serve have few of them, and at other heights', async () => {
    const runsWhere = async (every: number, length: number): Promise<number[]> => {
      const run = maker.run(length);
      const world = new World();
      world.servers.set('peer-1', honest(await serverOf(run.slice(0, 30))));
      world.want(30);
      const few = await serverOf(run, (height) => height % every === 0);
      world.servers.set('peer-1', honest(few));
      world.want(length);
      assert.equal(world.height, length);
      return world.synced.map(({ chain }) => chain.length);
    };
    // As of who got all of it by sync.
    assert.deepEqual(await runsWhere(128, 640), [30, 98, 128, 128, 128, 128]);
    // One answer does not reach from one to the next.
    assert.deepEqual(await runsWhere(200, 1_000), [30, 170, 200, 200, 200, 200]);
  });

  test('believes no height that nobody can show: it asks each peer once and rests', async () => {
    const world = new World();
    const serving = await serverOf(maker.run(3));
    for (const name of ['peer-1', 'peer-2', 'peer-3']) world.servers.set(name, honest(serving));
    world.want(1_000_000_000);
    assert.equal(world.height, 3);
    assert.equal(world.sync.active, false);
    assert.ok(world.asked.length <= 4);
    assert.deepEqual(world.penalties, []);

    world.asked.length = 0;
    world.servers.set('peer-1', honest(await serverOf(maker.run(5))));
    world.want(5);
    assert.equal(world.height, 5);
    assert.deepEqual(world.asked, ['peer-1'], 'the lie is forgotten');
  });

  test('goes on to the highest that it was told of, whatever lower one it hears of meanwhile', async () => {
    const length = limits.syncBlocks + 5;
    const world = new World();
    world.servers.set('peer-1', honest(await serverOf(maker.run(length))));
    world.sync.want(toHeight(length), []);
    world.want(3);
    assert.equal(world.height, length);
  });

  test('asks the others, too, when the first one has nothing of what somebody else is said to have', async () => {
    const run = maker.run(6);
    const world = new World();
    world.servers.set('peer-1', honest(await serverOf(run.slice(0, 3))));
    world.want(3);
    world.servers.set('peer-2', honest(await serverOf(run)));
    world.want(6);
    assert.equal(world.height, 6);
  });

  test('that only looks for news when somebody is said to have some asks the others, too', async () => {
    const run = maker.run(6);
    const world = new World();
    world.servers.set('peer-1', honest(await serverOf(run.slice(0, 3))));
    world.want(3);
    world.servers.set('peer-2', honest(await serverOf(run)));
    world.sync.poll('peer-1');
    world.want(6);
    assert.equal(world.height, 6);
    assert.equal(world.sync.active, false);
  });

  test('asks nobody for what it has', async () => {
    const world = new World();
    world.servers.set('peer-1', honest(await serverOf(maker.run(3))));
    world.engineFinal = toHeight(3);
    world.want(3);
    assert.deepEqual(world.asked, []);
  });

  test('gives the engine only what is new to it, when blocks became final another way meanwhile', async () => {
    const run = maker.run(6);
    const world = new World();
    world.servers.set('peer-1', honest(await serverOf(run)));
    world.deaf = true;
    world.sync.want(toHeight(6), []);
    world.engineFinal = toHeight(4);
    world.time.run(100);
    assert.deepEqual(
      world.synced[0]?.chain.map(({ height }) => height),
      [5, 6],
    );
    const headers = [...(world.synced[0]?.below ?? []), world.synced[0]?.header];
    assert.deepEqual(
      headers,
      run.map(({ header }) => header),
      'with the header of each that came',
    );
  });

  test('blames nobody for an answer that the own chain outran while it was on its way', async () => {
    const run = maker.run(6);
    const world = new World();
    world.servers.set('peer-1', honest(await serverOf(run)));
    world.sync.want(toHeight(6), []);
    for (const made of run.slice(0, 4)) world.finalise(made);
    world.time.run(100);
    assert.deepEqual(world.penalties, []);
    assert.deepEqual(
      world.synced[0]?.chain.map(({ height }) => height),
      [5, 6],
    );
    assert.equal(world.height, 6);
  });

  test('asks on at once for what is left when all that came was final another way by then', async () => {
    const run = maker.run(6);
    const world = new World();
    const [some, all] = [honest(await serverOf(run.slice(0, 4))), honest(await serverOf(run))];
    world.servers.set('peer-1', some);
    world.sync.want(toHeight(6), []);
    for (const made of run.slice(0, 4)) world.finalise(made);
    world.servers.set('peer-1', all);
    world.time.run(100);
    assert.deepEqual([world.height, world.sync.active], [6, false]);
  });

  test('that came to no end in the middle of a run begins anew where the chain is by then', async () => {
    const run = maker.run(limits.syncBlocks + 10);
    const world = new World();
    const serving = honest(await serverOf(run, (height) => height === run.length));
    const from: number[] = [];
    let answers = 1;
    world.servers.set('peer-1', (request) => {
      from.push(unwrap(decode(blocksRequestCodec, request, 'request')).from);
      return answers-- > 0 ? serving(request) : null;
    });
    world.want(run.length);
    assert.deepEqual([world.height, world.sync.active], [0, false], 'its certificate is of a later block');
    for (const made of run.slice(0, -5)) world.finalise(made);
    answers = 1;
    world.want(run.length);
    assert.deepEqual(from, [1, limits.syncBlocks + 1, run.length - 4]);
    assert.equal(world.height, run.length);
  });

  test('does not blame a peer whose answer was right when it was asked', async () => {
    const run = maker.run(6, (height) => [transfer(height - 1)]);
    const world = new World();
    world.servers.set('peer-1', honest(await serverOf(run)));
    world.sync.want(toHeight(6), []);
    // The request is on its way; the first two blocks become final here by votes.
    for (const { block, hash } of run.slice(0, 2)) {
      world.chain.add(block, { stored: false });
      assert.equal(world.chain.judge(hash).verdict, 'valid');
      const candidate = defined(world.chain.get(hash), 'a block');
      assert.ok(candidate.outcome.name === 'valid');
      world.chain.advance(candidate, candidate.outcome.execution);
    }
    world.engineFinal = toHeight(2);
    world.time.run(1_000);
    assert.deepEqual(world.penalties, []);
    assert.equal(world.height, 6);
  });

  test('starts anew when the engine took nothing of what it was given', async () => {
    const world = new World();
    world.servers.set('peer-1', honest(await serverOf(maker.run(3))));
    world.deaf = true;
    world.want(3);
    world.want(3);
    assert.equal(world.synced.length, 1, 'it waits for the engine first');
    world.deaf = false;
    world.time.run(limits.syncStallMs);
    world.want(3);
    assert.equal(world.height, 3);
  });

  test('asks others first when the engine took nothing of what one served', async () => {
    const serving = await serverOf(maker.run(3));
    const world = new World();
    for (const name of ['peer-1', 'peer-2']) world.servers.set(name, honest(serving));
    world.deaf = true;
    world.want(3);
    world.time.run(limits.syncStallMs);
    world.want(3);
    assert.deepEqual(world.asked, ['peer-1', 'peer-2']);
  });

  test('does not start anew while what it fetched is applied slowly, block after block', async () => {
    const run = maker.run(5);
    const world = new World();
    world.servers.set('peer-1', honest(await serverOf(run)));
    world.deaf = true;
    world.want(5);
    assert.deepEqual(world.asked, ['peer-1']);
    for (const made of run.slice(0, 4)) {
      world.time.run(limits.syncStallMs - 2_000);
      world.finalise(made);
      world.want(5);
    }
    assert.deepEqual(world.asked, ['peer-1'], 'each block that is applied begins its patience anew');
    world.time.run(limits.syncStallMs);
    world.want(5);
    assert.deepEqual(world.asked, ['peer-1', 'peer-1'], 'and when no more are applied it ends');
  });

  test('takes no block with a transaction that its sender did not sign, whoever certified it', async () => {
    const { signatures: _s, hash: _h, bytes: _b, ...body } = transfer(0);
    const forged = maker.block(maker.start, [assembleTransaction(body, transfer(1).signatures)]);
    const world = new World();
    world.servers.set('peer-1', honest(await serverOf([forged])));
    world.want(1);
    assert.equal(world.height, 0);
    assert.equal(world.penalties.length, 1);
  });
});

describe('what the one who serves could not know', () => {
  test('is no fault: a proof by a member who is not known here yet only makes another be asked', async () => {
    const unknown = new Problem('certificate/unknown-member', 'names a later member', { remedy: 'Ask.' });
    let strange = true;
    const protocol = testProtocol(genesis);
    const world = new World({
      ...protocol,
      certificateClaims: (certificate, members) =>
        strange ? unknown : protocol.certificateClaims(certificate, members),
    });
    world.servers.set('peer-1', honest(await serverOf(maker.run(3))));
    world.servers.set('peer-2', honest(await serverOf(maker.run(3))));
    world.want(3);
    assert.deepEqual(world.asked, ['peer-1', 'peer-2']);
    assert.deepEqual(world.penalties, []);
    strange = false;
    world.want(3);
    assert.equal(world.height, 3);
  });
});

/** A server that gives true blocks, but few in each answer. */
const stingy =
  (serving: Serving, atMost: number): Server =>
  (request) => {
    const { from, count } = unwrap(decode(blocksRequestCodec, request, 'request'));
    return serving.serve('blocks', encode(blocksRequestCodec, { from, count: Math.min(count, atMost) }));
  };

describe('a peer that is not worth its time', () => {
  const length = 2 * limits.syncBlocks + 20;
  const run = maker.run(length);
  const timesAsked = (world: World, peer: string): number =>
    world.asked.filter((asked) => asked === peer).length;

  test('because it is slow holds up nobody: another is asked too, and first from then on', async () => {
    const serving = await serverOf(run);
    const world = new World();
    world.servers.set('slow', stingy(serving, 1));
    world.servers.set('honest', honest(serving));
    world.delaysMs.set('slow', limits.requestTimeoutMs - 1);
    world.want(length);
    assert.equal(world.height, length);
    assert.equal(timesAsked(world, 'slow'), 1);

    world.asked.length = 0;
    const longer = await serverOf([...run, maker.block(defined(run.at(-1), 'the last block'))]);
    for (const name of ['slow', 'honest']) world.servers.set(name, honest(longer));
    world.want(length + 1);
    assert.deepEqual(world.asked, ['honest'], 'also for the next claim');
  });

  test('because it is silent holds up nobody, however many strangers are, and whatever they are called', async () => {
    const serving = await serverOf(run);
    const world = new World();
    // They stand first: also whoever was slower once than another comes behind new ones with no record.
    const callStrangers = (): void => {
      for (const peer of world.strangers) world.servers.delete(peer);
      world.strangers.clear();
      const others = [...world.servers];
      world.servers.clear();
      for (let index = 0; index < 12; index++) {
        const name = `stranger ${world.asked.length} ${index}`;
        world.strangers.add(name);
        world.servers.set(name, () => null);
        world.delaysMs.set(name, limits.requestTimeoutMs);
      }
      for (const [name, server] of others) world.servers.set(name, server);
    };
    // Far away: never in time to be called good.
    for (const name of ['far', 'farther']) {
      world.servers.set(name, honest(serving));
      world.delaysMs.set(name, limits.fetchHedgeMs - 10);
    }
    for (let height = 1; height <= length; height++) {
      callStrangers();
      world.sync.want(toHeight(height), []);
      world.time.run(limits.fetchHedgeMs);
      assert.ok(world.height >= height, `${world.height} of ${height}`);
    }
  });

  test('because its answer is lost holds up nobody either who meets another meanwhile', async () => {
    for (const begin of ['want', 'poll'] as const) {
      const world = new World();
      world.servers.set('lost', () => null);
      world.delaysMs.set('lost', limits.requestTimeoutMs);
      if (begin === 'want') world.sync.want(toHeight(length), []);
      else world.sync.poll('lost');
      world.time.run(limits.fetchHedgeMs + 100);
      world.servers.set('honest', honest(await serverOf(run)));
      world.time.run(limits.fetchHedgeMs);
      assert.equal(world.height, length);
      assert.deepEqual(world.asked.slice(0, 2), ['lost', 'honest']);
    }
  });

  test('does not keep those who had nothing yet from being asked again, nor who comes after them', async () => {
    const full = honest(await serverOf(run));
    for (const name of ['behind', 'newcomer']) {
      const world = new World();
      world.servers.set('silent', () => null);
      world.delaysMs.set('silent', limits.requestTimeoutMs);
      world.servers.set('behind', honest(await serverOf([])));
      world.sync.want(toHeight(length), []);
      world.time.run(limits.fetchHedgeMs + 100);
      assert.deepEqual(world.asked, ['silent', 'behind']);
      world.servers.set(name, full);
      world.time.run(limits.fetchHedgeMs);
      assert.equal(world.height, length, name);
    }
  });

  test('is waited for once: those who had nothing are asked again, and their next answers are not', async () => {
    const world = new World();
    const nothing = honest(await serverOf([]));
    for (const name of ['slow', 'dripping', 'behind']) world.servers.set(name, nothing);
    // It is asked again, and would answer once more when the other has.
    world.delaysMs.set('slow', 5 * limits.fetchHedgeMs);
    world.delaysMs.set('dripping', limits.requestTimeoutMs - 1);
    world.sync.want(toHeight(length), []);
    world.time.run(limits.requestTimeoutMs + limits.fetchHedgeMs);
    assert.ok(timesAsked(world, 'slow') > 1);
    assert.equal(world.sync.active, false);
    assert.ok(timesAsked(world, 'behind') <= limits.requestTimeoutMs / limits.fetchHedgeMs + 1);
  });

  test('is not waited for any more when what it was asked for became final another way', async () => {
    const world = new World();
    const from: number[] = [];
    const behind = honest(await serverOf([]));
    world.servers.set('silent', () => null);
    world.delaysMs.set('silent', limits.requestTimeoutMs);
    world.servers.set('behind', (request) => {
      from.push(unwrap(decode(blocksRequestCodec, request, 'request')).from);
      return behind(request);
    });
    world.sync.want(toHeight(2), []);
    world.time.run(limits.fetchHedgeMs + 10);
    world.finalise(defined(run[0], 'a block'));
    world.time.run(2 * limits.fetchHedgeMs);
    assert.deepEqual(from, [1, 2], 'the next one is asked for');
    world.finalise(defined(run[1], 'a block'));
    world.time.run(limits.fetchHedgeMs);
    assert.equal(world.sync.active, false, 'nothing else was claimed');
  });

  test('because it gives little where others have more is asked after them', async () => {
    const serving = await serverOf(run);
    const world = new World();
    world.servers.set('stingy', stingy(serving, 1));
    world.servers.set('honest', honest(serving));
    world.want(length);
    assert.equal(world.height, length);
    assert.equal(timesAsked(world, 'stingy'), 1);
  });

  test('does not keep the others from being asked again, who had nothing when it had one block', async () => {
    const world = new World();
    world.servers.set('honest', honest(await serverOf(run.slice(0, 5))));
    world.servers.set('stingy', stingy(await serverOf(run), 1));
    world.delaysMs.set('stingy', limits.requestTimeoutMs - 1);
    world.sync.want(toHeight(length), []);
    world.time.run(1_000);
    world.servers.set('honest', honest(await serverOf(run)));
    world.time.run(2 * limits.requestTimeoutMs);
    assert.equal(world.height, length);
    assert.ok(timesAsked(world, 'stingy') <= 3);
  });

  test('is found out by who only looks for news, too: it asks a second one', async () => {
    const serving = await serverOf(run);
    for (const delayMs of [1, limits.requestTimeoutMs - 1]) {
      const world = new World();
      world.servers.set('stingy', stingy(serving, 1));
      world.servers.set('honest', honest(serving));
      world.delaysMs.set('stingy', delayMs);
      world.sync.poll('stingy');
      world.time.run(1_000);
      assert.equal(world.height, length, `an answer after ${delayMs} ms`);
      assert.equal(timesAsked(world, 'stingy'), 1);
    }
  });

  test('may be one of several, who are left one after the other', async () => {
    const serving = await serverOf(run);
    const world = new World();
    const liars = Array.from({ length: limits.fetchParallel }, (_, i) => `slow-${i}`);
    for (const name of liars) {
      world.servers.set(name, stingy(serving, 1));
      world.delaysMs.set(name, limits.requestTimeoutMs - 1);
    }
    world.servers.set('honest', honest(serving));
    world.sync.want(toHeight(length), []);
    world.time.run(2 * limits.requestTimeoutMs);
    assert.equal(world.height, length);
    for (const name of liars) assert.equal(timesAsked(world, name), 1);
  });

  test('because it answers just in time does not stay the first: those who are faster do', async () => {
    const serving = await serverOf(run);
    const world = new World();
    // The silent make it wait longer for an answer; the late give all, as late as they may by then.
    for (let i = 0; i < limits.fetchParallel; i++) {
      world.servers.set(`silent-${i}`, () => null);
      world.delaysMs.set(`silent-${i}`, limits.requestTimeoutMs);
    }
    for (let i = 0; i < limits.fetchParallel; i++) {
      world.servers.set(`late-${i}`, honest(serving));
      world.delaysMs.set(`late-${i}`, 5 * limits.fetchHedgeMs);
    }
    world.servers.set('honest', honest(serving));
    world.sync.want(toHeight(length), []);
    world.time.run(3 * limits.requestTimeoutMs);
    assert.equal(world.height, length);
    for (let i = 0; i < limits.fetchParallel; i++) assert.equal(timesAsked(world, `late-${i}`), 1);
  });

  test('is nobody when all are slow: what the line gives is taken, with a few questions at a time', async () => {
    const serving = await serverOf(run);
    const world = new World();
    const peers = Array.from({ length: 8 }, (_, i) => `peer-${i}`);
    for (const name of peers) {
      world.servers.set(name, honest(serving));
      world.delaysMs.set(name, 2 * limits.fetchHedgeMs + 100);
    }
    world.sync.want(toHeight(length), []);
    world.time.run(5 * limits.requestTimeoutMs);
    assert.equal(world.height, length);
    const answers = Math.ceil(length / limits.syncBlocks);
    assert.ok(world.asked.length <= limits.fetchParallel * answers, `${world.asked.length} questions`);
  });

  test('is nobody when our own line is slow: then fewer are asked at once, until answers come in time', async () => {
    const serving = await serverOf(run);
    const world = new World();
    for (let i = 0; i < 12; i++) world.servers.set(`peer-${i}`, honest(serving));
    world.line = new SlowLine(world.time, limits.requestTimeoutMs / 2);
    for (let minute = 0; minute < 5 && world.height < length; minute++) {
      world.sync.want(toHeight(length), []);
      world.time.run(60_000);
    }
    assert.equal(world.height, length);
  });

  test('and lies besides takes nothing from the other’s answer', async () => {
    const serving = await serverOf(run);
    const world = new World();
    world.servers.set(
      'liar',
      liar(serving, (answer) => ({ ...answer, certificate: undefined })),
    );
    world.servers.set('slow', honest(serving));
    world.delaysMs.set('liar', limits.fetchHedgeMs + 10);
    world.delaysMs.set('slow', limits.fetchHedgeMs + 20);
    world.sync.want(toHeight(length), []);
    world.time.run(2 * limits.requestTimeoutMs);
    assert.equal(world.height, length);
    assert.equal(world.penalties.length, 1);
    assert.equal(world.sync.active, false);
  });
});

describe('a peer that always proves its blocks by a certificate far above them', () => {
  /** Its answers are whole and true, and none of them ends at its certificate. */
  const far =
    (run: readonly Made[], above: number): Server =>
    (request) => {
      const { from, count } = unwrap(decode(blocksRequestCodec, request, 'blocks request'));
      const last = Math.min(from + count - 1, run.length);
      const end = defined(run[Math.min(last + above, run.length) - 1], 'a block');
      return encode(blocksResponseCodec, {
        blocks: run.slice(from - 1, last).map(({ block }) => encodeBlock(block)),
        headers: run.slice(last, end.header.height).map(({ header }) => header),
        certificate: maker.certificate(end),
        snapshot: undefined,
      });
    };

  test('cannot put off the end of a run: the first of its certificates proves it', async () => {
    const run = maker.run(600);
    const world = new World();
    world.servers.set('peer-1', far(run, 100));
    world.want(600);
    assert.equal(world.height, 600);
    assert.deepEqual(
      world.synced.map(({ chain, header }) => [chain.length, header?.height]),
      [
        [228, 228],
        [228, 456],
        [144, 600],
      ],
    );
  });

  test('is left when a run is more than memory holds, and the others are asked', async () => {
    const run = maker.run(600);
    const world = new World();
    world.servers.set('peer-1', far(run, 250));
    world.servers.set('peer-2', honest(await serverOf(run)));
    world.want(600);
    assert.deepEqual([world.height, world.sync.active], [0, false], 'it waits for the next word of somebody');
    world.want(600);
    assert.equal(world.height, 600);
    assert.equal(world.asked.filter((peer) => peer === 'peer-1').length, 3, 'until it was too much');
    assert.deepEqual(world.penalties, [], 'all of it was true');
    assert.ok(world.synced.every(({ chain }) => chain.length <= limits.syncBlocks));
  });

  test('is left when its blocks take more than memory has for a run', async (context) => {
    const run = maker.run(300, (height) => [transfer(height - 1)]);
    // An answer has room in it, and two have not.
    context.mock.property(limits, 'candidateBytes', 250_000);
    const world = new World();
    world.servers.set('peer-1', far(run, 100));
    world.servers.set('peer-2', honest(await serverOf(run)));
    world.want(300);
    assert.equal(world.height, 0);
    world.want(300);
    assert.equal(world.height, 300);
    assert.equal(world.asked.filter((peer) => peer === 'peer-1').length, 2, 'until it was too much');
    assert.deepEqual(
      world.synced.map(({ chain }) => chain.length),
      [128, 128, 44],
    );
    assert.deepEqual(world.penalties, []);
  });

  test('is blamed for more blocks than it was asked for', async () => {
    const run = maker.run(200);
    const world = new World();
    const more = far(run, 0);
    world.servers.set('peer-1', (request) => {
      const wanted = unwrap(decode(blocksRequestCodec, request, 'blocks request'));
      const count = wanted.from === 129 ? 72 : wanted.count;
      return (wanted.from === 1 ? far(run, 10) : more)(encode(blocksRequestCodec, { ...wanted, count }));
    });
    world.want(200);
    assert.deepEqual(world.penalties, ['peer-1 sync/unproven']);
  });
});

describe('a peer that lies in sync', () => {
  const run = maker.run(6, (height) => [transfer(height - 1)]);
  const rival = new ChainMaker(genesis).block(maker.start, [], { timestamp: startOfTime + 7 });
  const forge = (certificate: FinalityCertificate | undefined, change: object): FinalityCertificate =>
    ({ ...certificate, ...change }) as FinalityCertificate;
  const firstSignature = (certificate: FinalityCertificate | undefined) =>
    certificate?.engine === 'pbft' ? certificate.signatures : [];

  const lies: Record<string, (answer: BlocksResponse) => BlocksResponse> = {
    'no certificate': (answer) => ({ ...answer, certificate: undefined }),
    'a certificate for another block': (answer) => ({ ...answer, certificate: maker.certificate(rival) }),
    'a block that nobody agreed on, under the real certificate': (answer) => ({
      ...answer,
      blocks: [...answer.blocks.slice(0, -1), encodeBlock(rival.block)],
    }),
    'a block without its transactions': (answer) => ({
      ...answer,
      blocks: [
        encodeBlock({ header: defined(run[0], 'a block').header, transactions: [] }),
        ...answer.blocks.slice(1),
      ],
    }),
    'a hole in the chain': (answer) => ({
      ...answer,
      blocks: answer.blocks.filter((_, index) => index !== 2),
    }),
    'blocks that start elsewhere': (answer) => ({ ...answer, blocks: answer.blocks.slice(1) }),
    'bytes that are no block': (answer) => ({ ...answer, blocks: [Uint8Array.of(1, 2, 3)] }),
    'a certificate signed by one validator three times': (answer) => ({
      ...answer,
      certificate: forge(answer.certificate, {
        signatures: [0, 1, 2].map((validator) => ({
          validator,
          signature: firstSignature(answer.certificate)[0]?.signature,
        })),
      }),
    }),
    'a certificate of fewer than a quorum': (answer) => ({
      ...answer,
      certificate: forge(answer.certificate, { signatures: firstSignature(answer.certificate).slice(1) }),
    }),
    'a prepare certificate for a commit certificate': (answer) => ({
      ...answer,
      certificate: forge(answer.certificate, { phase: 'prepare' }),
    }),
    'headers that lead nowhere': (answer) => ({ ...answer, headers: [rival.header] }),
  };

  for (const [title, lie] of Object.entries(lies)) {
    test(`with ${title} is blamed, and the next one is asked`, async () => {
      const serving = await serverOf(run);
      const world = new World();
      world.servers.set('peer-1', liar(serving, lie));
      world.servers.set('peer-2', honest(serving));
      world.want(6);
      assert.equal(world.height, 6);
      assert.equal(world.penalties.length, 1, world.penalties.join());
      assert.deepEqual(world.asked.slice(0, 2), ['peer-1', 'peer-2']);
    });
  }

  test('with one transaction among others that nobody signed is blamed, whoever agreed on it', async () => {
    const { signatures: _s, hash: _h, bytes: _b, ...body } = transfer(1);
    const forged = assembleTransaction(body, ['00'.repeat(64) as Signature]);
    const agreed = maker.run(3, (height) => [height === 2 ? forged : transfer(height - 1)]);
    const world = new World();
    world.servers.set('peer-1', honest(await serverOf(agreed)));
    world.want(3);
    assert.deepEqual([world.height, world.synced], [0, []]);
    assert.deepEqual(world.penalties, ['peer-1 sync/unproven']);
  });

  test('has nothing decoded of blocks that no certificate proves', async () => {
    const junk = new Uint8Array(200);
    const root = merkleRoot([hashOfTransactionBytes(junk)]);
    const made = maker.block(maker.start, [], { transactionRoot: root });
    const block = concat(headerBytes(made.header), Uint8Array.of(0, 1, 0, junk.length), junk);
    const proven = maker.certificate(made);
    const unsigned = forge(proven, {
      signatures: firstSignature(proven).map((each) => ({ ...each, signature: '00'.repeat(64) })),
    });
    for (const [certificate, code] of [
      [unsigned, 'crypto/signature'],
      [proven, 'sync/unproven'],
    ] as const) {
      const world = new World();
      const answer = encode(blocksResponseCodec, {
        blocks: [block],
        headers: [],
        certificate,
        snapshot: undefined,
      });
      world.servers.set('peer-1', () => answer);
      world.want(1);
      assert.deepEqual(world.penalties, [`peer-1 ${code}`]);
      assert.deepEqual([world.height, world.synced], [0, []]);
    }
  });

  test('is the only one there: nothing is taken from it', async () => {
    const serving = await serverOf(run);
    for (const lie of Object.values(lies)) {
      const world = new World();
      world.servers.set('peer-1', liar(serving, lie));
      world.want(6);
      assert.equal(world.height, 0);
      assert.deepEqual(world.synced, []);
      assert.equal(world.chain.size, 0);
    }
  });
});

describe('when the next block was pruned', () => {
  const run = maker.run(12);
  const pruned = (blocks: number, keepFrom: number): Promise<Serving> =>
    serverOf(run.slice(0, blocks), everyBlock, keepFrom);
  const heights = (world: World): number[] => world.offered.map(({ header }) => header.height);

  test('by everybody, the engine is given the newest snapshot that was offered, with those who offered it', async () => {
    const world = new World();
    world.servers.set('peer-1', honest(await pruned(9, 8)));
    world.servers.set('peer-2', honest(await pruned(12, 11)));
    world.servers.set('peer-3', honest(await pruned(12, 5)));
    world.servers.set('peer-4', honest(await serverOf([])));
    world.want(12);
    const newest = defined(run[11], 'the last block');
    assert.deepEqual(world.offered, [
      {
        type: 'offered',
        header: newest.header,
        blockHash: newest.hash,
        certificate: maker.certificate(newest),
        holders: [2, 3],
      },
    ]);
    assert.equal(world.asked.length, 4);
    assert.equal(world.sync.active, false);
    assert.deepEqual(world.penalties, []);
  });

  test('by everybody, no stranger’s offer is taken: anybody may make up a chain', async () => {
    const world = new World();
    world.servers.set('peer-1', honest(await pruned(9, 8)));
    world.servers.set('peer-2', honest(await pruned(12, 11)));
    world.strangers.add('peer-2');
    world.want(12);
    assert.deepEqual(heights(world), [9]);
    world.strangers.add('peer-1');
    world.want(12);
    assert.deepEqual(heights(world), [9]);
    assert.deepEqual(world.penalties, []);
  });

  test('by the one that is asked, all others are asked for it before', async () => {
    const world = new World();
    world.servers.set('peer-1', honest(await pruned(12, 11)));
    world.servers.set('peer-2', () => null);
    world.servers.set('peer-3', honest(await serverOf(run.slice(0, 6))));
    world.sync.poll('peer-1');
    world.time.run(1_000);
    assert.equal(world.height, 6);
    assert.deepEqual(heights(world), []);
    // And from there on everybody has pruned, or knows no more.
    world.sync.poll('peer-3');
    world.time.run(1_000);
    assert.deepEqual(heights(world), []);
    world.sync.poll('peer-1');
    world.time.run(1_000);
    assert.deepEqual(heights(world), [12]);
  });

  test('a snapshot is not offered that the engine is past by then', async () => {
    const world = new World();
    world.servers.set('peer-1', honest(await pruned(9, 9)));
    world.sync.want(toHeight(12), []);
    world.engineFinal = toHeight(9);
    world.time.run(1_000);
    assert.deepEqual(heights(world), []);
  });

  const at = (height: number): Made => defined(run[height - 1], 'a block');
  const offerOf = (snapshot: BlocksResponse['snapshot']): BlocksResponse => ({
    blocks: [],
    headers: [],
    certificate: undefined,
    snapshot,
  });
  const lies: Record<string, BlocksResponse['snapshot']> = {
    'a block that it did not prune': { header: maker.start.header, certificate: maker.certificate(at(3)) },
    'another block than its certificate': { header: at(11).header, certificate: maker.certificate(at(12)) },
    'a block that no quorum signed': {
      header: at(12).header,
      certificate: { ...maker.certificate(at(12)), signatures: [] } as unknown as FinalityCertificate,
    },
  };
  for (const [what, snapshot] of Object.entries(lies)) {
    test(`a peer that offers ${what} is blamed, and its offer is none`, async () => {
      const world = new World();
      world.servers.set('peer-1', () => encode(blocksResponseCodec, offerOf(snapshot)));
      world.servers.set('peer-2', honest(await pruned(9, 9)));
      world.want(12);
      assert.deepEqual(heights(world), [9]);
      assert.equal(world.penalties.length, 1);
    });
  }
});

describe('serving', () => {
  const run = maker.run(9, (height) => [transfer(height - 1)]);
  const ask = (serving: Serving, from: number, count: number) =>
    read(
      defined(
        serving.serve('blocks', encode(blocksRequestCodec, { from: toHeight(from), count })),
        'an answer',
      ),
    );

  test('gives as many blocks as asked, and the proof of the last', async () => {
    const serving = await serverOf(run);
    const answer = ask(serving, 3, 4);
    assert.equal(answer.blocks.length, 4);
    assert.equal(answer.certificate?.height, 6);
    assert.deepEqual(answer.headers, []);
  });

  test('gives the headers up to the certificate where the last block has none of its own', async () => {
    const serving = await serverOf(run, (height) => height === 9);
    const answer = ask(serving, 3, 4);
    assert.deepEqual(
      answer.headers.map(({ height }) => height),
      [7, 8, 9],
    );
    assert.equal(answer.certificate?.height, 9);
  });

  test('gives no blocks above the last certificate, where there is one: pieces do not grow from node to node', async () => {
    const serving = await serverOf(run, (height) => height === 4 || height === 9);
    const answer = ask(serving, 3, 4);
    assert.deepEqual([answer.blocks.length, answer.headers.length, answer.certificate?.height], [2, 0, 4]);
    assert.equal(ask(serving, 5, 3).certificate?.height, 9);
    assert.equal(ask(serving, 5, 3).blocks.length, 3);
  });

  test('reads each block and its header once', async () => {
    const serving = await serverOf(run);
    const get = mock.method(MemoryStore.prototype, 'get');
    ask(serving, 1, 9);
    // And the proof.
    assert.equal(get.mock.callCount(), 2 * 9 + 2);
    get.mock.restore();
  });

  test('gives blocks up to a change of the validators; who has those asks for what follows', async () => {
    const next = 'ab'.repeat(32) as Hash;
    const change = maker.block(maker.start, [], { nextValidatorsHash: next });
    const after = maker.block(change, [], { validatorsHash: next, nextValidatorsHash: next });
    const serving = await serverOf([change, after]);
    assert.equal(ask(serving, 1, 10).blocks.length, 1);
    assert.equal(ask(serving, 1, 10).certificate?.height, 1);
    assert.equal(ask(serving, 2, 10).certificate?.height, 2);
  });

  test('has nothing above its final block', async () => {
    const serving = await serverOf(run);
    const nothing = { blocks: [], headers: [], certificate: undefined, snapshot: undefined };
    assert.deepEqual(ask(serving, 10, 4), nothing);
    assert.deepEqual(ask(serving, 2 ** 40, 4).blocks, []);
    assert.equal(ask(serving, 9, 60_000).blocks.length, 1);
    assert.equal(ask(serving, 0, 2).certificate?.height, 1, 'the genesis is known to all');
  });

  test('says of a block that it pruned that it did, and names its newest snapshot', async () => {
    const serving = await serverOf(run, everyBlock, 4);
    const last = defined(run.at(-1), 'a block');
    assert.deepEqual(ask(serving, 3, 4), {
      blocks: [],
      headers: [],
      certificate: undefined,
      snapshot: { header: last.header, certificate: maker.certificate(last) },
    });
    assert.equal(ask(serving, 4, 4).blocks.length, 4);
    assert.equal(ask(serving, 10, 4).snapshot, undefined);
  });

  test('offers no snapshot that is older than what is asked for: while one is installed the newest is', async () => {
    const serving = await serverOf(run, everyBlock, 4, 2);
    assert.equal(ask(serving, 2, 4).snapshot?.header.height, 2);
    assert.equal(ask(serving, 3, 4).snapshot, undefined);
  });

  test('refuses what is no request, and places out of order or out of the block', async () => {
    const serving = await serverOf(run);
    const { hash } = defined(run[0], 'a block');
    const places = (...list: number[]): Uint8Array =>
      Buffer.concat([
        Buffer.from(hash, 'hex'),
        Buffer.of(0, list.length),
        ...list.map((place) => Buffer.of(0, place)),
      ]);
    assert.ok(serving.serve('transactions', places(0)));
    assert.equal(serving.serve('transactions', places(1)), null);
    assert.equal(serving.serve('transactions', places(0, 0)), null);
    for (const protocol of ['blocks', 'candidate', 'transactions', 'snapshot'] as const) {
      assert.equal(serving.serve(protocol, Uint8Array.of(1)), null);
    }
    assert.equal(serving.serve('candidate', Buffer.alloc(32)), null);
    const whole = serving.serve('candidate', Buffer.from(hash, 'hex'));
    assert.deepEqual(whole, encodeBlock(defined(run[0], 'a block').block));
  });
});
