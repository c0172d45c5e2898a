import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromHex, toHex } from '../../../src/base/bytes.ts';
import { decode, encode } from '../../../src/base/codec.ts';
import { defined } from '../../../src/base/invariant.ts';
import { limits } from '../../../src/base/limits.ts';
import { unwrap } from '../../../src/base/problem.ts';
import { developmentKeyPair } from '../../../src/crypto/development-keys.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import { keyPairFromSeed, sign } from '../../../src/crypto/keys.ts';
import { InlineVerifier } from '../../../src/crypto/inline-verifier.ts';
import type { PublicKey, SignatureClaim } from '../../../src/crypto/signature.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import {
  assembleTransaction,
  decodeTransaction,
  encodeBody,
  type Transaction,
  transactionSigningBytes,
} from '../../../src/ledger/transaction.ts';
import { Mempool } from '../../../src/mempool/mempool.ts';
import type { MempoolBounds } from '../../../src/mempool/options.ts';
import { weightOf } from '../../../src/mempool/weight.ts';
import type { GossipVerdict } from '../../../src/network/port.ts';
import { Intake, type Submitted } from '../../../src/node/peers/intake.ts';
import { Verification } from '../../../src/node/peers/verification.ts';
import { transactionFrameCodec } from '../../../src/node/peers/wire.ts';
import { ChainMaker, genesisRoster } from '../chain-maker.ts';
import { oddSignature } from '../../crypto/odd-signatures.ts';
import { sender } from '../../mempool/fixture.ts';
import { signedTransaction, testGenesis, testProtocol } from '../cluster.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const genesis = testGenesis(4);
const { start } = new ChainMaker(genesis);
const transfer = (nonce: number) => signedTransaction(genesis, 'alice', { nonce });
const forged = (nonce: number): Transaction => {
  const { signatures: _s, hash: _h, bytes: _b, ...body } = transfer(nonce);
  return assembleTransaction(body, transfer(nonce + 1).signatures);
};

/** Valid by the rule of blocks, and not as RFC 8032 has it checked. */
const oddTransaction = (nonce: number): Transaction => {
  const { signatures: _s, hash: _h, bytes: _b, ...body } = transfer(nonce);
  const { signature } = oddSignature(developmentKeyPair('alice'), transactionSigningBytes(encodeBody(body)));
  return assembleTransaction(body, [signature]);
};

class World {
  readonly time = new VirtualTime();
  readonly checked: SignatureClaim[] = [];
  readonly penalties: string[] = [];
  readonly published: Uint8Array[] = [];
  readonly arrived: Hash[] = [];
  added = 0;
  used = 0;
  readonly nonces = new Map<PublicKey, number>();
  final = new Set<Hash>();
  readonly mempool: Mempool;
  readonly intake: Intake;

  /** While true, the verifier keeps its answers. */
  held = false;
  readonly #late: (() => void)[] = [];

  release(): void {
    this.held = false;
    while (this.#late.length > 0) {
      for (const answer of this.#late.splice(0)) answer();
      this.time.run(0);
    }
  }

  constructor(bounds: Partial<MempoolBounds> = {}) {
    const { time } = this;
    const mempool = new Mempool({
      chainId: genesis.chainId,
      height: toHeight(0),
      accountOf: start.state.account.bind(start.state),
      bounds,
    });
    this.mempool = mempool;
    const clock = time.clock();
    const inline = new InlineVerifier(time.defer);
    const verification = new Verification<object>({
      protocol: testProtocol(genesis),
      roster: () => genesisRoster(genesis),
      verifier: {
        close: () => inline.close(),
        verify: (claims, strict, done) => {
          this.checked.push(...claims);
          if (this.held) this.#late.push(() => inline.verify(claims, strict, done));
          else inline.verify(claims, strict, done);
        },
      },
      clock,
      wants: () => true,
      mempool,
      validatorOf: () => undefined,
      standingOf: (peer) =>
        peer.startsWith('peer-')
          ? { type: 'member', key: peer }
          : { type: 'stranger', block: peer.split('/')[0] ?? '' },
      penalise: (peer, reason) => void this.penalties.push(`${peer} ${reason}`),
    });
    this.intake = new Intake({
      chainId: genesis.chainId,
      mempool,
      verification,
      network: { publish: (_topic, bytes) => void this.published.push(bytes) },
      clock,
      othersHear: (peer) => peer === 'peer-linked',
      nextNonce: (sender) => this.nonces.get(sender) ?? this.used,
      isFinal: (hash) => this.final.has(hash),
      onArriving: (transactions) => void this.arrived.push(...transactions.map(({ hash }) => hash)),
      onAdded: () => void (this.added += 1),
      salt: 7,
    });
  }

  submit(...list: readonly Uint8Array[]): readonly Submitted[] {
    let results: readonly Submitted[] | undefined;
    this.intake.submit(list.map(decodeTransaction), (answer) => {
      results = answer;
    });
    this.time.run(0);
    return defined(results, 'the answers');
  }

  #salt = 0;

  /** Delivers a frame; undefined while it is not decided. */
  hear(peer: string, ...transactions: readonly Uint8Array[]): GossipVerdict | undefined {
    return this.hearBytes(peer, encode(transactionFrameCodec, { salt: ++this.#salt, transactions }));
  }

  hearBytes(peer: string, bytes: Uint8Array): GossipVerdict | undefined {
    let verdict: GossipVerdict | undefined;
    this.intake.frame(peer, bytes, (answer) => {
      assert.equal(verdict, undefined, 'decided once');
      verdict = answer;
    });
    this.time.run(0);
    return verdict;
  }

  frames(): Transaction['hash'][][] {
    return this.published.map((bytes) => {
      const frame = unwrap(decode(transactionFrameCodec, bytes, 'frame'));
      return frame.transactions.map(
        (encoded) => allKnown.get(Buffer.from(encoded).toString('hex')) ?? ('?' as Hash),
      );
    });
  }
}

const allKnown = new Map<string, Hash>();
const known = (transaction: Transaction): Uint8Array => {
  allKnown.set(Buffer.from(transaction.bytes).toString('hex'), transaction.hash);
  return transaction.bytes;
};

describe('submission', () => {
  test('takes good transactions into the mempool, and gossips them in one frame', () => {
    const world = new World();
    const sent = [0, 1, 2].map(transfer);
    assert.deepEqual(
      world.submit(...sent.map(known)),
      sent.map(({ hash }) => ({ status: 'accepted', hash })),
    );
    assert.equal(world.mempool.size, 3);
    assert.deepEqual(world.frames(), [sent.map(({ hash }) => hash)]);
  });

  test('the first frame leaves at once, and the next one some milliseconds later', () => {
    const world = new World();
    world.submit(known(transfer(0)));
    world.time.run(0);
    assert.deepEqual(world.frames(), [[transfer(0).hash]]);
    world.submit(known(transfer(1)));
    world.time.run(limits.gossipFlushMs - 1);
    assert.equal(world.published.length, 1);
    world.submit(known(transfer(2)));
    world.time.run(1);
    assert.deepEqual(world.frames()[1], [transfer(1).hash, transfer(2).hash]);
    world.time.run(2 * limits.gossipFlushMs);
    world.submit(known(transfer(3)));
    world.time.run(0);
    assert.deepEqual(world.frames()[2], [transfer(3).hash]);
  });

  test('the more a frame held, the longer the next one gathers, up to a bound', () => {
    const world = new World();
    world.submit(...[0, 1, 2].map((nonce) => known(transfer(nonce))));
    world.time.run(0);
    world.submit(known(transfer(3)));
    world.time.run(3 * limits.gossipFlushMs - 1);
    assert.equal(world.published.length, 1);
    world.submit(...Array.from({ length: 40 }, (_, index) => known(transfer(4 + index))));
    world.time.run(1);
    assert.equal(world.frames()[1]?.length, 41);
    world.submit(known(transfer(44)));
    world.time.run(limits.gossipFlushMostMs - 1);
    assert.equal(world.published.length, 2);
    world.time.run(1);
    assert.deepEqual(world.frames()[2], [transfer(44).hash]);
  });

  test('what gathers leaves at once when a block is about to name it', () => {
    const world = new World();
    world.submit(...[0, 1, 2].map((nonce) => known(transfer(nonce))));
    world.time.run(0);
    world.submit(known(transfer(3)));
    world.intake.flush();
    assert.deepEqual(world.frames()[1], [transfer(3).hash]);
    world.time.run(limits.gossipFlushMostMs);
    assert.equal(world.published.length, 2, 'and not a second time');
  });

  test('sends a frame as soon as it is full', () => {
    const world = new World();
    const value = new Uint8Array(limits.maxRecordValueBytes);
    const big = Array.from({ length: 20 }, (_, nonce) =>
      signedTransaction(genesis, 'alice', { nonce, operation: { type: 'put', key: `k${nonce}`, value } }),
    );
    world.submit(...big.map(known));
    assert.equal(world.published.length, 1);
    world.time.run(limits.gossipFlushMostMs);
    assert.deepEqual(
      world.frames().flat(),
      big.map(({ hash }) => hash),
    );
    for (const frame of world.published)
      assert.ok(frame.length <= limits.gossipFrameBytes + limits.gossipFrameOverheadBytes);
  });

  test('answers each in its place, whatever is wrong with the others', () => {
    const world = new World();
    const elsewhere = signedTransaction({ ...genesis, chainId: 'ab'.repeat(32) as Hash }, 'alice', {
      nonce: 0,
    });
    const late = signedTransaction(genesis, 'bob', { nonce: 0, expiryHeight: toHeight(0) });
    const poor = signedTransaction(genesis, 'validator-9', { nonce: 0 });
    const { bytes, sender } = transfer(1);
    const nobodys = fromHex(toHex(bytes).replace(sender, '00'.repeat(32)));
    const answers = world.submit(
      nobodys,
      transfer(0).bytes,
      Uint8Array.of(1, 2, 3),
      elsewhere.bytes,
      forged(1).bytes,
      late.bytes,
      poor.bytes,
      transfer(0).bytes.subarray(1),
      new Uint8Array(limits.maxTransactionBytes + 1),
    );
    assert.deepEqual(
      answers.map((answer) => (answer.status === 'refused' ? answer.problem.code : answer.status)),
      [
        'transaction/forgeable-key',
        'accepted',
        'codec/malformed',
        'transaction/wrong-chain',
        'transaction/wrong-signature',
        'transaction/expired',
        'transaction/insufficient-balance',
        'codec/malformed',
        'transaction/oversize',
      ],
    );
    assert.equal(world.mempool.size, 1);
  });

  test('knows what waits and what is final, without checking it again', () => {
    const world = new World();
    world.submit(transfer(0).bytes);
    assert.equal(world.submit(transfer(0).bytes)[0]?.status, 'known');
    world.used = 6;
    world.final.add(transfer(5).hash);
    assert.equal(world.submit(transfer(5).bytes)[0]?.status, 'known');
    assert.equal(world.checked.length, 1);
  });

  test('knows one that became final while its signature was checked: it does not call its nonce a used one', () => {
    const world = new World();
    const transaction = transfer(0);
    world.held = true;
    let results: readonly Submitted[] = [];
    world.intake.submit([transaction], (answer) => (results = answer));
    world.mempool.committed({
      height: toHeight(1),
      transactions: [transaction],
      accountOf: (key) => ({ ...start.state.account(key), nonce: 1 }),
      next: { feePerOperation: 0n, protocolVersion: 1 },
      hadRoom: true,
      now: 0,
    });
    world.used = 1;
    world.final.add(transaction.hash);
    world.release();
    assert.deepEqual(results, [{ status: 'known', hash: transaction.hash }]);
  });

  test('the same transaction twice in one batch is taken once', () => {
    const world = new World();
    const answers = world.submit(transfer(0).bytes, transfer(0).bytes);
    assert.deepEqual(
      answers.map(({ status }) => status),
      ['accepted', 'known'],
    );
    assert.equal(world.checked.length, 1);
  });
});

describe('gossip', () => {
  test('of good transactions is taken, told to those who wait for bodies, and passed on', () => {
    const world = new World();
    assert.equal(world.hear('peer-1', transfer(0).bytes, transfer(1).bytes), 'accept');
    assert.equal(world.mempool.size, 2);
    assert.deepEqual(world.arrived, [transfer(0).hash, transfer(1).hash]);
    assert.equal(world.added, 1, 'one word for a whole frame');
    world.time.run(1_000);
    assert.deepEqual(world.published, [], 'passing on is the business of gossip itself');
  });

  test('checks no signature twice', () => {
    const world = new World();
    world.hear('peer-1', transfer(0).bytes);
    world.hear('peer-2', transfer(0).bytes);
    assert.equal(world.hear('peer-2', transfer(0).bytes, transfer(1).bytes), 'accept');
    assert.equal(world.checked.length, 2);
  });

  test('of what is done long ago is dropped, and costs no check', () => {
    const world = new World();
    world.used = 5;
    assert.equal(world.hear('peer-1', transfer(0).bytes, transfer(4).bytes), 'ignore');
    assert.equal(world.checked.length, 0);
  });

  test('with a bad signature is stopped here and held against the peer; the good ones beside it are kept', () => {
    const world = new World();
    assert.equal(world.hear('peer-1', transfer(0).bytes, forged(1).bytes), 'reject');
    assert.deepEqual(world.penalties, ['peer-1 transaction/wrong-signature']);
    assert.equal(world.mempool.size, 1);
  });

  test('of what only the rule of blocks accepts is good: libraries differ, and who passes it on is not to blame', () => {
    const world = new World();
    const odd = oddTransaction(0);
    const [refused] = world.submit(odd.bytes);
    assert.equal(refused?.status === 'refused' && refused.problem.code, 'transaction/wrong-signature');
    assert.equal(world.hear('peer-1', odd.bytes, transfer(1).bytes), 'accept');
    assert.deepEqual(world.penalties, []);
    assert.equal(world.mempool.size, 2);
    assert.equal(world.submit(odd.bytes)[0]?.status, 'known');
  });

  test('that is malformed is stopped and held against the peer', () => {
    const world = new World();
    const elsewhere = signedTransaction({ ...genesis, chainId: 'ab'.repeat(32) as Hash }, 'alice', {
      nonce: 0,
    });
    assert.equal(world.hearBytes('peer-1', Uint8Array.of(9)), 'reject');
    assert.equal(world.hear('peer-1', Uint8Array.of(9)), 'reject');
    assert.equal(world.hear('peer-1', elsewhere.bytes), 'reject');
    assert.equal(world.penalties.length, 3);
  });

  test('of nothing is stopped and held against the peer', () => {
    const world = new World();
    assert.equal(world.hear('peer-1'), 'reject');
    assert.deepEqual(world.penalties, ['peer-1 network/frame-empty']);
  });

  test('that is larger than any that is sent is stopped and held against the peer', () => {
    const world = new World();
    const value = new Uint8Array(limits.maxRecordValueBytes);
    const put = (nonce: number) =>
      signedTransaction(genesis, 'alice', { nonce, operation: { type: 'put', key: `k${nonce}`, value } });
    const fitting = Math.floor(limits.gossipFrameBytes / put(1).bytes.length);
    const frame = (count: number) => Array.from({ length: count }, (_, nonce) => put(nonce).bytes);
    assert.equal(world.hear('peer-1', ...frame(fitting)), 'accept');
    assert.equal(world.hear('peer-1', ...frame(fitting + 1)), 'reject');
    assert.deepEqual(world.penalties, ['peer-1 network/frame-oversize']);
  });

  test('of the smallest transactions fits, too', () => {
    const smallest = signedTransaction(genesis, 'alice', {
      nonce: 0,
      operation: { type: 'delete', key: 'k' },
    }).bytes;
    const count = Math.floor(limits.gossipFrameBytes / smallest.length);
    const frame = encode(transactionFrameCodec, { salt: 1, transactions: Array(count).fill(smallest) });
    assert.ok(frame.length <= limits.gossipFrameBytes + limits.gossipFrameOverheadBytes);
  });

  test('that the mempool has no use for is no fault: states differ from node to node', () => {
    const world = new World();
    const late = signedTransaction(genesis, 'alice', { nonce: 0, expiryHeight: toHeight(0) });
    assert.equal(world.hear('peer-1', late.bytes), 'ignore', 'and nothing to be passed on');
    assert.equal(world.mempool.size, 0);
    assert.deepEqual(world.penalties, []);
  });

  test('with a transaction twice is stopped and held against the peer', () => {
    const world = new World();
    assert.equal(world.hear('peer-1', transfer(0).bytes, transfer(0).bytes), 'reject');
    assert.deepEqual(world.penalties, ['peer-1 network/frame-twice']);
  });

  test('of a peer that sent too much rubbish is not even read', () => {
    const world = new World();
    for (let index = 0; index < limits.peerFaults; index++) world.hearBytes('peer-1', Uint8Array.of(9));
    assert.equal(world.hear('peer-1', transfer(0).bytes), 'unread');
    assert.equal(world.hear('peer-2', transfer(0).bytes), 'accept');
  });
});

describe('a frame is passed on only by who checked all of it', () => {
  const ofBob = (nonce: number): Transaction => signedTransaction(genesis, 'bob', { nonce });
  /** Alice's first payment is final here; bob's account is fresh. */
  const usedByAlice = (world: World): void => {
    world.nonces.set(transfer(0).sender, 1);
  };

  test('what is done here is looked into by who is a block behind: unchecked, nobody vouches for it', () => {
    const [ahead, behind] = [new World(), new World()];
    usedByAlice(ahead);
    for (let round = 0; round < 2 * limits.peerFaults; round++) {
      const verdict = ahead.hear('stranger', ofBob(round).bytes, forged(0).bytes);
      assert.equal(verdict, 'ignore', 'the forged one was not checked, and its sender could not know that');
      if (verdict !== 'ignore') behind.hear('peer-1', ofBob(round).bytes, forged(0).bytes);
    }
    assert.equal(ahead.mempool.size, 2 * limits.peerFaults, 'the good ones are kept');
    assert.deepEqual([...ahead.penalties, ...behind.penalties], []);
  });

  test('whatever else stands in it, and when it waits here already', () => {
    const world = new World();
    usedByAlice(world);
    world.hear('peer-1', ofBob(0).bytes);
    world.time.run(limits.regossipMs);
    assert.equal(world.hear('peer-1', ofBob(0).bytes, forged(0).bytes), 'ignore');
  });

  test('what was checked here before it was done is vouched for', () => {
    const world = new World();
    assert.equal(world.hear('peer-1', transfer(0).bytes), 'accept');
    const { state } = new ChainMaker(genesis).block(start, [transfer(0)]);
    world.mempool.committed({
      height: toHeight(1),
      transactions: [transfer(0)],
      accountOf: state.account.bind(state),
      hadRoom: true,
      next: { feePerOperation: 0n, protocolVersion: 1 },
      now: world.time.now,
    });
    usedByAlice(world);
    assert.equal(world.hear('peer-1', transfer(0).bytes, transfer(1).bytes), 'accept');
    assert.equal(world.checked.length, 2);
  });

  test('under whatever salt it comes, a transaction is passed on as often as its own node repeats it', () => {
    const world = new World();
    assert.equal(world.hear('peer-1', transfer(0).bytes), 'accept');
    for (let salt = 0; salt < 20; salt++) assert.equal(world.hear('peer-1', transfer(0).bytes), 'ignore');
    world.time.run(limits.regossipMs);
    assert.equal(world.hear('peer-1', transfer(0).bytes), 'accept', 'its node repeats it');
    assert.equal(world.hear('peer-1', transfer(0).bytes), 'ignore');
  });

  test('that others have from its sender is passed on after a while, if not all of it is final by then', () => {
    const world = new World();
    const verdicts: GossipVerdict[] = [];
    const hear = (nonce: number): void =>
      world.intake.frame(
        'peer-linked',
        encode(transactionFrameCodec, { salt: nonce, transactions: [transfer(nonce).bytes] }),
        (verdict) => void verdicts.push(verdict),
      );
    hear(0);
    hear(1);
    world.time.run(0);
    assert.deepEqual([verdicts, world.added], [[], 2], 'both are in the mempool at once');
    world.time.run(limits.frameRelayMs - 1);
    assert.deepEqual(verdicts, []);
    world.mempool.committed({
      height: toHeight(1),
      transactions: [transfer(0)],
      accountOf: (key) => ({ ...start.state.account(key), nonce: 1 }),
      hadRoom: true,
      next: { feePerOperation: 0n, protocolVersion: 1 },
      now: world.time.now,
    });
    world.used = 1;
    world.time.run(1);
    assert.deepEqual(verdicts, ['ignore', 'accept']);
  });

  test('and no more often when it left the pool meanwhile, which costs no second check', () => {
    const world = new World({ transactions: 1 });
    const cheap = signedTransaction(genesis, 'alice', { nonce: 0, fee: 10n });
    const dear = signedTransaction(genesis, 'bob', { nonce: 0, fee: 20n });
    assert.equal(world.hear('peer-1', cheap.bytes), 'accept');
    assert.equal(world.hear('peer-1', dear.bytes), 'accept');
    assert.equal(world.mempool.has(cheap.hash), false, 'it made room');
    assert.equal(world.hear('peer-1', cheap.bytes), 'ignore', 'there is no room for it');
    world.mempool.committed({
      height: toHeight(1),
      transactions: [dear],
      accountOf: (key) => ({ ...start.state.account(key), nonce: key === dear.sender ? 1 : 0 }),
      hadRoom: true,
      next: { feePerOperation: 0n, protocolVersion: 1 },
      now: world.time.now,
    });
    assert.equal(world.hear('peer-1', cheap.bytes), 'ignore', 'it was passed on lately');
    assert.equal(world.mempool.has(cheap.hash), true);
    assert.equal(world.checked.length, 2);
    world.time.run(limits.regossipMs);
    assert.equal(world.hear('peer-1', cheap.bytes), 'accept');
  });

  test('what the pool has no use for costs one check, however often it comes', () => {
    const world = new World();
    const empty = signedTransaction(genesis, 'validator-9', { nonce: 0 });
    for (let time = 0; time < 3; time++) world.hear('peer-1', empty.bytes);
    assert.equal(world.checked.length, 1);
  });

  test('what left from here is not passed on again when it comes back', () => {
    const world = new World();
    world.submit(known(transfer(0)));
    world.time.run(limits.gossipFlushMs);
    assert.equal(world.hear('peer-1', transfer(0).bytes), 'ignore');
  });

  test('what costs its sender nothing goes no further, alone or as most of a frame', () => {
    const world = new World();
    const empty = (nonce: number) => signedTransaction(genesis, 'validator-9', { nonce });
    assert.equal(world.hear('peer-1', empty(0).bytes), 'ignore');
    assert.equal(world.hear('peer-1', transfer(0).bytes, empty(1).bytes, empty(2).bytes), 'ignore');
    assert.equal(world.hear('peer-1', transfer(1).bytes, empty(3).bytes), 'accept');
    assert.deepEqual(world.penalties, []);
  });
});

describe('room for transactions under check', () => {
  const forgedBy = (from: number, count: number): Uint8Array[] => {
    const { signatures } = transfer(0);
    const { signatures: _s, hash: _h, bytes: _b, ...body } = transfer(0);
    return Array.from(
      { length: count },
      (_, index) => assembleTransaction({ ...body, nonce: from + index }, signatures).bytes,
    );
  };

  test('strangers have a share of it, and leave members and clients theirs', () => {
    const world = new World();
    world.held = true;
    const { underWay } = limits.strangersTransactions;
    for (let identity = 0; identity < 100; identity++) {
      world.hear(`10.0.${identity}/x`, ...forgedBy(identity * 100, 100));
    }
    assert.ok(world.intake.underWay.gossip <= underWay, String(world.intake.underWay.gossip));
    assert.equal(world.hear('10.1.0/x', ...forgedBy(90_000, 100)), 'unread');
    assert.equal(world.hear('peer-1', transfer(1).bytes), undefined, 'being checked');
    const answers: (readonly Submitted[])[] = [];
    world.intake.submit([transfer(0)], (results) => answers.push(results));
    world.time.run(0);
    world.release();
    assert.deepEqual(
      answers[0]?.map(({ status }) => status),
      ['accepted'],
    );
    assert.equal(world.mempool.size, 2);
  });

  test('a stranger has one, however many identities it has at one address', () => {
    const world = new World();
    world.held = true;
    for (let identity = 0; identity < 100; identity++) {
      world.hear(`10.0.0/${identity}`, ...forgedBy(identity * 100, 100));
    }
    assert.ok(world.intake.underWay.gossip <= limits.strangerTransactions.underWay);
    assert.equal(world.hear('10.0.1/1', transfer(9).bytes), undefined, 'another address has its own');
  });

  test('forged ones mute the address they come from, the sooner the more there are', () => {
    const world = new World();
    const wrong = limits.claimsPerFault * limits.peerFaults;
    assert.equal(world.hear('10.0.0/1', ...forgedBy(1, wrong)), 'reject');
    assert.equal(world.hear('10.0.0/2', transfer(0).bytes), 'unread');
    assert.equal(world.hear('10.0.1/1', transfer(0).bytes), 'accept');
    assert.equal(world.checked.length, wrong + 1);
  });

  test('what members and clients bring is checked before what strangers brought earlier', () => {
    const world = new World();
    world.held = true;
    world.hear('10.0.0/1', ...forgedBy(0, limits.patientHanded + 20));
    world.hear('peer-1', transfer(1_000).bytes);
    world.release();
    const place = world.checked.findIndex(({ signature }) => signature === transfer(1_000).signatures[0]);
    assert.equal(place, limits.patientHanded, 'next after what was at the verifier already');
  });
});

describe('large transactions under check', () => {
  const { signatures, hash: _h, bytes: _b, ...body } = transfer(0);
  const value = new Uint8Array(limits.maxRecordValueBytes);
  const operations = Array.from({ length: 7 }, () => ({ type: 'put' as const, key: 'k', value }));
  /** Nobody signed it, and nobody finds out while the verifier keeps its answers. */
  const large = (nonce: number): Transaction =>
    assembleTransaction({ ...body, nonce, operations }, signatures);
  const size = weightOf(large(0));
  const submit = (world: World, ...list: readonly Transaction[]): readonly Submitted[] | undefined => {
    let answers: readonly Submitted[] | undefined;
    world.intake.submit(list, (results) => {
      answers = results;
    });
    world.time.run(0);
    return answers;
  };
  const isBusy = (answers: readonly Submitted[] | undefined): boolean =>
    answers?.[0]?.status === 'refused' && answers[0].problem.code === 'mempool/busy';

  test('of clients have room for so many bytes, whether they come at once or one by one', () => {
    const world = new World();
    world.held = true;
    const count = Math.floor(limits.submittedBytes / size);
    const half = Math.floor(count / 2);
    submit(world, ...Array.from({ length: half }, (_, nonce) => large(nonce)));
    submit(world, ...Array.from({ length: count }, (_, nonce) => large(half + nonce)));
    assert.equal(world.intake.underWay.submitted, count, 'as many as fit, and no more');
    assert.ok(isBusy(submit(world, large(count))));
    assert.equal(submit(world, transfer(0)), undefined, 'a small one still fits');
    world.release();
    assert.equal(world.intake.underWay.submitted, 0);
  });

  test('of gossip have room for so many bytes, and leave clients theirs', () => {
    const world = new World();
    world.held = true;
    const count = Math.floor(limits.intakeBytes / size);
    for (let nonce = 0; nonce < count; nonce++) {
      assert.equal(world.hear('peer-1', large(nonce).bytes), undefined, 'being checked');
    }
    assert.equal(world.hear('peer-2', large(count).bytes), 'unread');
    assert.deepEqual(world.penalties, [], 'that is nobody’s fault');
    assert.equal(submit(world, large(count)), undefined);
  });

  test('that name many keys count as what it takes to look at these', () => {
    const world = new World();
    world.held = true;
    const keys = Array.from({ length: limits.maxSigners }, (_, at) => sender(at + 1)).toSorted();
    const changes = Array.from({ length: 62 }, () => ({
      type: 'set-keys' as const,
      keys,
      threshold: 1,
      force: true,
    }));
    const ofKeys = (nonce: number): Transaction =>
      assembleTransaction({ ...body, nonce, operations: changes }, signatures);
    const heard = (peer: string): number => {
      let read = 0;
      while (read < 40 && world.hear(peer, ofKeys(read).bytes) === undefined) read += 1;
      return read;
    };
    const { burst, perSecond } = limits.strangerBytes;
    const cost = changes.length * keys.length * limits.namedKeyBytes;
    const inOneGo = heard('10.0.0/1');
    assert.ok(inOneGo >= 1 && (inOneGo - 1) * cost < burst, `${inOneGo} frames`);
    world.time.run(((2 * cost) / perSecond) * 1_000);
    assert.ok(heard('10.0.0/1') >= 1, 'in time it may send again');
    assert.ok(heard('peer-1') > 20, 'a member may send more');
  });

  test('of many parts count as what it takes to read those', () => {
    const world = new World();
    const poor = keyPairFromSeed(new Uint8Array(32).fill(7));
    const small = Array.from({ length: limits.maxOperations }, () => ({ type: 'delete' as const, key: 'k' }));
    const frame = Array.from({ length: 50 }, (_, nonce) => {
      const own = { ...body, sender: poor.publicKey, signers: [poor.publicKey], nonce, operations: small };
      const signature = sign(poor.secretKey, transactionSigningBytes(encodeBody(own)));
      return assembleTransaction(own, [signature]).bytes;
    });
    const read = (peer: string): number => {
      const before = world.arrived.length;
      for (let round = 0; round < 10; round++) world.hear(peer, ...frame);
      return (world.arrived.length - before) / frame.length;
    };
    const cost = frame.reduce(
      (sum, { length }) => sum + length + (small.length - 1) * limits.readPartBytes,
      0,
    );
    const frames = read('10.0.0/1');
    assert.ok(frames >= 1 && (frames - 1) * cost < limits.strangerBytes.burst, `${frames} frames`);
    assert.equal(read('peer-1'), 10, 'a member may send more');
  });

  test('that nobody can pay and that name many keys cost a member its bytes, though their signatures are true', () => {
    const world = new World();
    const poor = keyPairFromSeed(new Uint8Array(32).fill(7));
    assert.equal(start.state.account(poor.publicKey).balance, 0n);
    const keys = Array.from({ length: limits.maxSigners }, (_, at) => sender(at + 1)).toSorted();
    const change = { type: 'set-keys' as const, keys, threshold: 1, force: true };
    const ofKeys = (nonce: number): Uint8Array => {
      const operations = Array.from({ length: 62 }, () => change);
      const own = { ...body, sender: poor.publicKey, signers: [poor.publicKey], nonce, operations };
      const signature = sign(poor.secretKey, transactionSigningBytes(encodeBody(own)));
      return assembleTransaction(own, [signature]).bytes;
    };
    const frame = [ofKeys(0), ofKeys(1)];
    const seconds = 4;
    // Twenty times as many as it may have looked at.
    for (let ms = 0; ms < seconds * 1_000; ms++) {
      world.hear('peer-1', ...frame);
      world.time.run(1);
    }
    const looked = world.arrived.length * 62 * keys.length;
    const { burst, perSecond } = limits.memberBytes;
    const inOneFrame = 2 * 62 * keys.length;
    const most = (burst + seconds * perSecond) / (limits.namedKeyBytes + 32) + inOneFrame;
    assert.ok(looked > most / 2 && looked <= most, `${looked} keys of ${most}`);
    assert.equal(world.checked.length, 2, 'what is signed is found out once');
    assert.deepEqual([world.mempool.size, world.published.length, world.penalties.length], [0, 0, 0]);
    assert.ok(world.hear('peer-2', known(transfer(0))) === 'accept', 'others are heard meanwhile');
  });

  test('count each of their signatures', () => {
    const world = new World();
    world.held = true;
    const signers = Array.from({ length: limits.maxSigners }, (_, index) =>
      index.toString(16).padStart(64, 'a'),
    ) as PublicKey[];
    const bySome = (nonce: number): Transaction =>
      assembleTransaction(
        { ...body, nonce, signers },
        signers.map(() => defined(signatures[0], 'a signature')),
      );
    const count = limits.submittedTransactions / limits.maxSigners;
    submit(world, ...Array.from({ length: count }, (_, nonce) => bySome(nonce)));
    assert.equal(world.intake.underWay.submitted, limits.submittedTransactions);
    assert.ok(isBusy(submit(world, transfer(0))));
  });
});

describe('what was handed in here and still waits', () => {
  test('is gossiped again after a while, in a frame of its own, until it is final', () => {
    const world = new World();
    world.submit(known(transfer(0)), known(transfer(1)));
    world.hear('peer-1', known(transfer(2)));
    world.time.run(limits.gossipFlushMostMs);
    world.intake.repeat();
    world.time.run(limits.gossipFlushMostMs);
    assert.equal(world.published.length, 1, 'not so soon');
    world.time.run(limits.regossipMs);
    world.intake.repeat();
    world.time.run(limits.gossipFlushMs);
    assert.deepEqual(world.frames()[1], [transfer(0).hash, transfer(1).hash]);
    assert.notDeepEqual(world.published[0], world.published[1], 'no network takes it for a duplicate');
    world.time.run(limits.regossipMs);
    world.intake.repeat();
    world.time.run(limits.gossipFlushMs);
    assert.deepEqual(world.frames()[2], world.frames()[1], 'and so on');

    const { state } = new ChainMaker(genesis).block(start, [0, 1, 2].map(transfer));
    world.mempool.committed({
      height: toHeight(1),
      transactions: [0, 1, 2].map(transfer),
      accountOf: state.account.bind(state),
      hadRoom: true,
      next: { feePerOperation: 0n, protocolVersion: 1 },
      now: world.time.now,
    });
    world.time.run(limits.regossipMs);
    world.intake.repeat();
    world.time.run(limits.gossipFlushMs);
    assert.equal(world.published.length, 3);
  });

  test('is forgotten when it is final, however many are handed in', () => {
    const world = new World();
    for (let nonce = 0; nonce < 6; nonce += 2) {
      world.submit(known(transfer(nonce)), known(transfer(nonce + 1)));
      assert.equal(world.intake.own, 2);
      world.intake.final([nonce, nonce + 1, nonce + 2].map(transfer));
      assert.equal(world.intake.own, 0);
    }
  });

  test('what came a little later than the oldest is gossiped again with it', () => {
    const world = new World();
    world.submit(known(transfer(0)));
    world.time.run(limits.regossipMs / 2);
    world.submit(known(transfer(1)));
    world.time.run(limits.regossipMs / 2);
    world.intake.repeat();
    world.time.run(limits.gossipFlushMostMs);
    assert.deepEqual(world.frames().slice(2), [[transfer(0).hash, transfer(1).hash]]);
  });

  test('is gossiped from here too when a client brings what others gossiped: they may be gone', () => {
    const world = new World();
    world.hear('peer-1', known(transfer(0)));
    assert.equal(world.submit(known(transfer(0)))[0]?.status, 'known');
    world.time.run(limits.gossipFlushMs);
    assert.equal(world.published.length, 0, 'not at once: it costs the client nothing to bring it again');
    world.time.run(limits.regossipMs);
    world.intake.repeat();
    world.time.run(limits.gossipFlushMs);
    assert.deepEqual(world.frames(), [[transfer(0).hash]]);
  });
});

describe('when gossip reaches a validator anew', () => {
  const moment = limits.regossipStepMs + limits.gossipFlushMostMs;

  test('what was handed in here before is gossiped again soon, and what comes later is not', () => {
    const world = new World();
    world.submit(known(transfer(0)), known(transfer(1)));
    world.time.run(1);
    world.intake.reaches(1);
    world.time.run(1);
    world.submit(known(transfer(2)));
    world.time.run(limits.gossipFlushMostMs);
    assert.deepEqual(world.frames(), [[transfer(0).hash, transfer(1).hash], [transfer(2).hash]]);
    world.time.run(moment);
    assert.deepEqual(world.frames().slice(2), [[transfer(0).hash, transfer(1).hash]]);
    world.time.run(10 * moment);
    assert.equal(world.published.length, 3, 'once');
  });

  test('validators that come together share it', () => {
    const world = new World();
    world.submit(known(transfer(0)));
    world.time.run(1);
    for (const validator of [1, 2, 3]) world.intake.reaches(validator);
    world.time.run(10 * moment);
    assert.equal(world.published.length, 2);
  });

  test('one that comes and goes has much of it now and then only, and little each time', () => {
    const world = new World();
    // With nothing there, as on a network that begins.
    world.intake.reaches(1);
    world.time.run(moment);
    world.submit(known(transfer(0)));
    for (let times = 1; times <= 3; times++) {
      world.time.run(moment);
      world.intake.reaches(1);
      world.time.run(2 * moment);
      assert.equal(world.published.length, 1 + times);
    }
    const many = Array.from({ length: limits.regossipTransactions - 1 }, (_, index) => transfer(1 + index));
    world.submit(...many.map(known));
    world.time.run(moment);
    const frames = (): number => world.frames().length;
    const again = (): number => {
      const before = frames();
      world.intake.reaches(1);
      world.time.run(2 * moment);
      return frames() - before;
    };
    assert.ok(again() > 0);
    for (let times = 0; times < 3; times++) assert.equal(again(), 0);
    world.time.run(limits.regossipToOneMs);
    assert.ok(again() > 0);
  });

  test('much goes in pieces, all of it, and each piece once', () => {
    const world = new World();
    const count = 2 * limits.regossipTransactions + 5;
    const many = Array.from({ length: count }, (_, nonce) => transfer(nonce));
    for (const transaction of many) world.submit(known(transaction));
    world.time.run(moment);
    const before = world.frames().length;
    world.intake.reaches(1);
    const again = (): Hash[] => world.frames().slice(before).flat();
    world.time.run(moment);
    assert.equal(again().length, limits.regossipTransactions);
    world.time.run(3 * moment);
    assert.deepEqual(
      again(),
      many.map(({ hash }) => hash),
    );
    world.time.run(10 * moment);
    assert.equal(again().length, count);
  });

  test('and nothing is done where nothing waits, or after the end', () => {
    const world = new World();
    world.intake.reaches(1);
    world.time.run(10 * moment);
    world.submit(known(transfer(0)));
    world.time.run(limits.regossipToOneMs);
    world.intake.reaches(1);
    world.intake.stop();
    world.time.run(10 * moment);
    assert.equal(world.published.length, 1);
  });
});

describe('several signatures of one transaction', () => {
  const { signatures: _s, hash: _h, bytes: _b, ...plain } = transfer(0);
  const signers = ['alice', 'bob', 'carol'].map((name) => developmentKeyPair(name));
  const ordered = signers.toSorted((a, b) => (a.publicKey < b.publicKey ? -1 : 1));
  const body = {
    ...plain,
    operations: [
      {
        type: 'set-keys' as const,
        keys: ordered.map(({ publicKey }) => publicKey),
        threshold: 1,
        force: false,
      },
    ],
    signers: ordered.map(({ publicKey }) => publicKey),
  };
  const signed = (wrong?: number): Transaction => {
    const message = transactionSigningBytes(encodeBody(body));
    return assembleTransaction(
      body,
      ordered.map(({ secretKey }, index) =>
        index === wrong ? defined(transfer(1).signatures[0], 'a signature') : sign(secretKey, message),
      ),
    );
  };

  test('are all checked, once each', () => {
    const world = new World();
    assert.deepEqual(statuses(world.submit(signed().bytes)), ['accepted']);
    assert.equal(world.checked.length, 3);
    world.time.run(limits.regossipMs);
    assert.equal(world.hear('peer-1', signed().bytes), 'accept', 'it vouches for it: all were checked here');
    assert.equal(world.checked.length, 3);
  });

  test('make it wrong when one of them is, wherever it stands', () => {
    for (const wrong of [0, 1, 2]) {
      const world = new World();
      assert.deepEqual(statuses(world.submit(signed(wrong).bytes)), ['refused']);
      assert.equal(world.hear('peer-1', signed(wrong).bytes), 'reject');
      assert.equal(world.added, 0);
      assert.deepEqual(statuses(world.submit(transfer(0).bytes, signed(wrong).bytes)), [
        'accepted',
        'refused',
      ]);
    }
  });
});

const statuses = (answers: readonly Submitted[]): string[] => answers.map(({ status }) => status);
