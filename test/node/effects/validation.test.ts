import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { fromHex, toHex } from '../../../src/base/bytes.ts';
import { defined } from '../../../src/base/invariant.ts';
import { limits } from '../../../src/base/limits.ts';
import { Problem } from '../../../src/base/problem.ts';
import { decode, encode } from '../../../src/base/codec.ts';
import { InlineVerifier } from '../../../src/crypto/inline-verifier.ts';
import type { Input } from '../../../src/consensus/engine.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import type { PublicKey } from '../../../src/crypto/signature.ts';
import { hashHeader, toHeight } from '../../../src/ledger/block.ts';
import { merkleRoot } from '../../../src/ledger/merkle.ts';
import { encodeBlock, proposalOf } from '../../../src/ledger/block-body.ts';
import {
  assembleTransaction,
  hashOfTransactionBytes,
  type Transaction,
} from '../../../src/ledger/transaction.ts';
import type { RequestProtocol } from '../../../src/network/port.ts';
import { Bodies } from '../../../src/node/effects/bodies.ts';
import { Validation } from '../../../src/node/effects/validation.ts';
import { Verification } from '../../../src/node/peers/verification.ts';
import { transactionsRequestCodec, transactionsResponseCodec } from '../../../src/node/peers/wire.ts';
import { ChainMaker, genesisRoster, type Made, startOfTime } from '../chain-maker.ts';
import { signedTransaction, testGenesis, testProtocol } from '../cluster.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const genesis = testGenesis(4);
const maker = new ChainMaker(genesis);
const transfer = (nonce: number) => signedTransaction(genesis, 'alice', { nonce });
/** Good in everything but that somebody else signed it. */
const unsigned = (nonce: number): Transaction => {
  const { signatures: _, hash: _hash, bytes: _bytes, ...body } = transfer(nonce);
  return assembleTransaction(body, transfer(nonce + 1).signatures);
};

type Server = (protocol: RequestProtocol, request: Uint8Array) => Uint8Array | null | 'silence';
type Validated = Extract<Input<never>, { type: 'validated' }>;

/** One node's validation, and peers that are functions. */
class World {
  readonly time = new VirtualTime();
  readonly clock = this.time.clock(startOfTime);
  readonly chain = maker.chain();
  readonly mempool = new Map<Hash, Transaction>();
  readonly arriving = new Map<Hash, Transaction>();
  readonly servers = new Map<string, Server>();
  readonly asked: { peer: string; protocol: RequestProtocol; at: number }[] = [];
  readonly penalties: string[] = [];
  readonly answers: Validated[] = [];
  readonly bodies: Bodies;
  readonly validation: Validation;

  constructor({ proposerClockBinds = false } = {}) {
    const { time, clock, chain } = this;
    const verification = new Verification<object>({
      protocol: testProtocol(genesis),
      roster: () => genesisRoster(genesis),
      verifier: new InlineVerifier(time.defer),
      clock,
      wants: () => true,
      validatorOf: () => undefined,
      penalise: (peer, reason) => void this.penalties.push(`${peer} ${reason}`),
    });
    this.bodies = new Bodies({
      chain,
      clock,
      verification,
      network: {
        request: (peer, protocol, bytes, done) => {
          this.asked.push({ peer, protocol, at: time.now });
          const response = this.servers.get(peer)?.(protocol, bytes) ?? null;
          if (response === 'silence') return;
          time.after(1, () =>
            done(response ?? new Problem('network/refused', 'no', { remedy: 'Ask another.' })),
          );
        },
      },
      pending: (hash) => this.mempool.get(hash),
      arriving: (hash) => this.arriving.get(hash),
      peersFor: (holders) => {
        const names = [...this.servers.keys()];
        const first = holders.map((holder) => `peer-${holder}`).filter((name) => names.includes(name));
        return [...new Set([...first, ...names])];
      },
    });
    this.validation = new Validation({
      proposerClockBinds,
      chain,
      bodies: this.bodies,
      clock,
      finalHashAt: (height) => (height === chain.final.height ? chain.final.hash : undefined),
      enqueue: (input) => void this.answers.push(input),
    });
  }

  hold(...transactions: readonly Transaction[]): void {
    for (const transaction of transactions) this.mempool.set(transaction.hash, transaction);
  }

  validate(made: Made, options: { withProposal?: boolean; holders?: number[] } = {}): void {
    this.validation.validate({
      type: 'validate',
      blockHash: made.hash,
      height: made.header.height,
      proposal: options.withProposal === false ? null : proposalOf(made.block),
      holders: options.holders ?? [],
    });
  }

  /** The verdict on the only block that was asked about. */
  verdict(waitMs = 20_000): Validated['result'] | undefined {
    this.time.runUntil(() => this.answers.length > 0, waitMs);
    assert.ok(this.answers.length <= 1, 'one question, one answer');
    return this.answers[0]?.result;
  }
}

/** A peer that holds these blocks and serves them as a node does. */
function holderOf(...blocks: readonly Made[]): Server {
  const byHash = new Map(blocks.map((made) => [made.hash, made.block]));
  return (protocol, request) => {
    if (protocol === 'candidate') {
      const block = byHash.get(Buffer.from(request).toString('hex') as Hash);
      return block === undefined ? null : encodeBlock(block);
    }
    const wanted = decode(transactionsRequestCodec, request, 'request');
    if (wanted instanceof Problem) return null;
    const block = byHash.get(wanted.blockHash);
    if (block === undefined) return null;
    return encode(
      transactionsResponseCodec,
      wanted.places.map((place) => block.transactions[place]?.bytes ?? new Uint8Array()),
    );
  };
}

/** How many of these blocks are executed, after each turn in which it is another number. */
function executedByTurn({ time, chain }: World, run: readonly Made[]): number[] {
  const executed = (): number => run.filter(({ hash }) => chain.get(hash)?.outcome.name === 'valid').length;
  const counts = [executed()];
  time.runUntil(() => {
    if (executed() !== counts.at(-1)) counts.push(executed());
    return counts.at(-1) === run.length;
  }, 20_000);
  return counts;
}

describe('validating a proposal', () => {
  test('whose transactions all wait in the mempool asks nobody', () => {
    const world = new World();
    const made = maker.block(maker.start, [transfer(0), transfer(1)]);
    world.hold(transfer(0), transfer(1));
    world.validate(made);
    assert.equal(world.verdict(0)?.verdict, 'valid');
    assert.deepEqual(world.asked, []);
  });

  test('waits a moment for gossip before it fetches', () => {
    const world = new World();
    const made = maker.block(maker.start, [transfer(0), transfer(1)]);
    world.hold(transfer(0));
    world.servers.set('peer-1', holderOf(made));
    world.validate(made);
    world.time.run(limits.gossipGraceMs - 1);
    world.bodies.arrived([transfer(1)]);
    assert.equal(world.verdict()?.verdict, 'valid');
    assert.deepEqual(world.asked, []);
  });

  test('fetches nothing that is here and only waits for its signature to be checked', () => {
    const world = new World();
    const made = maker.block(maker.start, [transfer(0), transfer(1)]);
    for (const transaction of made.block.transactions) world.arriving.set(transaction.hash, transaction);
    world.servers.set('peer-1', holderOf(made));
    world.validate(made);
    assert.equal(world.verdict(0)?.verdict, 'valid');
    assert.deepEqual(world.asked, []);
  });

  test('is invalid when a transaction that comes by gossip was not signed', () => {
    const world = new World();
    const made = maker.block(maker.start, [transfer(0), unsigned(1)]);
    world.hold(transfer(0));
    world.servers.set('peer-1', holderOf(made));
    world.validate(made);
    world.bodies.arrived([unsigned(1)]);
    assert.equal(world.verdict(0)?.verdict, 'invalid');
  });

  test('fetches what is missing from who should have it', () => {
    const world = new World();
    const made = maker.block(maker.start, [transfer(0), transfer(1), transfer(2)]);
    world.hold(transfer(1));
    world.servers.set('peer-1', () => null);
    world.servers.set('peer-2', holderOf(made));
    world.validate(made, { holders: [2] });
    assert.equal(world.verdict()?.verdict, 'valid');
    assert.deepEqual(
      world.asked.map(({ peer }) => peer),
      ['peer-2'],
    );
    assert.equal(world.bodies.counters.fetchedTransactions, 2);
  });

  test('asks the next peer at once after a refusal, and after a while beside a silent one', () => {
    const world = new World();
    const made = maker.block(maker.start, [transfer(0)]);
    world.servers.set('peer-1', () => null);
    world.servers.set('peer-2', () => 'silence');
    world.servers.set('peer-3', holderOf(made));
    world.validate(made);
    assert.equal(world.verdict()?.verdict, 'valid');
    assert.deepEqual(
      world.asked.map(({ peer }) => peer),
      ['peer-1', 'peer-2', 'peer-3'],
    );
    const [, second, third] = world.asked;
    assert.equal((third?.at ?? 0) - (second?.at ?? 0), limits.fetchHedgeMs);
  });

  test('holds an answer that is not what was asked for against its sender, and asks another', () => {
    const world = new World();
    const made = maker.block(maker.start, [transfer(0)]);
    const other = maker.block(maker.start, [signedTransaction(genesis, 'bob', { nonce: 0 })]);
    const lies: Server[] = [
      () => Uint8Array.of(1, 2, 3),
      () => encode(transactionsResponseCodec, []),
      () =>
        encode(
          transactionsResponseCodec,
          other.block.transactions.map(({ bytes }) => bytes),
        ),
    ];
    for (const [index, lie] of lies.entries()) world.servers.set(`peer-${index}`, lie);
    world.servers.set('peer-9', holderOf(made));
    world.validate(made);
    assert.equal(world.verdict()?.verdict, 'valid');
    assert.equal(world.penalties.length, lies.length);
  });

  test('with a transaction that its sender did not sign is invalid', () => {
    const world = new World();
    const made = maker.block(maker.start, [unsigned(0)]);
    world.servers.set('peer-1', holderOf(made));
    world.validate(made);
    assert.equal(world.verdict()?.verdict, 'invalid');
    assert.deepEqual(world.penalties, [], 'the peer gave what the proposal named');
  });

  test('with a transaction from a key for which anybody can sign is never valid: nobody can have it', () => {
    const world = new World();
    const { bytes, sender, ...rest } = transfer(0);
    const forgeable = '00'.repeat(32) as PublicKey;
    const end = bytes.length - 64;
    // R = A and S = 0: under ZIP-215 good for every message.
    const forged = fromHex(
      toHex(bytes.subarray(0, end)).replace(sender, forgeable) + forgeable + '00'.repeat(32),
    );
    const hash = hashOfTransactionBytes(forged);
    const { block } = maker.block(maker.start, []);
    const header = { ...block.header, transactionRoot: merkleRoot([hash]) };
    const transactions = [{ ...rest, sender: forgeable, bytes: forged, hash }];
    const made = {
      ...maker.start,
      header,
      hash: hashHeader(header),
      block: { header, transactions },
      receipts: [],
    };
    world.servers.set('peer-1', holderOf(made));
    world.validate(made);
    assert.equal(world.verdict()?.verdict, 'unavailable');
  });

  test('of large transactions is decoded in several turns of the loop, as a block that was fetched whole', () => {
    const { signatures, hash: _h, bytes: _b, ...body } = transfer(0);
    const value = new Uint8Array(limits.maxRecordValueBytes);
    const operations = Array.from({ length: 7 }, () => ({ type: 'put' as const, key: 'k', value }));
    const large = Array.from({ length: 6 }, (_, nonce) =>
      assembleTransaction({ ...body, nonce, operations }, signatures),
    );
    const made = maker.block(maker.start, large);
    for (const withProposal of [true, false]) {
      const world = new World();
      world.servers.set('peer-1', holderOf(made));
      const after = mock.method(world.clock, 'after');
      world.validate(made, { withProposal });
      assert.equal(world.verdict()?.verdict, 'invalid', 'nobody signed them');
      const turns = after.mock.calls.filter(({ arguments: [delayMs] }) => delayMs === 0);
      assert.equal(turns.length, 2, 'two in each, and the first two at once');
      assert.deepEqual(world.penalties, []);
    }
  });

  test('that names what is no transaction is asked of one peer, who gave it', () => {
    const world = new World();
    const junk = new Uint8Array(200);
    const { block } = maker.block(maker.start, []);
    const header = { ...block.header, transactionRoot: merkleRoot([hashOfTransactionBytes(junk)]) };
    const hash = hashHeader(header);
    for (const name of ['peer-1', 'peer-2'])
      world.servers.set(name, () => encode(transactionsResponseCodec, [junk]));
    const proposal = { header, transactionHashes: [hashOfTransactionBytes(junk)] };
    world.validation.validate({
      type: 'validate',
      blockHash: hash,
      height: header.height,
      proposal,
      holders: [],
    });
    assert.equal(world.verdict()?.verdict, 'unavailable');
    assert.deepEqual(world.penalties, ['peer-1 codec/malformed']);
  });

  test('that lists other transactions than its header commits to is invalid, and nothing is fetched', () => {
    const world = new World();
    const made = maker.block(maker.start, [transfer(0)]);
    world.servers.set('peer-1', holderOf(made));
    const { header } = made;
    const other = transfer(5).hash;
    world.validation.validate({
      type: 'validate',
      blockHash: made.hash,
      height: header.height,
      proposal: { header, transactionHashes: [other] },
      holders: [],
    });
    assert.equal(world.verdict(0)?.verdict, 'invalid');
    assert.deepEqual(world.asked, []);
  });

  test('that claims another state is invalid', () => {
    const world = new World();
    const made = maker.block(maker.start, [], { stateRoot: 'ab'.repeat(32) as Hash });
    world.validate(made);
    assert.equal(world.verdict(0)?.verdict, 'invalid');
  });

  test('is judged by the clock: as far ahead as allowed is valid, one more is not', () => {
    for (const [ahead, verdict] of [
      [0, 'valid'],
      [1, 'early'],
    ] as const) {
      const world = new World();
      const timestamp = startOfTime + limits.maxClockAheadMs + ahead;
      world.validate(maker.block(maker.start, [], { timestamp }));
      assert.equal(world.verdict(0)?.verdict, verdict);
    }
  });

  test('is early only for as long as it is, and asked about later it is valid', () => {
    const world = new World();
    const made = maker.block(maker.start, [], { timestamp: startOfTime + limits.maxClockAheadMs + 500 });
    world.validate(made);
    const result = world.verdict(0);
    assert.ok(result?.verdict === 'early');
    assert.equal(result.aheadMs, limits.maxClockAheadMs + 500);
    assert.deepEqual(
      result.chain.map(({ blockHash }) => blockHash),
      [made.hash],
    );
    world.answers.length = 0;
    world.time.run(500);
    world.validate(made);
    assert.equal(world.verdict(0)?.verdict, 'valid');
  });

  test('is never early one millisecond after its parent, however far ahead the chain is of the clock', () => {
    const world = new World();
    // All clocks were an hour ahead when this block became final.
    const final = maker.block(maker.start, [], { timestamp: startOfTime + 3_600_000 });
    world.chain.add(final.block, { stored: true });
    assert.equal(world.chain.judge(final.hash).verdict, 'valid');
    const candidate = defined(world.chain.get(final.hash), 'the block');
    assert.ok(candidate.outcome.name === 'valid');
    world.chain.advance(candidate, candidate.outcome.execution);
    const next = (ahead: number): string | undefined => {
      world.answers.length = 0;
      world.validate(maker.block(final, [], { timestamp: final.header.timestamp + ahead }));
      return world.verdict(0)?.verdict;
    };
    assert.equal(next(1), 'valid');
    assert.equal(next(2), 'early');
  });

  test('nor are several in a row, each a millisecond after the one below', () => {
    const world = new World();
    const final = maker.block(maker.start, [], { timestamp: startOfTime + 3_600_000 });
    world.chain.add(final.block, { stored: true });
    assert.equal(world.chain.judge(final.hash).verdict, 'valid');
    const candidate = defined(world.chain.get(final.hash), 'the block');
    assert.ok(candidate.outcome.name === 'valid');
    world.chain.advance(candidate, candidate.outcome.execution);
    const first = maker.block(final, [], { timestamp: final.header.timestamp + 1 });
    const second = maker.block(first, [], { timestamp: final.header.timestamp + 2 });
    world.servers.set('peer-1', holderOf(first, second));
    world.validate(second);
    assert.equal(world.verdict()?.verdict, 'valid');
  });

  test('is early on an early block: a millisecond counts from a block that may stand', () => {
    const world = new World();
    const below = maker.block(maker.start, [], { timestamp: startOfTime + 3_600_000 });
    const above = maker.block(below, [], { timestamp: below.header.timestamp + 1 });
    world.servers.set('peer-1', holderOf(below, above));
    world.validate(above);
    assert.equal(world.verdict()?.verdict, 'early');
  });

  test('may have any later timestamp where clocks are trusted', () => {
    const world = new World({ proposerClockBinds: true });
    world.validate(maker.block(maker.start, [], { timestamp: startOfTime + 3_600_000 }));
    assert.equal(world.verdict(0)?.verdict, 'valid');
  });

  test('that nobody can complete is unavailable in the end', () => {
    const world = new World();
    const made = maker.block(maker.start, [transfer(0)]);
    for (const name of ['peer-1', 'peer-2', 'peer-3', 'peer-4']) world.servers.set(name, () => 'silence');
    world.validate(made);
    assert.equal(world.verdict()?.verdict, 'unavailable');
    assert.ok(world.time.now <= limits.validateDeadlineMs);
    assert.ok(world.asked.length <= limits.fetchParallel, 'not everybody is asked at once');
  });

  test('asked again while it is looked at is answered once; asked again later, it is tried again', () => {
    const world = new World();
    const made = maker.block(maker.start, [transfer(0)]);
    world.validate(made);
    world.validate(made);
    assert.equal(world.verdict()?.verdict, 'unavailable');
    world.servers.set('peer-1', holderOf(made));
    world.answers.length = 0;
    world.validate(made);
    assert.equal(world.verdict()?.verdict, 'valid');
  });
});

describe('one check', () => {
  test('has its own time: neither the end of an earlier one nor what comes late for that answers it', () => {
    const world = new World();
    const made = maker.block(maker.start, [transfer(0)]);
    world.hold(transfer(0));
    world.validate(made);
    assert.equal(world.verdict()?.verdict, 'valid');
    // It was let go, nobody has the transaction any more, and it is asked for again shortly before the first check would have ended.
    world.time.run(limits.validateDeadlineMs - 1_000);
    world.chain.forget([made.hash]);
    world.mempool.clear();
    world.answers.length = 0;
    for (const name of ['peer-1', 'peer-2']) world.servers.set(name, () => 'silence');
    world.validate(made);
    world.time.run(3_000);
    assert.deepEqual(world.answers, []);
    assert.equal(world.verdict()?.verdict, 'unavailable');
    world.time.run(60_000);
    assert.equal(world.answers.length, 1);
  });
});

describe('what is to be obtained', () => {
  test('is brought once, and all who asked are told, also those who ask again later', () => {
    const world = new World();
    const made = maker.block(maker.start, [transfer(0)]);
    world.servers.set('peer-1', holderOf(made));
    const results: string[] = [];
    const ask = (who: string): void =>
      world.bodies.obtain({ hash: made.hash, proposal: null, holders: [] }, (result) => {
        results.push(`${who}: ${result instanceof Problem ? result.code : result}`);
      });
    ask('first');
    ask('second');
    world.time.run(1_000);
    assert.deepEqual(results, ['first: here', 'second: here']);
    assert.equal(world.asked.length, 1);
    ask('third');
    assert.deepEqual(results.at(-1), 'third: here');
    assert.equal(world.asked.length, 1, 'what is here is fetched from nobody');
    world.chain.forget([made.hash]);
    ask('fourth');
    world.time.run(1_000);
    assert.deepEqual(results.at(-1), 'fourth: here');
    assert.equal(world.asked.length, 2);
  });

  test('is the block that was named, whatever proposal comes with the name', () => {
    const world = new World();
    const [named, other] = [maker.block(maker.start, [transfer(0)]), maker.block(maker.start, [])];
    let result: unknown;
    world.bodies.obtain({ hash: named.hash, proposal: proposalOf(other.block), holders: [] }, (answer) => {
      result = answer;
    });
    world.time.run(1_000);
    assert.ok(result instanceof Problem && result.code === 'block/other-header');
    assert.equal(world.chain.get(named.hash), undefined);
  });
});

describe('validating a block of which only the hash is known', () => {
  test('fetches it and its ancestors down to the final block', () => {
    const world = new World();
    const run = maker.run(5, (height) => [transfer(height - 1)]);
    const tip = run.at(-1) as Made;
    world.servers.set('peer-1', holderOf(...run));
    world.validate(tip, { withProposal: false });
    const result = world.verdict();
    assert.ok(result?.verdict === 'valid');
    assert.deepEqual(
      result.chain.map(({ blockHash }) => blockHash),
      run.map(({ hash }) => hash),
    );
  });

  test('executes its ancestors one in each turn of the loop', () => {
    const world = new World();
    const run = maker.run(6, (height) => [transfer(height - 1)]);
    for (const { block } of run) world.chain.add(block, { stored: false });
    world.validate(run.at(-1) as Made, { withProposal: false });
    assert.deepEqual(executedByTurn(world, run), [1, 2, 3, 4, 5, 6]);
    assert.equal(world.verdict(0)?.verdict, 'valid');
  });

  test('and so those of several that waited for the same', () => {
    const world = new World();
    const run = maker.run(6, (height) => [transfer(height - 1)]);
    world.hold(...run.slice(1).flatMap(({ block }) => block.transactions));
    world.servers.set('peer-1', holderOf(...run));
    for (const made of run) world.validate(made);
    assert.deepEqual(executedByTurn(world, run), [0, 1, 2, 3, 4, 5, 6]);
    assert.deepEqual(
      world.answers.map(({ blockHash, result }) => [blockHash, result.verdict]),
      run.map(({ hash }) => [hash, 'valid']),
    );
  });

  test('takes no block for another, and blames who served it', () => {
    const world = new World();
    const [a, b] = [maker.block(maker.start, [transfer(0)]), maker.block(maker.start)];
    world.servers.set('peer-1', () => encodeBlock(b.block));
    world.servers.set('peer-2', () => encodeBlock({ ...a.block, transactions: [] }));
    world.servers.set('peer-3', holderOf(a));
    world.validate(a, { withProposal: false });
    assert.equal(world.verdict()?.verdict, 'valid');
    assert.equal(world.penalties.length, 2);
  });

  test('checks the signatures in fetched blocks, each of them', () => {
    for (const transactions of [[unsigned(0)], [transfer(0), unsigned(1), transfer(2)]]) {
      const world = new World();
      const made = maker.block(maker.start, transactions);
      world.servers.set('peer-1', holderOf(made));
      world.validate(made, { withProposal: false });
      assert.equal(world.verdict()?.verdict, 'invalid');
    }
  });

  test('walks down a whole window, however wide a genesis file made it, above blocks that wait for the disk', () => {
    const world = new World();
    const run = maker.run(limits.maxPbftWindow + limits.pbftUnstored);
    world.servers.set('peer-1', holderOf(...run));
    world.validate(run.at(-1) as Made, { withProposal: false });
    assert.equal(world.verdict()?.verdict, 'valid');
  });

  test('does not walk further down than is sensible', () => {
    const world = new World();
    const run = maker.run(limits.ancestorWalk + 1);
    world.servers.set('peer-1', holderOf(...run));
    world.validate(run.at(-1) as Made, { withProposal: false });
    assert.equal(world.verdict(0)?.verdict, 'unavailable');
    assert.deepEqual(world.asked, []);
  });

  test('of a branch that another final block ruled out is invalid', () => {
    const world = new World();
    const a = maker.block(maker.start, [transfer(0)]);
    const rival = maker.block(maker.start);
    const onRival = maker.block(rival);
    world.chain.add(a.block, { stored: false });
    assert.equal(world.chain.judge(a.hash).verdict, 'valid');
    const candidate = world.chain.get(a.hash);
    assert.ok(candidate?.outcome.name === 'valid');
    world.chain.advance(candidate, candidate.outcome.execution);
    world.servers.set('peer-1', holderOf(rival, onRival));
    world.validate(onRival, { withProposal: false });
    assert.equal(world.verdict()?.verdict, 'invalid');
    world.answers.length = 0;
    world.validate(rival, { withProposal: false });
    assert.equal(world.verdict()?.verdict, 'invalid');
    world.answers.length = 0;
    world.validate(a, { withProposal: false });
    assert.deepEqual(world.verdict(), { verdict: 'valid', chain: [] }, 'the final block itself is valid');
  });

  test('whose parent becomes final while it is fetched is valid all the same', () => {
    const world = new World();
    const [a, b] = maker.run(2, (height) => [transfer(height - 1)]) as [Made, Made];
    world.chain.add(b.block, { stored: false });
    world.servers.set('peer-1', holderOf(a));
    world.validate(b);
    assert.equal(world.asked.length, 1);
    const { height } = a.header;
    world.chain.install({ height, hash: a.hash, header: a.header, state: a.state });
    const result = world.verdict();
    assert.deepEqual(result?.verdict === 'valid' && result.chain.map(({ blockHash }) => blockHash), [b.hash]);
  });

  test('that names a parent from below the final block is invalid, and that parent is fetched once', () => {
    const world = new World();
    const rival = maker.block(maker.start, [], { timestamp: startOfTime + 3 });
    const far = maker.block(rival, [], { height: toHeight(4) });
    const { header, hash, state } = maker.run(2)[1] as Made;
    world.chain.install({ height: header.height, hash, header, state });
    world.servers.set('peer-1', holderOf(rival, far));
    world.validate(far, { withProposal: false });
    assert.equal(world.verdict()?.verdict, 'invalid');
    assert.equal(world.asked.length, 2);
  });

  test('from below a snapshot can be judged no more', () => {
    const world = new World();
    const run = maker.run(3);
    const { header, hash, state } = run[2] as Made;
    world.chain.install({ height: header.height, hash, header, state });
    world.validate(run[1] as Made);
    assert.equal(world.verdict()?.verdict, 'unavailable');
  });
});
