import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { blockWeight } from '../../../src/base/limit-relations.ts';
import { limits } from '../../../src/base/limits.ts';
import { defined } from '../../../src/base/invariant.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import { transactionBytes } from '../../../src/ledger/block-body.ts';
import { assembleTransaction, type Transaction } from '../../../src/ledger/transaction.ts';
import { validatorSet } from '../../../src/ledger/validators.ts';
import { Chain } from '../../../src/node/effects/chain.ts';
import { deciding } from '../chain-changes.ts';
import { ChainMaker, type Made } from '../chain-maker.ts';
import { signedTransaction, testGenesis } from '../cluster.ts';

const genesis = testGenesis(4);
const maker = new ChainMaker(genesis);
const transfer = (nonce: number) => signedTransaction(genesis, 'alice', { nonce });

function add(chain: Chain, ...blocks: readonly Made[]): void {
  for (const { block } of blocks) chain.add(block, { stored: false });
}

function finalise(chain: Chain, made: Made): void {
  assert.equal(chain.judge(made.hash).verdict, 'valid');
  const candidate = defined(chain.get(made.hash), 'the block');
  assert.equal(candidate.outcome.name, 'valid');
  if (candidate.outcome.name === 'valid') chain.advance(candidate, candidate.outcome.execution);
}

function verdictOf(chain: Chain, made: Made): string {
  const verdict = chain.judge(made.hash);
  return verdict.verdict === 'invalid' ? verdict.problem.code : verdict.verdict;
}

describe('the chain of candidates', () => {
  test('judges a block with all its ancestors, and lists them lowest first', () => {
    const [a, b, c] = maker.run(3, (height) => [transfer(height - 1)]) as [Made, Made, Made];
    const chain = maker.chain();
    add(chain, c, a, b);
    const verdict = chain.judge(c.hash);
    assert.ok(verdict.verdict === 'valid');
    assert.deepEqual(
      verdict.chain.map(({ blockHash }) => blockHash),
      [a.hash, b.hash, c.hash],
    );
    assert.deepEqual(verdict.chain[0]?.parentHash, maker.start.hash);
  });

  test('gives the memory of a state back when the next block is final, and of one that others share when they do', () => {
    const [a, b] = maker.run(2, (height) => [transfer(height - 1)]) as [Made, Made];
    const chain = maker.chain();
    add(chain, a, b);
    const { state } = chain.final;
    const shared = state.share();
    finalise(chain, a);
    assert.throws(() => [...state.entries()], /released/);
    assert.ok([...shared.entries()].length > 0);
    const after = chain.final.state;
    finalise(chain, b);
    assert.throws(() => [...after.entries()], /released/);
  });

  test('names the ancestor that is missing', () => {
    const [, b, c] = maker.run(3) as [Made, Made, Made];
    const chain = maker.chain();
    add(chain, c);
    assert.deepEqual(chain.judge(c.hash), { verdict: 'missing', hash: b.hash });
  });

  test('refuses wrong roots, a wrong place, an old timestamp, other validators', () => {
    const wrong: [Partial<Made['header']>, string][] = [
      [{ stateRoot: 'ab'.repeat(32) as Hash }, 'block/execution'],
      [{ receiptsRoot: 'ab'.repeat(32) as Hash }, 'block/execution'],
      [{ height: 2 as never }, 'block/height'],
      [{ timestamp: maker.start.header.timestamp }, 'block/timestamp'],
      [{ validatorsHash: 'ab'.repeat(32) as Hash }, 'block/validators'],
      [{ nextValidatorsHash: 'ab'.repeat(32) as Hash }, 'block/execution'],
    ];
    for (const [change, code] of wrong) {
      const chain = maker.chain();
      const made = maker.block(maker.start, [], change);
      add(chain, made);
      assert.equal(verdictOf(chain, made), code);
    }
  });

  test('takes the next validators from what a block does, and from nothing else', () => {
    const validators = genesis.validators.map(({ publicKey }) => publicKey).toReversed();
    const three = deciding(genesis, { type: 'validators', validators }, 3);
    const before = maker.block(maker.start, three.slice(0, 2));
    assert.equal(before.header.nextValidatorsHash, before.header.validatorsHash);
    const change = maker.block(before, three.slice(2));
    assert.equal(change.header.nextValidatorsHash, validatorSet(validators).hash);
    assert.equal(change.header.validatorsHash, before.header.validatorsHash);
    const after = maker.block(change);
    assert.equal(after.header.validatorsHash, validatorSet(validators).hash);
    const chain = maker.chain();
    add(chain, before, change, after);
    assert.equal(verdictOf(chain, after), 'valid');
    const silent = maker.block(before, three.slice(2), {
      nextValidatorsHash: before.header.validatorsHash,
    });
    add(chain, silent);
    assert.equal(verdictOf(chain, silent), 'block/execution');
  });

  test('neither executes nor builds on what is of a protocol version that it does not know', () => {
    const toNext = { type: 'protocol-version', version: 2, height: toHeight(4) } as const;
    const made = maker.run(5, (height) => (height === 1 ? deciding(genesis, toNext, 3, toHeight(2)) : []));
    assert.deepEqual(
      made.map(({ header }) => header.protocolVersion),
      [1, 1, 1, 2, 2],
    );
    const [, , third, fourth, fifth] = made as [Made, Made, Made, Made, Made];
    const old = new Chain({ genesis, final: maker.start, newestProtocolVersion: 1 });
    const newer = new Chain({ genesis, final: maker.start, newestProtocolVersion: 2 });
    add(old, ...made);
    add(newer, ...made);
    assert.equal(verdictOf(old, third), 'valid');
    assert.deepEqual(old.judge(fifth.hash), { verdict: 'unknown-version', version: 2 });
    assert.equal(old.base(third.hash), undefined);
    assert.equal(verdictOf(newer, fifth), 'valid');
    assert.equal(newer.base(third.hash)?.header.height, 3);
    const wrong = maker.block(third, [], { protocolVersion: 1 });
    add(newer, wrong);
    assert.equal(verdictOf(newer, wrong), 'block/execution');
    assert.equal(verdictOf(newer, fourth), 'valid');
  });

  test('refuses a block whose transactions may not stand in it', () => {
    const chain = maker.chain();
    const made = maker.block(maker.start, [transfer(0)]);
    const repeated = { header: made.header, transactions: [transfer(0), transfer(0)] };
    chain.add(repeated, { stored: false });
    assert.equal(verdictOf(chain, made), 'transaction/duplicate');
  });

  test('what extends an invalid block is invalid', () => {
    const chain = maker.chain();
    const bad = maker.block(maker.start, [], { stateRoot: 'ab'.repeat(32) as Hash });
    const child = maker.block({ header: bad.header, state: bad.state });
    add(chain, bad, child);
    assert.equal(verdictOf(chain, child), 'block/execution');
  });

  test('keeps the branches that can still become final, and forgets the others', () => {
    const chain = maker.chain();
    const a = maker.block(maker.start, [transfer(0)]);
    const b = maker.block(maker.start, [], { view: toView(1) });
    const [a2, b2] = [maker.block(a), maker.block(b)];
    const [a3, b3] = [maker.block(a2), maker.block(b2)];
    add(chain, a, b, a2, b2, a3, b3);
    finalise(chain, a);
    assert.deepEqual(
      [a, b, a2, b2, a3, b3].map(({ hash }) => chain.get(hash) !== undefined),
      [false, false, true, false, true, false],
    );
    assert.equal(chain.final.hash, a.hash);
    assert.equal(chain.final.state.root, a.header.stateRoot);
    assert.equal(verdictOf(chain, a3), 'valid');
  });

  test('keeps a block above a gap until the gap is closed', () => {
    const chain = maker.chain();
    const [a, b, c] = maker.run(3) as [Made, Made, Made];
    add(chain, a, c);
    finalise(chain, a);
    assert.ok(chain.get(c.hash));
    add(chain, b);
    assert.equal(verdictOf(chain, c), 'valid');
  });

  test('lists what is stored and ruled out, and never lets it or the final block be stored again', () => {
    const chain = maker.chain();
    const a = maker.block(maker.start, [transfer(0)]);
    const b = maker.block(maker.start);
    chain.add(a.block, { stored: false });
    chain.add(b.block, { stored: true });
    assert.equal(verdictOf(chain, a), 'valid');
    assert.deepEqual(chain.retire([defined(chain.get(a.hash), 'a')]), [b.hash]);
    assert.equal(chain.get(a.hash)?.stored, true);
  });

  test('keeps no block at or below the final height; a stored one of those is cleared away with the next commit', () => {
    const chain = maker.chain();
    const [a, b] = maker.run(2) as [Made, Made];
    const rival = maker.block(maker.start, [], { view: toView(1) });
    add(chain, a, b);
    finalise(chain, a);
    chain.add(rival.block, { stored: true });
    assert.equal(chain.get(rival.hash), undefined);
    assert.equal(verdictOf(chain, b), 'valid');
    assert.deepEqual(chain.retire([defined(chain.get(b.hash), 'b')]), [rival.hash]);
  });

  test('goes on from blocks that changed nothing when a snapshot takes the place of those below them', () => {
    const [first, second, third] = maker.run(3, () => []) as [Made, Made, Made];
    const fourth = maker.block(third, [transfer(0)]);
    const chain = maker.chain();
    add(chain, first, second, third);
    assert.equal(chain.judge(third.hash).verdict, 'valid');
    const { header, hash, state } = first;
    chain.install({ height: header.height, hash, header, state });
    finalise(chain, second);
    finalise(chain, third);
    add(chain, fourth);
    assert.equal(chain.judge(fourth.hash).verdict, 'valid');
  });

  test('holds a bounded number of blocks, and gives up the oldest that are not on disk', () => {
    const chain = maker.chain();
    const blocks = Array.from({ length: limits.candidateBlocks + 3 }, (_, view) =>
      maker.block(maker.start, [], { view: toView(view) }),
    );
    const [first, ...rest] = blocks as [Made, ...Made[]];
    chain.add(first.block, { stored: true });
    add(chain, ...rest);
    assert.equal(chain.size, limits.candidateBlocks + 1);
    assert.ok(chain.get(first.hash), 'it is on disk, so something relies on it');
    assert.equal(chain.get(defined(rest[0], 'the oldest of the others').hash), undefined);
    assert.ok(chain.get(defined(rest.at(-1), 'the newest').hash));
  });

  test('holds as many that are not on disk beside however many that are: an engine bounds those', () => {
    const chain = maker.chain();
    for (let view = 0; view < limits.candidateBlocks; view++) {
      chain.add(maker.block(maker.start, [], { view: toView(view) }).block, { stored: true });
    }
    const run = maker.run(limits.maxPbftWindow, (height) => [transfer(height - 1)]);
    add(chain, ...run);
    assert.equal(chain.judge((run.at(-1) as Made).hash).verdict, 'valid');
  });

  test('holds blocks that are not on disk within what they may take in memory, too', () => {
    const chain = maker.chain();
    const transactions = Array<Transaction>(limits.maxBlockTransactions).fill(transfer(0));
    const weight = blockWeight(transactionBytes(transactions), transactions.length);
    const most = Math.floor(limits.candidateBytes / weight);
    const { block } = maker.block(maker.start);
    const blocks = Array.from({ length: most + 2 }, (_, view) => ({
      header: { ...block.header, view: toView(view) },
      transactions,
    }));
    const hashes = blocks.map((each) => chain.add(each, { stored: false }));
    assert.equal(chain.size, most);
    assert.deepEqual(hashes.map((hash) => chain.get(hash) !== undefined).indexOf(true), 2, 'the oldest went');
    const stored = chain.add({ header: block.header, transactions }, { stored: true });
    assert.ok(
      chain.get(stored) !== undefined && chain.size === most + 1,
      'what is on disk is counted by the engine',
    );
  });

  test('holds a window of the largest blocks and a competing one, however wide: a view may have to start with it', () => {
    const { maxPbftWindow, maxBlockBytes, maxBlockTransactions } = limits;
    const { signatures, hash: _h, bytes: _b, ...body } = transfer(0);
    const value = new Uint8Array(limits.maxRecordValueBytes);
    const operations = Array.from({ length: 7 }, () => ({ type: 'put' as const, key: 'k', value }));
    const large = assembleTransaction({ ...body, operations }, signatures);
    const transactions = Array<Transaction>(Math.floor(maxBlockBytes / large.bytes.length)).fill(large);
    const inFlightBytes = maxPbftWindow * blockWeight(maxBlockBytes, maxBlockTransactions);
    const chain = new Chain({ genesis, final: maker.start, inFlightBytes });
    const { block } = maker.block(maker.start);
    for (let view = 0; view < 2 * maxPbftWindow; view++) {
      chain.add({ header: { ...block.header, view: toView(view) }, transactions }, { stored: false });
    }
    assert.equal(chain.size, 2 * maxPbftWindow);
  });

  test('gives the base for a child of a valid block only', () => {
    const chain = maker.chain();
    const good = maker.block(maker.start, [transfer(0)]);
    const bad = maker.block(maker.start, [], { stateRoot: 'ab'.repeat(32) as Hash });
    add(chain, good, bad);
    assert.equal(chain.base(maker.start.hash)?.state.root, maker.start.state.root);
    assert.equal(chain.base(good.hash)?.state.root, good.header.stateRoot);
    assert.equal(chain.base(bad.hash), undefined);
    assert.equal(chain.base('cd'.repeat(32) as Hash), undefined);
  });
});
