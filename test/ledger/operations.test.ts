import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { utf8 } from '../../src/base/bytes.ts';
import { limits } from '../../src/base/limits.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { sha256Hex, zeroHash } from '../../src/crypto/hash.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { hasRoom } from '../../src/ledger/block-body.ts';
import type { Condition } from '../../src/ledger/condition.ts';
import {
  encodeParameters,
  noParameters,
  parametersStateKey,
  widestLimits,
} from '../../src/ledger/chain-parameters.ts';
import { buildBlock } from '../../src/ledger/block-building.ts';
import { type Execution, executeBlock } from '../../src/ledger/execution.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import type { Receipt } from '../../src/ledger/receipt.ts';
import { State } from '../../src/ledger/state.ts';
import type { Transaction } from '../../src/ledger/transaction.ts';
import { contextAt, execute, keyOf, type Order, proposer, put, stateWith, transaction } from './samples.ts';

const pay = (to: string, amount: bigint): Operation => ({
  type: 'transfer',
  to: keyOf(to),
  amount,
  memo: '',
});
const write = (key: string, value = 'x'): Operation => ({ type: 'put', key, value: utf8(value) });
const wipe = (key: string): Operation => ({ type: 'delete', key });
const give = (key: string, to: string): Operation => ({ type: 'give', key, to: keyOf(to) });
const setKeys = (names: readonly string[], threshold: number, force = false): Operation => ({
  type: 'set-keys',
  keys: names.map(keyOf).toSorted(),
  threshold,
  force,
});
const start = stateWith({ alice: 100n, bob: 100n });

function only({ receipts }: Execution): Receipt {
  const [receipt] = receipts;
  assert.ok(receipts.length === 1 && receipt !== undefined);
  return receipt;
}

const run = (order: Order, ...operations: readonly Operation[]): Execution =>
  execute(start, [transaction(order, ...operations)]);

describe('several operations', () => {
  test('happen in their order, each on what those before it did', () => {
    const done = run(
      { from: 'alice', nonce: 0, fee: 1n },
      write('a', 'one'),
      write('a', 'two'),
      give('a', 'bob'),
      pay('bob', 9n),
      pay('carol', 90n),
    );
    const receipt = only(done);
    assert.equal(receipt.status, 'applied');
    const { state } = done;
    assert.deepEqual(state.record('a')?.owner, keyOf('bob'));
    assert.deepEqual(state.record('a')?.value, utf8('two'));
    assert.equal(state.record('a')?.version, 3);
    assert.equal(state.account(keyOf('alice')).balance, 0n);
    assert.deepEqual(receipt.accounts, [
      { publicKey: keyOf('alice'), balance: 0n, held: 0n },
      { publicKey: keyOf('bob'), balance: 109n, held: 0n },
      { publicKey: keyOf('carol'), balance: 90n, held: 0n },
    ]);
    const place = (operation: number) => ({ height: 1, transaction: 0, operation });
    assert.deepEqual(receipt.records, [
      { operation: 0, version: 1, previous: undefined },
      { operation: 1, version: 2, previous: place(0) },
      { operation: 2, version: 3, previous: place(1) },
    ]);
  });

  test('happen all or none: one that fails leaves only fee and nonce, and is named', () => {
    const done = run(
      { from: 'alice', nonce: 0, fee: 1n },
      write('a'),
      pay('bob', 50n),
      setKeys(['alice', 'bob'], 1),
      pay('carol', 50n),
      write('b'),
    );
    const receipt = only(done);
    assert.deepEqual(receipt, {
      transactionHash: receipt.transactionHash,
      status: 'failed',
      code: 'transaction/insufficient-balance',
      failure: { part: 'operation', index: 3, found: { type: 'balance', balance: 49n } },
      fee: 1n,
      accounts: [{ publicKey: keyOf('alice'), balance: 99n, held: 0n }],
      records: [],
      changes: [],
    });
    assert.equal(done.state.recordEntry('a'), undefined);
    assert.deepEqual(done.state.account(keyOf('alice')), {
      balance: 99n,
      nonce: 1,
      held: 0n,
      keys: undefined,
    });
    assert.deepEqual(done.state.account(keyOf('bob')), start.account(keyOf('bob')));
  });

  test('of a failed transaction leave nothing for those after it in the block', () => {
    const { receipts, state } = execute(start, [
      transaction({ from: 'alice', nonce: 0 }, write('a'), wipe('nothing')),
      transaction({ from: 'bob', nonce: 0 }, write('a')),
    ]);
    assert.deepEqual(
      receipts.map(({ code }) => code),
      ['transaction/no-such-record', ''],
    );
    assert.equal(state.record('a')?.owner, keyOf('bob'));
    assert.equal(state.record('a')?.version, 1);
  });

  test('fill a block: what would be one too many does not fit', () => {
    const { maxOperations, maxBlockOperations } = limits;
    const full = maxBlockOperations / maxOperations;
    const operations = Array.from({ length: maxOperations }, () => wipe('n'));
    const transactions = Array.from({ length: full }, (_, nonce) =>
      transaction({ from: 'alice', nonce, fee: 0n }, ...operations),
    );
    const more = transaction({ from: 'bob', nonce: 0 }, wipe('n'));
    assert.equal(execute(start, transactions).receipts.length, full);
    const refused = executeBlock(start, contextAt(1), [...transactions, more]);
    assert.ok(refused instanceof Problem && refused.code === 'block/oversize');
    const room = { maxCount: limits.maxBlockTransactions, maxBytes: limits.maxBlockBytes };
    assert.equal(buildBlock(start, contextAt(1), [...transactions, more], room).transactions.length, full);
    assert.ok(
      !hasRoom(transactions, widestLimits),
      'one with all operations that it may have would not have fitted',
    );
    assert.ok(hasRoom(transactions.slice(1), widestLimits));
  });
});

describe('conditions', () => {
  const { state } = execute(start, [put({ from: 'alice', nonce: 0, fee: 0n }, 'deed', 'v1')]);
  const hash = sha256Hex(utf8('v1'));
  const key = 'deed';
  const bob = keyOf('bob');
  const none = { type: 'version', version: 0 } as const;
  const cases: readonly [Condition, Receipt['failure']][] = [
    [{ type: 'record-version', key, version: 1 }, undefined],
    [{ type: 'record-version', key, version: 2 }, at({ type: 'version', version: 1 })],
    [{ type: 'record-version', key: 'no', version: 1 }, at(none)],
    [{ type: 'record-absent', key: 'no' }, undefined],
    [{ type: 'record-absent', key }, at({ type: 'version', version: 1 })],
    [{ type: 'record-exists', key }, undefined],
    [{ type: 'record-exists', key: 'no' }, at(none)],
    [{ type: 'record-hash', key, hash }, undefined],
    [{ type: 'record-hash', key, hash: zeroHash }, at({ type: 'hash', hash })],
    [{ type: 'record-hash', key: 'no', hash }, at(none)],
    [{ type: 'balance-at-least', account: bob, amount: 100n }, undefined],
    [{ type: 'balance-at-least', account: bob, amount: 101n }, at({ type: 'balance', balance: 100n })],
    [{ type: 'height-at-most', height: toHeight(2) }, undefined],
    [{ type: 'height-at-most', height: toHeight(1) }, at({ type: 'height', height: toHeight(2) })],
  ];

  function at(found: NonNullable<Receipt['failure']>['found']): Receipt['failure'] {
    return { part: 'condition', index: 1, found };
  }

  for (const [condition, failure] of cases) {
    const { type, ...fields } = condition;
    const values = Object.values(fields).map((value) => String(value).slice(0, 6));
    test(`${type} ${values.join(' ')} ${failure === undefined ? 'holds' : 'fails'}`, () => {
      const always = { type: 'record-exists', key } as const;
      const order = { from: 'alice', nonce: 1, conditions: [always, condition] };
      const receipt = only(execute(state, [transaction(order, write('out'))], 2));
      assert.equal(receipt.code, failure === undefined ? '' : `condition/${type}`);
      assert.deepEqual(receipt.failure, failure);
    });
  }

  test('are judged before the first operation, on what the block did so far, after the fee', () => {
    const conditions: Condition[] = [
      { type: 'record-absent', key: 'new' },
      { type: 'balance-at-least', account: keyOf('alice'), amount: 95n },
    ];
    const make = (nonce: number, fee: bigint): Transaction =>
      transaction({ from: 'alice', nonce, fee, conditions }, write('new'), wipe('new'));
    const { receipts } = execute(state, [make(1, 5n), make(2, 1n)], 2);
    assert.deepEqual(
      receipts.map(({ code }) => code),
      ['', 'condition/balance-at-least'],
    );
  });

  test('go by what stands there by now: before a change, after it, and after one that was undone', () => {
    const hashIs = (value: string): Condition => ({ type: 'record-hash', key, hash: sha256Hex(utf8(value)) });
    const versionIs = (version: number): Condition => ({ type: 'record-version', key, version });
    const bobs = { from: 'bob', fee: 0n };
    const { receipts } = execute(
      state,
      [
        transaction({ ...bobs, nonce: 0, conditions: [hashIs('v1'), versionIs(1)] }, write('b')),
        transaction({ from: 'alice', nonce: 1 }, write(key, 'v2')),
        transaction({ ...bobs, nonce: 1, conditions: [hashIs('v2'), versionIs(2)] }, write('b')),
        transaction({ from: 'alice', nonce: 2 }, write(key, 'v3'), pay('bob', 1_000n)),
        transaction({ ...bobs, nonce: 2, conditions: [hashIs('v2'), versionIs(2)] }, write('b')),
        transaction({ from: 'alice', nonce: 3 }, wipe(key)),
        transaction({ ...bobs, nonce: 3, conditions: [hashIs('v2')] }, write('b')),
        transaction({ ...bobs, nonce: 4, conditions: [versionIs(2)] }, write('b')),
      ],
      2,
    );
    assert.deepEqual(
      receipts.map(({ code }) => code),
      [
        '',
        '',
        '',
        'transaction/insufficient-balance',
        '',
        '',
        'condition/record-hash',
        'condition/record-version',
      ],
    );
  });

  test('read a record once for a block, however many ask: they are free', (context) => {
    const asked: readonly Condition[] = Array.from({ length: limits.maxConditions }, (_, index) =>
      index % 2 === 0 ? { type: 'record-hash', key, hash } : { type: 'record-version', key, version: 1 },
    );
    const list = Array.from({ length: 20 }, (_, nonce) =>
      transaction({ from: 'bob', nonce, conditions: asked }, pay('alice', 1n)),
    );
    const values = context.mock.method(State.prototype, 'recordEntry');
    const versions = context.mock.method(State.prototype, 'recordVersion');
    const done = unwrap(executeBlock(state, contextAt(2), list));
    assert.ok(done.receipts.every(({ status }) => status === 'applied'));
    assert.deepEqual([versions.mock.callCount(), values.mock.callCount()], [1, 1]);
  });

  test('a deleted record is absent, whatever its version', () => {
    const gone = execute(state, [transaction({ from: 'alice', nonce: 1 }, wipe(key))], 2).state;
    const absent: Condition = { type: 'record-absent', key };
    const second: Condition = { type: 'record-version', key, version: 2 };
    const codeOf = (condition: Condition): string =>
      only(execute(gone, [transaction({ from: 'bob', nonce: 0, conditions: [condition] }, write('b'))], 3))
        .code;
    assert.equal(codeOf(absent), '');
    assert.equal(codeOf(second), 'condition/record-version');
  });
});

describe('a record', () => {
  test('goes on counting after its deletion, and its versions form a chain back to the first', () => {
    const steps: readonly [string, Operation][] = [
      ['alice', write('k', '1')],
      ['alice', wipe('k')],
      ['bob', write('k', '2')],
      ['bob', give('k', 'alice')],
    ];
    let state = start;
    const made = new Map<string, Receipt>();
    for (const [index, [from, operation]] of steps.entries()) {
      const { nonce } = state.account(keyOf(from));
      const done = execute(state, [transaction({ from, nonce, fee: 0n }, operation)], index + 1);
      ({ state } = done);
      made.set(`${index + 1}`, only(done));
    }
    const last = state.record('k');
    assert.equal(last?.version, 4);
    assert.equal(last.owner, keyOf('alice'));
    const versions: number[] = [];
    for (let place = state.recordEntry('k')?.changed; place !== undefined;) {
      const effect = made.get(`${place.height}`)?.records[place.operation];
      assert.ok(effect);
      versions.push(effect.version);
      place = effect.previous;
    }
    assert.deepEqual(versions, [4, 3, 2, 1]);
  });

  test('is given by its owner only', () => {
    const { state } = execute(start, [put({ from: 'alice', nonce: 0 }, 'deed', 'v1')]);
    const codeOf = (from: string, nonce: number, operation: Operation): string =>
      only(execute(state, [transaction({ from, nonce }, operation)], 2)).code;
    assert.equal(codeOf('bob', 0, give('deed', 'bob')), 'transaction/not-owner');
    assert.equal(codeOf('bob', 0, give('no', 'bob')), 'transaction/no-such-record');
  });
});

describe('the keys of an account', () => {
  const rotated = (names: readonly string[], threshold: number): State =>
    execute(start, [transaction({ from: 'alice', nonce: 0, fee: 0n }, setKeys(names, threshold, true))])
      .state;
  const refusal = (state: State, order: Order, ...operations: readonly Operation[]): string => {
    const result = executeBlock(state, contextAt(2), [transaction(order, ...operations)]);
    return result instanceof Problem ? result.code : 'stands';
  };
  const hello = write('hello');

  test('are its own alone until they are set', () => {
    assert.equal(refusal(start, { from: 'alice', nonce: 0 }, hello), 'stands');
    for (const signers of [['bob'], ['alice', 'bob'], ['bob', 'carol']]) {
      const order = { from: 'alice', nonce: 0, signers };
      assert.equal(refusal(start, order, hello), 'transaction/wrong-signers', signers.join());
    }
  });

  test('are then those that were set: k of them, and nobody else', () => {
    const state = rotated(['a', 'b', 'c'], 2);
    const by = (...signers: string[]): string => refusal(state, { from: 'alice', nonce: 1, signers }, hello);
    assert.equal(by('a', 'b'), 'stands');
    assert.equal(by('a', 'b', 'c'), 'stands');
    assert.equal(by('a'), 'transaction/wrong-signers');
    assert.equal(by('alice'), 'transaction/wrong-signers', 'the old key is out');
    assert.equal(by('a', 'alice'), 'transaction/wrong-signers');
    assert.equal(by('a', 'b', 'alice'), 'transaction/wrong-signers', 'nobody besides them');
    assert.deepEqual(state.account(keyOf('alice')).keys, {
      keys: ['a', 'b', 'c'].map(keyOf).toSorted(),
      threshold: 2,
    });
  });

  test('may be the first one again, and then nothing is left of it', () => {
    const state = rotated(['a'], 1);
    const order = { from: 'alice', nonce: 1, signers: ['a', 'alice'] };
    const back = execute(state, [transaction(order, setKeys(['alice'], 1))], 2).state;
    assert.equal(back.account(keyOf('alice')).keys, undefined);
  });

  test('are looked up in the parent’s state: a change counts from the next block on', () => {
    const change = transaction({ from: 'alice', nonce: 0 }, setKeys(['a'], 1, true));
    const old = transaction({ from: 'alice', nonce: 1 }, hello);
    const fresh = transaction({ from: 'alice', nonce: 1, signers: ['a'] }, hello);
    assert.equal(execute(start, [change, old]).receipts.length, 2);
    const early = executeBlock(start, contextAt(1), [change, fresh]);
    assert.ok(early instanceof Problem && early.code === 'transaction/wrong-signers');
  });

  test('are set only when as many of the new ones as it takes signed too, unless it is forced', () => {
    const codeOf = (signers: readonly string[], operation: Operation): string =>
      only(execute(start, [transaction({ from: 'alice', nonce: 0, signers }, operation)])).code;
    assert.equal(codeOf(['alice'], setKeys(['a', 'b'], 1)), 'transaction/unproven-keys');
    assert.equal(codeOf(['alice', 'a'], setKeys(['a', 'b'], 2)), 'transaction/unproven-keys');
    assert.equal(codeOf(['alice', 'a'], setKeys(['a', 'b'], 1)), '');
    assert.equal(codeOf(['alice', 'a', 'b'], setKeys(['a', 'b'], 2)), '');
    assert.equal(codeOf(['alice'], setKeys(['alice', 'b'], 1)), '', 'one that signs already is proven');
    assert.equal(codeOf(['alice'], setKeys(['a', 'b'], 2, true)), '');
  });
});

describe('the fee floor', () => {
  const judge = (fee: bigint, order: Partial<Order>, ...operations: readonly Operation[]): string => {
    const dear = start.with([
      { key: parametersStateKey, value: encodeParameters({ ...noParameters, feePerOperation: 3n }) },
    ]);
    const result = executeBlock(dear, contextAt(1), [
      transaction({ from: 'alice', nonce: 0, fee, ...order }, ...operations),
    ]);
    return result instanceof Problem ? result.code : 'stands';
  };

  test('is for each operation, and for each signature after the first', () => {
    assert.equal(judge(3n, {}, write('a')), 'stands');
    assert.equal(judge(2n, {}, write('a')), 'transaction/fee-too-low');
    assert.equal(judge(6n, {}, write('a'), write('b')), 'stands');
    assert.equal(judge(5n, {}, write('a'), write('b')), 'transaction/fee-too-low');
    const both = { signers: ['alice', 'b'] };
    assert.equal(judge(6n, both, setKeys(['b'], 1)), 'stands');
    assert.equal(judge(5n, both, setKeys(['b'], 1)), 'transaction/fee-too-low');
  });
});

test('all fees reach the proposer, whatever the operations came to', () => {
  const { state } = execute(start, [
    transaction({ from: 'alice', nonce: 0, fee: 7n }, write('a'), wipe('no')),
    transaction({ from: 'bob', nonce: 0, fee: 5n }, pay('alice', 1n), write('b')),
  ]);
  assert.equal(state.account(proposer).balance, 12n);
  assert.equal(unwrap(executeBlock(start, contextAt(1), [])).receipts.length, 0);
});
