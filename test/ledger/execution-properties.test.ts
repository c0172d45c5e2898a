import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { listed } from './changes.ts';
import { toHex, utf8 } from '../../src/base/bytes.ts';
import { limits } from '../../src/base/limits.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { type Hash, sha256Hex } from '../../src/crypto/hash.ts';
import type { PublicKey } from '../../src/crypto/signature.ts';
import { toHeight } from '../../src/ledger/block.ts';
import type { ChainChange } from '../../src/ledger/chain-change.ts';
import { scheduledChange } from '../../src/ledger/chain-parameters.ts';
import type { Condition } from '../../src/ledger/condition.ts';
import { buildBlock } from '../../src/ledger/block-building.ts';
import { executeBlock, nextValidatorsOf } from '../../src/ledger/execution.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import { failureCodes } from '../../src/ledger/failure-codes.ts';
import { receiptsRootOf } from '../../src/ledger/receipt.ts';
import { accountKind } from '../../src/ledger/state-entry.ts';
import { validatorSet } from '../../src/ledger/validators.ts';
import { State } from '../../src/ledger/state.ts';
import type { Transaction } from '../../src/ledger/transaction.ts';
import { executePlainly } from '../../src/simulator/checkers/plain-ledger.ts';
import { reservationsWrong } from '../../src/simulator/checkers/plain-reservations.ts';
import {
  plainReceiptsRoot,
  type PlainState,
  plainStateRoot,
} from '../../src/simulator/checkers/plain-roots.ts';
import { contextAt, hashOf, keyOf, type Order, plainWith, stateWith, transaction } from './samples.ts';

const names = ['alice', 'bob', 'carol', 'proposer'];
const start = { alice: 100n, bob: 80n, carol: 60n, proposer: 5n };
const founders = { validators: ['alice', 'bob', 'carol'].map(keyOf) };
/** A key that somebody can hold. */
const somebody = developmentKeyPair('carol').publicKey;
/** The set in force after this state. */
const setIn = ({ parameters }: State): Hash => {
  const coming = scheduledChange(parameters, 'validators');
  return validatorSet(coming?.change.validators ?? parameters.validators).hash;
};
const contextOn = (state: State, height: number) => contextAt(height, { validatorsHash: setIn(state) });
const recordKeys = ['deed', 'note', 'log'];
const person = fc.constantFrom(...names);
const recordKey = fc.constantFrom(...recordKeys);

const later = fc.constantFrom(undefined, 2, 5, 9, 12).map((height) => height && toHeight(height));
const change: fc.Arbitrary<ChainChange> = fc.oneof(
  fc.record({
    type: fc.constant('validators' as const),
    validators: fc.array(fc.constantFrom(...names.map(keyOf), somebody), { maxLength: 4 }),
  }),
  fc.record({
    type: fc.constant('protocol-version' as const),
    version: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 3, max: 12 }).map(toHeight),
  }),
  fc.record({
    type: fc.constant('fee-floor' as const),
    feePerOperation: fc.constantFrom(0n, 1n, 2n, 3n, 1_000n),
    height: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: later }),
  }),
  fc.record({
    type: fc.constant('limits' as const),
    limits: fc.record({
      maxTransactions: fc.constantFrom(0, 2, 1_024),
      maxOperations: fc.constantFrom(2_048, 256),
      maxBytes: fc.constantFrom(2 * 1024 * 1024, 32_768),
    }),
    height: later,
  }),
);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('transfer' as const),
      to: fc.constantFrom(...names, 'newcomer').map(keyOf),
      amount: fc.bigInt(1n, 60n),
      memo: fc.constant(''),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('put' as const),
      key: recordKey,
      value: fc.constantFrom('a', 'b', '').map(utf8),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), key: recordKey }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('give' as const), key: recordKey, to: person.map(keyOf) }),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ people: fc.uniqueArray(person, { minLength: 1, maxLength: 3 }), force: fc.boolean() })
      .map(({ people, force }): Operation => {
        const keys = people.map(keyOf).toSorted();
        return { type: 'set-keys', keys, threshold: people.length > 1 ? 2 : 1, force };
      }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('reserve' as const),
      to: person.map(keyOf),
      amount: fc.bigInt(1n, 60n),
      expiryHeight: fc
        .oneof(
          { weight: 20, arbitrary: fc.integer({ min: 1, max: 5 }) },
          { weight: 1, arbitrary: fc.constant(200_000) },
        )
        .map(toHeight),
      memo: fc.constant(''),
    }),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        reservation: fc.record({
          sender: person.map(keyOf),
          nonce: fc.nat({ max: 2 }),
          operation: fc.constantFrom(0, 0, 0, 1),
        }),
        taken: fc.option(fc.bigInt(1n, 40n)),
      })
      .map(({ reservation, taken }): Operation =>
        taken === null ? { type: 'void', reservation } : { type: 'post', reservation, amount: taken },
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ change, expiry: fc.constantFrom(0, 3, 4, 4, 4, 9), stale: fc.nat(9), replaces: fc.boolean() })
      .map(({ change: proposed, expiry, stale, replaces }): Operation => ({
        type: 'propose-change',
        change: proposed,
        expiryHeight: toHeight(expiry === 9 ? 200_000 : expiry),
        // `write` puts the set in force in the place of the other.
        validatorsHash: hashOf(stale === 0 ? 'stale' : 'in force'),
        members: new Uint8Array(),
        replaces,
      })),
  },
  {
    weight: 5,
    // `write` names one that is there.
    arbitrary: fc.nat(2).map((index) => ({ type: 'approve-change' as const, proposal: hashOf(`${index}`) })),
  },
);

const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({
    type: fc.constantFrom('record-absent' as const, 'record-exists' as const),
    key: recordKey,
  }),
  fc.record({
    type: fc.constant('record-version' as const),
    key: recordKey,
    version: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({
    type: fc.constant('record-hash' as const),
    key: recordKey,
    hash: fc.constantFrom('a', 'b', '').map((text) => sha256Hex(utf8(text))),
  }),
  fc.record({
    type: fc.constant('balance-at-least' as const),
    account: person.map(keyOf),
    amount: fc.bigInt(0n, 90n),
  }),
  fc.record({
    type: fc.constant('time-at-most' as const),
    time: fc.integer({ min: 1_000, max: 9_000 }),
  }),
  fc.record({
    type: fc.constant('height-at-most' as const),
    height: fc.integer({ min: 1, max: 9 }).map(toHeight),
  }),
);

/** Mostly the right nonce, height and chain, and now and then a wrong one. `step` is added to the sender's next nonce. */
interface Draft {
  readonly from: string;
  readonly step: number;
  readonly fee: bigint;
  readonly expiry: number;
  readonly foreign: boolean;
  readonly operations: readonly Operation[];
  readonly conditions: readonly Condition[];
  readonly signers: readonly string[] | undefined;
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
  operations: fc.oneof(
    { weight: 3, arbitrary: fc.tuple(operation) },
    { weight: 2, arbitrary: fc.array(operation, { minLength: 2, maxLength: 5 }) },
  ),
  conditions: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(condition, { minLength: 1, maxLength: 2 }) },
  ),
  signers: fc.oneof(
    { weight: 6, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.uniqueArray(person, { minLength: 1, maxLength: 3 }) },
  ),
});

/** Transactions from drafts, with nonces that count up as if every earlier one of the sender had been taken. */
function write(
  drafts: readonly Draft[],
  nonces: ReadonlyMap<string, number> = new Map(),
  state = stateWith(start, founders),
): Transaction[] {
  const there = state.proposalNames.map(({ id }) => id);
  const named = (one: Operation): Operation => {
    if (one.type === 'approve-change') {
      return {
        ...one,
        proposal: there.find((_, index) => one.proposal === hashOf(`${index}`)) ?? one.proposal,
      };
    }
    return one.type === 'propose-change' && one.validatorsHash === hashOf('in force')
      ? { ...one, validatorsHash: setIn(state) }
      : one;
  };
  const next = new Map(nonces);
  return drafts.map(({ from, step, fee, expiry, foreign, operations, conditions, signers }) => {
    const nonce = Math.max(0, (next.get(from) ?? 0) + step);
    next.set(from, nonce + 1);
    const order: Order = {
      from,
      nonce,
      fee,
      expiry,
      conditions,
      ...(signers !== undefined && { signers }),
      ...(foreign ? { chain: hashOf('foreign') } : {}),
    };
    return transaction(order, ...operations.map(named));
  });
}

const plainStart = plainWith(start, founders);

function totalOf(state: State): bigint {
  let total = 0n;
  for (const [key] of state.entries()) {
    if (key[0] !== accountKind) continue;
    const { balance, held } = state.account(toHex(key.slice(1)) as PublicKey);
    total += balance + held;
  }
  return total;
}

const rare: readonly string[] = [
  'change/members',
  'change/members-changing',
  'change/decided',
  'change/already-approved',
];
const room = { maxCount: limits.maxBlockTransactions, maxBytes: limits.maxBlockBytes };
const supply = Object.values(start).reduce((sum, balance) => sum + balance, 0n);

test('execution does what the plain rules say, block after block, and conserves every coin', () => {
  const seen = new Map<string, number>();
  const count = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1);
  fc.assert(
    fc.property(
      fc.array(fc.array(draft, { maxLength: 12 }), { maxLength: 5 }),
      fc.bigInt(0n, 2n),
      fc.constantFrom(1, 2),
      (blocks, feePerOperation, protocolVersion) => {
        let plain: PlainState = {
          ...plainStart,
          chain: { ...plainStart.chain, fee: feePerOperation, version: protocolVersion },
        };
        let state = stateWith(start, { ...founders, feePerOperation, protocolVersion });
        const rules = { chainId: hashOf('chain') };
        for (const [index, drafts] of blocks.entries()) {
          const context = contextOn(state, index + 2);
          const nonces = new Map(names.map((name) => [name, state.account(keyOf(name)).nonce]));
          const candidates = write(drafts, nonces, state);
          const whole = executeBlock(state, context, candidates);
          const wholePlainly = executePlainly(plain, context, rules, candidates);
          assert.equal(whole instanceof Problem, typeof wholePlainly === 'string');
          if (whole instanceof Problem) count(whole.code);
          // Those that may stand, in any case: few random blocks are valid as a whole.
          const { transactions, skipped } = buildBlock(state, context, candidates, room);
          for (const { code } of skipped) count(code);
          const result = unwrap(executeBlock(state, context, transactions));
          const expected = executePlainly(plain, context, rules, transactions);
          if (typeof expected === 'string') assert.fail(expected);
          assert.deepEqual(
            result.receipts.map(({ code }) => code),
            expected.receipts.map(({ failed }) => failed?.code ?? ''),
          );
          for (const { code } of result.receipts) count(code);
          assert.equal(result.receiptsRoot, plainReceiptsRoot(expected.receipts));
          ({ state } = result);
          assert.equal(nextValidatorsOf(result)?.hash, setIn(state));
          plain = expected.state;
          assert.equal(state.root, plainStateRoot(plain));
          assert.equal(totalOf(state), supply);
          assert.equal(reservationsWrong(plain, context.height), undefined);
        }
      },
    ),
    { seed: 41, numRuns: 800 },
  );
  const wanted = [
    '',
    'transaction/insufficient-balance',
    'transaction/not-owner',
    'transaction/no-such-record',
    'transaction/unproven-keys',
    'transaction/reservation-past',
    'transaction/reservation-too-far',
    'transaction/no-such-reservation',
    'transaction/not-recipient',
    'condition/record-version',
    'condition/record-absent',
    'condition/record-exists',
    'condition/record-hash',
    'condition/balance-at-least',
    'condition/height-at-most',
    'condition/time-at-most',
    'transaction/later-version',
    // The others take several steps that fit, and are told in `chain-changes.test.ts`.
    ...failureCodes.filter((code) => code.startsWith('change/') && !rare.includes(code)),
    'transaction/wrong-chain',
    'transaction/nonce-used',
    'transaction/nonce-gap',
    'transaction/expired',
    'transaction/expiry-too-far',
    'transaction/wrong-signers',
    'transaction/fee-too-low',
    'transaction/fee-not-payable',
  ];
  assert.deepEqual(
    wanted.filter((what) => !seen.has(what)),
    [],
    'all of it was exercised',
  );
});

test('what buildBlock makes, executeBlock accepts with exactly the same execution; what it skips, no block could hold there', () => {
  fc.assert(
    fc.property(fc.array(draft, { maxLength: 40 }), fc.integer({ min: 1, max: 30 }), (drafts, maxCount) => {
      const state = stateWith(start, founders);
      const candidates = write(drafts);
      const built = buildBlock(state, contextOn(state, 2), candidates, { ...room, maxCount });
      const executed = unwrap(executeBlock(state, contextOn(state, 2), built.transactions));
      assert.equal(executed.state.root, built.execution.state.root);
      assert.deepEqual(executed.receipts, built.execution.receipts);
      assert.equal(executed.receiptsRoot, built.execution.receiptsRoot);
      assert.deepEqual(listed(executed.changes), listed(built.execution.changes));
      assert.ok(built.transactions.length <= maxCount);
      for (const skipped of built.skipped) {
        const before = candidates.slice(0, candidates.indexOf(skipped.transaction));
        const taken = before.filter((candidate) => built.transactions.includes(candidate));
        const problem = executeBlock(state, contextOn(state, 2), [...taken, skipped.transaction]);
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
      let state = stateWith(start, founders);
      const store = new Map([...state.entries()].map(([key, value]) => [toHex(key), [key, value] as const]));
      for (const [index, drafts] of blocks.entries()) {
        const nonces = new Map(names.map((name) => [name, state.account(keyOf(name)).nonce]));
        const before = state;
        const { execution } = buildBlock(
          before,
          contextOn(before, index + 2),
          write(drafts, nonces, before),
          room,
        );
        state = execution.state;
        for (const { key, value } of listed(execution.changes)) {
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
      const state = stateWith(start, founders);
      const root = state.root;
      const first = buildBlock(state, contextOn(state, 2), write(drafts), room);
      const second = buildBlock(state, contextOn(state, 2), write(drafts), room);
      assert.equal(first.execution.state.root, second.execution.state.root);
      assert.equal(first.execution.receiptsRoot, receiptsRootOf(second.execution.receipts));
      assert.equal(State.fromEntries(state.entries()).root, root);
    }),
    { seed: 44, numRuns: 100 },
  );
});

test('a thousand candidates become a block in little time', (t) => {
  const people = Array.from({ length: 250 }, (_, i) => `person ${i}`);
  const state = stateWith(Object.fromEntries(people.map((name) => [name, 1_000n])));
  void state.root;
  const candidates = people.flatMap((from, i) =>
    [0, 1, 2, 3].map((nonce) =>
      transaction(
        { from, nonce },
        { type: 'transfer', to: keyOf(people[(i * 7 + nonce) % 250] as string), amount: 2n, memo: '' },
      ),
    ),
  );
  const begin = process.cpuUsage();
  const built = buildBlock(state, contextAt(1), candidates, room);
  void built.execution.state.root;
  const took = process.cpuUsage(begin).user / 1_000;
  assert.equal(built.transactions.length, 1_000);
  t.diagnostic(`1,000 transfers: ${took.toFixed(1)} ms`);
  // Processor time, far above what it needs: catches work that grows with the square, not a neighbour.
  assert.ok(took < 6_000, `took ${took} ms`);
});
