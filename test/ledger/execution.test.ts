import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { listed } from './changes.ts';
import { utf8 } from '../../src/base/bytes.ts';
import { limits } from '../../src/base/limits.ts';
import { Problem } from '../../src/base/problem.ts';
import type { Signature } from '../../src/crypto/signature.ts';
import { buildBlock } from '../../src/ledger/block-building.ts';
import { checkRoots, type Execution, executeBlock } from '../../src/ledger/execution.ts';
import { receiptsRootOf } from '../../src/ledger/receipt.ts';
import { validatorSet } from '../../src/ledger/validators.ts';
import { State } from '../../src/ledger/state.ts';
import { toHeight } from '../../src/ledger/block.ts';
import type { Transaction } from '../../src/ledger/transaction.ts';
import {
  contextAt,
  execute,
  hashOf,
  headerWith,
  keyOf,
  proposer,
  put,
  remove,
  stateWith,
  transfer,
} from './samples.ts';

const balanceOf = (execution: Execution, name: string): bigint =>
  execution.state.account(keyOf(name)).balance;
const codes = (execution: Execution): string[] =>
  execution.receipts.map((receipt) => receipt.code || 'applied');

const tiny = (nonce: number): Transaction => put({ from: 'alice', nonce, fee: 0n }, 'r', '');

const far = (expiry: number): Transaction => transfer({ from: 'alice', nonce: 0, expiry }, 'bob', 1n);

/** The code of the problem that makes a block of these invalid. */
function refusal(state: State, transactions: readonly Transaction[], height = 1): string {
  const result = executeBlock(state, contextAt(height), transactions);
  assert.ok(result instanceof Problem, 'the block is invalid');
  return result.code;
}

describe('transfers', () => {
  const state = stateWith({ alice: 100n, bob: 5n });

  test('move coins, count the nonce, and pay the proposer', () => {
    const result = execute(state, [transfer({ from: 'alice', nonce: 0, fee: 3n }, 'bob', 40n)]);
    assert.deepEqual(result.state.account(keyOf('alice')), {
      balance: 57n,
      nonce: 1,
      held: 0n,
      keys: undefined,
    });
    assert.deepEqual(result.state.account(keyOf('bob')), {
      balance: 45n,
      nonce: 0,
      held: 0n,
      keys: undefined,
    });
    assert.deepEqual(result.state.account(proposer), { balance: 3n, nonce: 0, held: 0n, keys: undefined });
    assert.deepEqual(codes(result), ['applied']);
  });

  test('to an account that never existed make it', () => {
    const result = execute(state, [transfer({ from: 'alice', nonce: 0 }, 'newcomer', 7n)]);
    assert.equal(balanceOf(result, 'newcomer'), 7n);
  });

  test('to oneself cost the fee only, and need the amount all the same', () => {
    const result = execute(state, [
      transfer({ from: 'alice', nonce: 0, fee: 2n }, 'alice', 98n),
      transfer({ from: 'alice', nonce: 1, fee: 2n }, 'alice', 98n),
    ]);
    assert.deepEqual(codes(result), ['applied', 'transaction/insufficient-balance']);
    assert.deepEqual(result.state.account(keyOf('alice')), {
      balance: 96n,
      nonce: 2,
      held: 0n,
      keys: undefined,
    });
  });

  test('may use up a balance exactly, and one more unit fails but pays', () => {
    const exact = execute(state, [transfer({ from: 'alice', nonce: 0, fee: 10n }, 'bob', 90n)]);
    assert.deepEqual(codes(exact), ['applied']);
    assert.deepEqual(exact.state.account(keyOf('alice')), {
      balance: 0n,
      nonce: 1,
      held: 0n,
      keys: undefined,
    });
    const over = execute(state, [transfer({ from: 'alice', nonce: 0, fee: 10n }, 'bob', 91n)]);
    assert.deepEqual(codes(over), ['transaction/insufficient-balance']);
    assert.deepEqual(over.state.account(keyOf('alice')), {
      balance: 90n,
      nonce: 1,
      held: 0n,
      keys: undefined,
    });
    assert.equal(balanceOf(over, 'bob'), 5n);
    assert.equal(over.state.account(proposer).balance, 10n);
  });

  test('see what earlier transactions of the block did', () => {
    const result = execute(state, [
      transfer({ from: 'alice', nonce: 0, fee: 0n }, 'bob', 100n),
      transfer({ from: 'bob', nonce: 0, fee: 0n }, 'carol', 105n),
      transfer({ from: 'carol', nonce: 0, fee: 5n }, 'alice', 100n),
    ]);
    assert.deepEqual(codes(result), ['applied', 'applied', 'applied']);
    assert.deepEqual(
      ['alice', 'bob', 'carol'].map((name) => balanceOf(result, name)),
      [100n, 0n, 0n],
    );
  });

  test('of one sender stand in a block with one nonce after the other', () => {
    const burst = Array.from({ length: 50 }, (_, nonce) => transfer({ from: 'alice', nonce }, 'bob', 1n));
    const result = execute(state, burst);
    assert.deepEqual(result.state.account(keyOf('alice')), {
      balance: 0n,
      nonce: 50,
      held: 0n,
      keys: undefined,
    });
  });
});

describe('fees', () => {
  test('of a block reach its proposer after the last transaction, so the proposer cannot spend them in it', () => {
    const state = stateWith({ proposer: 10n, alice: 10n });
    const result = execute(state, [
      transfer({ from: 'alice', nonce: 0, fee: 10n }, 'bob', 1n),
      transfer({ from: 'proposer', nonce: 0, fee: 4n }, 'bob', 7n),
      transfer({ from: 'proposer', nonce: 1, fee: 0n }, 'bob', 6n),
    ]);
    assert.deepEqual(codes(result), [
      'transaction/insufficient-balance',
      'transaction/insufficient-balance',
      'applied',
    ]);
    assert.deepEqual(result.state.account(proposer), { balance: 14n, nonce: 2, held: 0n, keys: undefined });
  });

  test('and a transfer reach a proposer that receives both', () => {
    const result = execute(stateWith({ alice: 10n }), [
      transfer({ from: 'alice', nonce: 0, fee: 4n }, 'proposer', 6n),
    ]);
    assert.deepEqual(result.state.account(proposer), { balance: 10n, nonce: 0, held: 0n, keys: undefined });
    assert.deepEqual(result.state.account(keyOf('alice')), {
      balance: 0n,
      nonce: 1,
      held: 0n,
      keys: undefined,
    });
  });

  test('may be zero, also from an account that has nothing; the proposer then gets no entry', () => {
    const result = execute(State.empty, [put({ from: 'poor', nonce: 0, fee: 0n }, 'note', 'hello')]);
    assert.deepEqual(codes(result), ['applied']);
    assert.deepEqual(result.state.account(keyOf('poor')), {
      balance: 0n,
      nonce: 1,
      held: 0n,
      keys: undefined,
    });
    assert.equal(result.changes.length, 2);
  });

  test('that take the whole balance are payable', () => {
    const result = execute(stateWith({ alice: 9n }), [put({ from: 'alice', nonce: 0, fee: 9n }, 'k', 'v')]);
    assert.deepEqual(codes(result), ['applied']);
    assert.equal(balanceOf(result, 'alice'), 0n);
  });
});

describe('records', () => {
  const state = execute(stateWith({ alice: 50n, bob: 50n }), [
    put({ from: 'alice', nonce: 0 }, 'deed', 'v1'),
  ]).state;

  test('belong to their first writer, who may write them again', () => {
    const result = execute(state, [put({ from: 'alice', nonce: 1 }, 'deed', 'v2')], 2);
    assert.deepEqual(result.state.record('deed'), {
      type: 'record',
      owner: keyOf('alice'),
      value: utf8('v2'),
      version: 2,
      changed: { height: 2, transaction: 0, operation: 0 },
      previous: { height: 1, transaction: 0, operation: 0 },
    });
  });

  test('of another can be neither written nor deleted: that fails and pays', () => {
    const result = execute(state, [
      put({ from: 'bob', nonce: 0, fee: 2n }, 'deed', 'mine'),
      remove({ from: 'bob', nonce: 1, fee: 2n }, 'deed'),
    ]);
    assert.deepEqual(codes(result), ['transaction/not-owner', 'transaction/not-owner']);
    assert.equal(result.state.record('deed')?.owner, keyOf('alice'));
    assert.deepEqual(result.state.account(keyOf('bob')), {
      balance: 46n,
      nonce: 2,
      held: 0n,
      keys: undefined,
    });
  });

  test('that do not exist cannot be deleted', () => {
    const result = execute(state, [remove({ from: 'bob', nonce: 0 }, 'nothing')]);
    assert.deepEqual(codes(result), ['transaction/no-such-record']);
  });

  test('once deleted are free for anybody, in the same block too', () => {
    const result = execute(state, [
      remove({ from: 'alice', nonce: 1 }, 'deed'),
      remove({ from: 'alice', nonce: 2 }, 'deed'),
      put({ from: 'bob', nonce: 0 }, 'deed', 'new'),
      put({ from: 'alice', nonce: 3 }, 'deed', 'late'),
    ]);
    assert.deepEqual(codes(result), [
      'applied',
      'transaction/no-such-record',
      'applied',
      'transaction/not-owner',
    ]);
    assert.equal(result.state.record('deed')?.owner, keyOf('bob'));
  });

  test('written and deleted in one block leave a tombstone, so that their history stays', () => {
    const result = execute(state, [
      put({ from: 'bob', nonce: 0, fee: 0n }, 'brief', 'x'),
      remove({ from: 'bob', nonce: 1, fee: 0n }, 'brief'),
    ]);
    assert.equal(result.state.record('brief'), undefined);
    assert.deepEqual(result.state.recordEntry('brief'), {
      type: 'tombstone',
      version: 2,
      changed: { height: 1, transaction: 1, operation: 0 },
      previous: { height: 1, transaction: 0, operation: 0 },
    });
  });

  test('hold values and keys up to the limit, and may be empty', () => {
    const largest = new Uint8Array(limits.maxRecordValueBytes).fill(7);
    const longest = 'k'.repeat(limits.maxRecordKeyBytes);
    const result = execute(state, [
      put({ from: 'bob', nonce: 0 }, longest, largest),
      put({ from: 'bob', nonce: 1 }, 'empty', ''),
    ]);
    assert.deepEqual(result.state.record(longest)?.value, largest);
    assert.deepEqual(result.state.record('empty')?.value, new Uint8Array(0));
    const above = new Uint8Array(limits.maxRecordValueBytes + 1);
    assert.throws(() => put({ from: 'bob', nonce: 0 }, 'k', above), { code: 'transaction/malformed' });
  });
});

describe('a block is invalid with a transaction that', () => {
  const state = stateWith({ alice: 100n });
  const good = transfer({ from: 'alice', nonce: 0 }, 'bob', 1n);

  test('is for another chain', () => {
    const foreign = transfer({ from: 'alice', nonce: 0, chain: hashOf('elsewhere') }, 'bob', 1n);
    assert.equal(refusal(state, [foreign]), 'transaction/wrong-chain');
  });

  test('has a nonce that was used', () => {
    const later = execute(state, [good]).state;
    assert.equal(refusal(later, [good], 2), 'transaction/nonce-used');
    const twin = transfer({ from: 'alice', nonce: 0 }, 'carol', 1n);
    assert.equal(refusal(state, [good, twin]), 'transaction/nonce-used');
  });

  test('leaves a nonce out', () => {
    assert.equal(refusal(state, [transfer({ from: 'alice', nonce: 1 }, 'bob', 1n)]), 'transaction/nonce-gap');
  });

  test('stands in it twice', () => {
    assert.equal(refusal(state, [good, good]), 'transaction/duplicate');
  });

  test('is the same but for its signature', () => {
    const again = transfer({ from: 'alice', nonce: 0, signature: 'cd'.repeat(64) as Signature }, 'bob', 1n);
    assert.equal(refusal(state, [good, again]), 'transaction/nonce-used');
  });

  test('has expired; at exactly its expiry height it has not', () => {
    const short = transfer({ from: 'alice', nonce: 0, expiry: 7 }, 'bob', 1n);
    assert.deepEqual(codes(execute(state, [short], 7)), ['applied']);
    assert.equal(refusal(state, [short], 8), 'transaction/expired');
  });

  test('expires too far ahead; at exactly the limit it does not', () => {
    assert.deepEqual(codes(execute(state, [far(3 + limits.maxExpiryAhead)], 3)), ['applied']);
    assert.equal(refusal(state, [far(4 + limits.maxExpiryAhead)], 3), 'transaction/expiry-too-far');
  });

  test('cannot pay its fee, even when its payload would fail anyway', () => {
    assert.equal(
      refusal(state, [transfer({ from: 'alice', nonce: 0, fee: 101n }, 'bob', 1n)]),
      'transaction/fee-not-payable',
    );
    assert.equal(refusal(state, [remove({ from: 'nobody', nonce: 0 }, 'x')]), 'transaction/fee-not-payable');
    const spent = [
      transfer({ from: 'alice', nonce: 0, fee: 0n }, 'bob', 100n),
      transfer({ from: 'alice', nonce: 1, fee: 1n }, 'bob', 1n),
    ];
    assert.equal(refusal(state, spent), 'transaction/fee-not-payable');
  });

  test('and the problem names it, its place and its sender', () => {
    const bad = transfer({ from: 'alice', nonce: 9 }, 'bob', 1n);
    const problem = executeBlock(state, contextAt(1), [good, bad]);
    assert.ok(problem instanceof Problem);
    assert.deepEqual(problem.details, {
      height: 1,
      index: 1,
      transactionHash: bad.hash,
      sender: keyOf('alice'),
    });
  });
});

describe('a block that holds too much is invalid', () => {
  const value = new Uint8Array(limits.maxRecordValueBytes);
  const large = (nonce: number): Transaction => put({ from: 'alice', nonce, fee: 0n }, `r${nonce}`, value);

  test('by bytes', () => {
    const size = large(0).bytes.length;
    const most = Math.floor(limits.maxBlockBytes / size);
    const many = Array.from({ length: most + 1 }, (_, nonce) => large(nonce));
    assert.ok(!(executeBlock(State.empty, contextAt(1), many.slice(0, most)) instanceof Problem));
    assert.equal(refusal(State.empty, many), 'block/oversize');
  });

  test('by count', () => {
    const many = Array.from({ length: limits.maxBlockTransactions + 1 }, (_, nonce) => tiny(nonce));
    assert.ok(!(executeBlock(State.empty, contextAt(1), many.slice(0, -1)) instanceof Problem));
    assert.equal(refusal(State.empty, many), 'block/oversize');
  });
});

test('a balance cannot outgrow 64 bits, because coins are never made: a state that holds more stops the program', () => {
  const impossible = stateWith({ alice: 2n ** 64n - 1n, bob: 1n });
  assert.throws(
    () => execute(impossible, [transfer({ from: 'bob', nonce: 0, fee: 0n }, 'alice', 1n)]),
    /broken invariant: all coins together fit/,
  );
});

test('an empty block changes nothing', () => {
  const state = stateWith({ alice: 1n });
  const result = execute(state, []);
  assert.equal(result.state, state);
  assert.deepEqual(listed(result.changes), []);
  assert.equal(result.receiptsRoot, receiptsRootOf([]));
});

test('changes hold each entry once, and none that ends as it began', () => {
  const state = execute(stateWith({ alice: 100n, bob: 9n }), [
    put({ from: 'alice', nonce: 0 }, 'deed', 'v1'),
  ]).state;
  const result = execute(
    state,
    [
      remove({ from: 'alice', nonce: 1, fee: 0n }, 'deed'),
      put({ from: 'alice', nonce: 2, fee: 0n }, 'deed', 'v1'),
      transfer({ from: 'alice', nonce: 3, fee: 0n }, 'bob', 1n),
      transfer({ from: 'bob', nonce: 0, fee: 0n }, 'alice', 1n),
    ],
    2,
  );
  const keys = listed(result.changes).map((change) => Buffer.from(change.key).toString('hex'));
  assert.deepEqual(
    new Set(keys),
    new Set([`01${keyOf('alice')}`, `01${keyOf('bob')}`, `02${Buffer.from('deed').toString('hex')}`]),
  );
  assert.equal(keys.length, 3);
});

test('a header must commit to what its transactions did', () => {
  const execution = execute(stateWith({ alice: 10n }), [transfer({ from: 'alice', nonce: 0 }, 'bob', 1n)]);
  const right = headerWith({ stateRoot: execution.state.root, receiptsRoot: execution.receiptsRoot });
  assert.equal(checkRoots(right, execution), undefined);
  for (const field of ['stateRoot', 'receiptsRoot'] as const) {
    const problem = checkRoots({ ...right, [field]: hashOf('other') }, execution);
    assert.equal(problem?.code, 'block/execution');
    assert.equal(problem?.details['claimed'], hashOf('other'));
  }
});

test('a header must name the rules by which its block was executed, and who agrees on the next one', () => {
  const validators = ['alice', 'bob'].map(keyOf);
  const execution = execute(stateWith({ alice: 10n }, { validators, protocolVersion: 2 }), []);
  const right = headerWith({
    stateRoot: execution.state.root,
    receiptsRoot: execution.receiptsRoot,
    protocolVersion: 2,
    nextValidatorsHash: validatorSet(validators).hash,
  });
  assert.equal(checkRoots(right, execution), undefined);
  for (const wrong of [
    { protocolVersion: 1 },
    { protocolVersion: 3 },
    { nextValidatorsHash: hashOf('other') },
    { nextValidatorsHash: validatorSet(validators.toReversed()).hash },
  ]) {
    assert.equal(checkRoots({ ...right, ...wrong }, execution)?.code, 'block/execution');
  }
  // In Raft the engine says who is next.
  const raft = execute(stateWith({ alice: 10n }), []);
  const { root: stateRoot } = raft.state;
  const led = headerWith({ stateRoot, receiptsRoot: raft.receiptsRoot, nextValidatorsHash: hashOf('any') });
  assert.equal(checkRoots(led, raft), undefined);
});

describe('building a block', () => {
  const state = stateWith({ alice: 100n, bob: 100n });
  const room = { maxCount: 1_000, maxBytes: limits.maxBlockBytes };

  test('says of each candidate why it was passed over, and ends the question when the block is full', () => {
    const said: unknown[] = [];
    let ended = false;
    function* candidates(): Generator<Transaction, void, unknown> {
      try {
        said.push(yield transfer({ from: 'alice', nonce: 0 }, 'bob', 1n));
        said.push(yield transfer({ from: 'bob', nonce: 7 }, 'carol', 1n));
        said.push(yield transfer({ from: 'alice', nonce: 1 }, 'bob', 1n));
        yield transfer({ from: 'alice', nonce: 2 }, 'bob', 1n);
      } finally {
        ended = true;
      }
    }
    const { transactions, isFull } = buildBlock(state, contextAt(2), candidates(), { ...room, maxCount: 2 });
    assert.deepEqual([transactions.length, isFull, ended], [2, true, true]);
    assert.deepEqual(said, [undefined, 'transaction/nonce-gap', undefined]);
  });

  test('passes over what may not stand in it, says why, and keeps what fails only in its payload', () => {
    const candidates = [
      transfer({ from: 'alice', nonce: 0 }, 'bob', 1n),
      transfer({ from: 'alice', nonce: 0 }, 'carol', 1n),
      transfer({ from: 'bob', nonce: 1 }, 'carol', 1n),
      transfer({ from: 'bob', nonce: 0, chain: hashOf('elsewhere') }, 'carol', 1n),
      transfer({ from: 'bob', nonce: 0, expiry: 1 }, 'carol', 1n),
      transfer({ from: 'bob', nonce: 0, expiry: 3 + limits.maxExpiryAhead }, 'carol', 1n),
      transfer({ from: 'pauper', nonce: 0 }, 'carol', 1n),
      remove({ from: 'bob', nonce: 0 }, 'nothing'),
      transfer({ from: 'alice', nonce: 0 }, 'bob', 1n),
    ];
    const built = buildBlock(state, contextAt(2), candidates, room);
    assert.deepEqual(built.transactions, [candidates[0], candidates[7]]);
    assert.deepEqual(codes(built.execution), ['applied', 'transaction/no-such-record']);
    assert.deepEqual(
      built.skipped.map(({ transaction, code }) => [candidates.indexOf(transaction), code]),
      [
        [1, 'transaction/nonce-used'],
        [2, 'transaction/nonce-gap'],
        [3, 'transaction/wrong-chain'],
        [4, 'transaction/expired'],
        [5, 'transaction/expiry-too-far'],
        [6, 'transaction/fee-not-payable'],
        [8, 'transaction/duplicate'],
      ],
    );
  });

  test('stops at the count and at the bytes, and says that more would have come', () => {
    let asked = 0;
    function* endless(): Generator<Transaction> {
      for (let nonce = 0; ; nonce++) {
        asked++;
        yield transfer({ from: 'alice', nonce, fee: 0n }, 'bob', 1n);
      }
    }
    const byCount = buildBlock(state, contextAt(1), endless(), { ...room, maxCount: 10 });
    assert.deepEqual([byCount.transactions.length, asked, byCount.isFull], [10, 11, true]);
    asked = 0;
    const size = transfer({ from: 'alice', nonce: 0, fee: 0n }, 'bob', 1n).bytes.length;
    const byBytes = buildBlock(state, contextAt(1), endless(), { ...room, maxBytes: size * 5 + 1 });
    assert.deepEqual([byBytes.transactions.length, asked, byBytes.isFull], [5, 6, true]);
    asked = 0;
    const none = buildBlock(state, contextAt(1), endless(), { ...room, maxCount: 0 });
    assert.deepEqual([none.transactions.length, asked, none.isFull], [0, 1, true]);
    const all = [transfer({ from: 'alice', nonce: 0, fee: 0n }, 'bob', 1n)];
    assert.deepEqual(buildBlock(state, contextAt(1), all, room).isFull, false);
  });

  test('never makes more than a valid block, whatever room is asked for', () => {
    const many = Array.from({ length: limits.maxBlockTransactions + 5 }, (_, nonce) =>
      put({ from: 'alice', nonce, fee: 0n }, 'r', ''),
    );
    const built = buildBlock(state, contextAt(1), many, { maxCount: 10 ** 9, maxBytes: 10 ** 9 });
    assert.equal(built.transactions.length, limits.maxBlockTransactions);
    assert.ok(!(executeBlock(state, contextAt(1), built.transactions) instanceof Problem));
  });
});

test('the height of the context, not of the parent, decides what has expired', () => {
  const state = stateWith({ alice: 10n });
  const late = transfer({ from: 'alice', nonce: 0, expiry: 5 }, 'bob', 1n);
  const result = executeBlock(state, { ...contextAt(1), height: toHeight(6) }, [late]);
  assert.ok(result instanceof Problem && result.code === 'transaction/expired');
});
