import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { toHex, utf8 } from '../../src/base/bytes.ts';
import { limits } from '../../src/base/limits.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import type { PublicKey } from '../../src/crypto/signature.ts';
import { buildBlock, executeBlock } from '../../src/ledger/execution.ts';
import { receiptsRootOf } from '../../src/ledger/receipt.ts';
import { accountKind } from '../../src/ledger/state-entry.ts';
import { State } from '../../src/ledger/state.ts';
import type { Payload, Transaction } from '../../src/ledger/transaction.ts';
import { contextAt, hashOf, keyOf, type Order, proposer, stateWith, transaction } from './samples.ts';

const names = ['alice', 'bob', 'carol', 'proposer'];
const recordKeys = ['deed', 'note', 'log'];
const person = fc.constantFrom(...names);
const recordKey = fc.constantFrom(...recordKeys);

const payload: fc.Arbitrary<Payload> = fc.oneof(
  fc.record({
    type: fc.constant('transfer' as const),
    to: fc.constantFrom(...names, 'newcomer').map(keyOf),
    amount: fc.bigInt(1n, 60n),
    memo: fc.constant(''),
  }),
  fc.record({
    type: fc.constant('put' as const),
    key: recordKey,
    value: fc.constantFrom('a', 'b', '').map(utf8),
  }),
  fc.record({ type: fc.constant('delete' as const), key: recordKey }),
);

/** Mostly the right nonce, height and chain, and now and then a wrong one. `step` is added to the sender's next nonce. */
interface Draft {
  readonly from: string;
  readonly step: number;
  readonly fee: bigint;
  readonly expiry: number;
  readonly foreign: boolean;
  readonly payload: Payload;
}

const draft: fc.Arbitrary<Draft> = fc.record({
  from: person,
  step: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(-1, 1) }),
  fee: fc.bigInt(0n, 15n),
  expiry: fc.oneof(
    { weight: 30, arbitrary: fc.constant(50) },
    { weight: 1, arbitrary: fc.constantFrom(1, 200_000) },
  ),
  foreign: fc.oneof(
    { weight: 40, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
  payload,
});

/** Transactions from drafts, with nonces that count up as if every earlier one of the sender had been taken. */
function write(drafts: readonly Draft[], nonces: ReadonlyMap<string, number> = new Map()): Transaction[] {
  const next = new Map(nonces);
  return drafts.map(({ from, step, fee, expiry, foreign, payload }) => {
    const nonce = Math.max(0, (next.get(from) ?? 0) + step);
    next.set(from, nonce + 1);
    const order: Order = { from, nonce, fee, expiry, ...(foreign ? { chain: hashOf('foreign') } : {}) };
    return transaction(order, payload);
  });
}

const start = { alice: 100n, bob: 80n, carol: 60n, proposer: 5n };

/** The rules again, as plainly as can be: accounts and records in maps, no tree, no overlay, no batch. */
class PlainLedger {
  readonly balances = new Map<PublicKey, bigint>(
    Object.entries(start).map(([name, balance]) => [keyOf(name), balance]),
  );
  readonly nonces = new Map<PublicKey, number>();
  readonly records = new Map<string, { owner: PublicKey; value: string }>();

  run(transactions: readonly Transaction[], height: number): string[] | undefined {
    let fees = 0n;
    const outcomes: string[] = [];
    for (const tx of transactions) {
      const balance = this.balances.get(tx.sender) ?? 0n;
      const fresh = tx.expiryHeight >= height && tx.expiryHeight - height <= limits.maxExpiryAhead;
      if (tx.chainId !== hashOf('chain') || !fresh) return undefined;
      if (tx.nonce !== (this.nonces.get(tx.sender) ?? 0) || balance < tx.fee) return undefined;
      this.balances.set(tx.sender, balance - tx.fee);
      this.nonces.set(tx.sender, tx.nonce + 1);
      fees += tx.fee;
      outcomes.push(this.perform(tx));
    }
    this.balances.set(proposer, (this.balances.get(proposer) ?? 0n) + fees);
    return outcomes;
  }

  private perform({ sender, payload }: Transaction): string {
    if (payload.type === 'transfer') {
      const balance = this.balances.get(sender) ?? 0n;
      if (balance < payload.amount) return 'transaction/insufficient-balance';
      this.balances.set(sender, balance - payload.amount);
      this.balances.set(payload.to, (this.balances.get(payload.to) ?? 0n) + payload.amount);
      return '';
    }
    const record = this.records.get(payload.key);
    if (record === undefined && payload.type === 'delete') return 'transaction/no-such-record';
    if (record !== undefined && record.owner !== sender) return 'transaction/not-owner';
    if (payload.type === 'delete') this.records.delete(payload.key);
    else this.records.set(payload.key, { owner: sender, value: toHex(payload.value) });
    return '';
  }
}

function totalOf(state: State): bigint {
  let total = 0n;
  for (const [key] of state.entries()) {
    if (key[0] === accountKind) total += state.account(toHex(key.slice(1)) as PublicKey).balance;
  }
  return total;
}

const room = { maxCount: limits.maxBlockTransactions, maxBytes: limits.maxBlockBytes };
const supply = Object.values(start).reduce((sum, balance) => sum + balance, 0n);

test('execution does what the plain rules say, block after block, and conserves every coin', () => {
  const seen = new Map<string, number>();
  const count = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1);
  fc.assert(
    fc.property(fc.array(fc.array(draft, { maxLength: 12 }), { maxLength: 5 }), (blocks) => {
      const model = new PlainLedger();
      let state = stateWith(start);
      for (const [index, drafts] of blocks.entries()) {
        const height = index + 2;
        const nonces = new Map(names.map((name) => [name, state.account(keyOf(name)).nonce]));
        const transactions = write(drafts, nonces);
        const result = executeBlock(state, contextAt(height), transactions);
        const expected = model.run(transactions, height);
        if (result instanceof Problem) {
          count(result.code);
          assert.equal(expected, undefined);
          return;
        }
        assert.deepEqual(
          result.receipts.map((receipt) => receipt.code),
          expected,
        );
        for (const { code } of result.receipts) count(code);
        assert.deepEqual(
          result.receipts.map((receipt) => receipt.fee),
          transactions.map((tx) => tx.fee),
        );
        state = result.state;
        assert.equal(totalOf(state), supply);
        for (const name of [...names, 'newcomer']) {
          const account = {
            balance: model.balances.get(keyOf(name)) ?? 0n,
            nonce: model.nonces.get(keyOf(name)) ?? 0,
          };
          assert.deepEqual(state.account(keyOf(name)), account);
        }
        for (const key of recordKeys) {
          const record = state.record(key);
          const plain =
            record === undefined ? undefined : { owner: record.owner, value: toHex(record.value) };
          assert.deepEqual(plain, model.records.get(key));
        }
      }
    }),
    { seed: 41, numRuns: 600 },
  );
  const wanted = [
    '',
    'transaction/insufficient-balance',
    'transaction/not-owner',
    'transaction/no-such-record',
    'transaction/wrong-chain',
    'transaction/nonce-used',
    'transaction/nonce-gap',
    'transaction/expired',
    'transaction/expiry-too-far',
    'transaction/fee-not-payable',
  ];
  for (const what of wanted) assert.ok((seen.get(what) ?? 0) > 0, `"${what}" was exercised`);
});

test('what buildBlock makes, executeBlock accepts with exactly the same execution; what it skips, no block could hold there', () => {
  fc.assert(
    fc.property(fc.array(draft, { maxLength: 40 }), fc.integer({ min: 1, max: 30 }), (drafts, maxCount) => {
      const state = stateWith(start);
      const candidates = write(drafts);
      const built = buildBlock(state, contextAt(2), candidates, { ...room, maxCount });
      const executed = unwrap(executeBlock(state, contextAt(2), built.transactions));
      assert.equal(executed.state.root, built.execution.state.root);
      assert.deepEqual(executed.receipts, built.execution.receipts);
      assert.equal(executed.receiptsRoot, built.execution.receiptsRoot);
      assert.deepEqual(executed.changes, built.execution.changes);
      assert.ok(built.transactions.length <= maxCount);
      for (const skipped of built.skipped) {
        const before = candidates.slice(0, candidates.indexOf(skipped.transaction));
        const taken = before.filter((candidate) => built.transactions.includes(candidate));
        const problem = executeBlock(state, contextAt(2), [...taken, skipped.transaction]);
        assert.ok(problem instanceof Problem);
        assert.equal(problem.code, skipped.code);
      }
    }),
    { seed: 42, numRuns: 400 },
  );
});

test('changes written to a store and read back give the same state', () => {
  fc.assert(
    fc.property(fc.array(fc.array(draft, { maxLength: 10 }), { maxLength: 5 }), (blocks) => {
      let state = stateWith(start);
      const store = new Map([...state.entries()].map(([key, value]) => [toHex(key), [key, value] as const]));
      for (const [index, drafts] of blocks.entries()) {
        const nonces = new Map(names.map((name) => [name, state.account(keyOf(name)).nonce]));
        const before = state;
        const { execution } = buildBlock(before, contextAt(index + 2), write(drafts, nonces), room);
        state = execution.state;
        for (const { key, value } of execution.changes) {
          assert.notDeepEqual(before.get(key) ?? null, value, 'a change changes something');
          if (value === null) assert.ok(store.delete(toHex(key)));
          else store.set(toHex(key), [key, value]);
        }
        assert.equal(State.fromEntries(store.values()).root, state.root);
      }
    }),
    { seed: 43, numRuns: 200 },
  );
});

test('execution is a function: it changes neither its parent state nor its answer', () => {
  fc.assert(
    fc.property(fc.array(draft, { maxLength: 20 }), (drafts) => {
      const state = stateWith(start);
      const root = state.root;
      const first = buildBlock(state, contextAt(2), write(drafts), room);
      const second = buildBlock(state, contextAt(2), write(drafts), room);
      assert.equal(first.execution.state.root, second.execution.state.root);
      assert.equal(first.execution.receiptsRoot, receiptsRootOf(second.execution.receipts));
      assert.equal(State.fromEntries(state.entries()).root, root);
    }),
    { seed: 44, numRuns: 100 },
  );
});

test('thousands of candidates become a block in little time', (t) => {
  const people = Array.from({ length: 1_000 }, (_, i) => `person ${i}`);
  const state = stateWith(Object.fromEntries(people.map((name) => [name, 1_000n])));
  void state.root;
  const candidates = people.flatMap((from, i) =>
    [0, 1, 2, 3].map((nonce) =>
      transaction(
        { from, nonce },
        { type: 'transfer', to: keyOf(people[(i * 7 + nonce) % 1_000] as string), amount: 2n, memo: '' },
      ),
    ),
  );
  const begin = performance.now();
  const built = buildBlock(state, contextAt(1), candidates, room);
  void built.execution.state.root;
  const took = performance.now() - begin;
  assert.equal(built.transactions.length, 4_000);
  t.diagnostic(`4,000 transfers: ${took.toFixed(1)} ms`);
  // Far above what a busy machine needs: catches work that grows with the square, not a neighbour.
  assert.ok(took < 6_000, `took ${took} ms`);
});
