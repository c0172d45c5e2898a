import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { listed } from './changes.ts';
import { toHex, utf8 } from '../../src/base/bytes.ts';
import { unwrap } from '../../src/base/problem.ts';
import { executeBlock } from '../../src/ledger/execution.ts';
import { namespaceModes } from '../../src/ledger/namespace.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import { State } from '../../src/ledger/state.ts';
import { executePlainly } from '../../src/simulator/checkers/plain-ledger.ts';
import { plainReceiptsRoot, plainStateRoot } from '../../src/simulator/checkers/plain-roots.ts';
import { contextAt, hashOf, keyOf, plainWith, stateWith, transaction } from './samples.ts';

const names = ['alice', 'bob', 'carol'];
const spaces = ['shop', 'yard', 'deed'];
const person = fc.constantFrom(...names);
const recordKey = fc.constantFrom(
  'deed',
  'shop',
  'shop/1',
  'shop/2',
  'shop/3',
  'yard/deed',
  'deed/a/b',
  'none/1',
);
const writers = fc
  .uniqueArray(person, { minLength: 1, maxLength: 3 })
  .map((people) => people.map(keyOf).toSorted());
const mode = fc.constantFrom(...namespaceModes);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 4,
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
    weight: 2,
    arbitrary: fc.record({ name: fc.constantFrom(...spaces), mode, writers }).map((fields): Operation => ({
      type: 'open-namespace',
      ...fields,
      writers: fields.mode === 'open' ? [] : fields.writers,
    })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        name: fc.constantFrom(...spaces),
        owner: maybe(person.map(keyOf)),
        mode: maybe(mode),
        writers: maybe(fc.oneof(writers, fc.constant([]))),
      })
      .filter(
        (change) => change.owner !== undefined || change.mode !== undefined || change.writers !== undefined,
      )
      .map((change): Operation => {
        // A mode and writers that do not fit each other are no operation at all.
        const { mode: wanted, writers: given } = change;
        const fits =
          wanted === undefined || given === undefined || (wanted === 'open') === (given.length === 0);
        return { type: 'set-namespace', ...change, ...(!fits && { writers: undefined }) };
      }),
  },
);

/** Who does what; what fails does nothing else. */
const step = fc.record({
  from: person,
  operations: fc.oneof(
    { weight: 3, arbitrary: fc.tuple(operation) },
    { weight: 1, arbitrary: fc.array(operation, { minLength: 2, maxLength: 4 }) },
  ),
});

test('namespaces do what the plain rules say, in random programs, and their trees are those of a restart', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(fc.array(step, { maxLength: 10 }), { maxLength: 5 }), (blocks) => {
      const start = Object.fromEntries(names.map((name) => [name, 1_000n]));
      let state = stateWith(start);
      let plain = plainWith(start);
      const store = new Map([...state.entries()].map(([key, value]) => [toHex(key), [key, value] as const]));
      for (const [index, steps] of blocks.entries()) {
        const context = contextAt(index + 1);
        const nonces = new Map(names.map((name) => [name, state.account(keyOf(name)).nonce]));
        const transactions = steps.map(({ from, operations }) => {
          const nonce = nonces.get(from) ?? 0;
          nonces.set(from, nonce + 1);
          return transaction({ from, nonce }, ...operations);
        });
        const before = state;
        const done = unwrap(executeBlock(before, context, transactions));
        const expected = executePlainly(plain, context, { chainId: hashOf('chain') }, transactions);
        if (typeof expected === 'string') assert.fail(expected);
        assert.deepEqual(
          done.receipts.map(({ code }) => code),
          expected.receipts.map(({ failed }) => failed?.code ?? ''),
        );
        assert.equal(done.receiptsRoot, plainReceiptsRoot(expected.receipts));
        for (const { code } of done.receipts) seen.add(code);
        ({ state } = done);
        plain = expected.state;
        assert.equal(state.root, plainStateRoot(plain));
        for (const { key, value } of listed(done.changes)) {
          assert.notDeepEqual(before.get(key) ?? null, value, 'a change changes something');
          if (value === null) assert.ok(store.delete(toHex(key)));
          else store.set(toHex(key), [key, value]);
        }
        // In the order of the store's keys, in that of a snapshot, and in that in which they came.
        const inOrder = [...store].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
        assert.equal(State.fromEntries(inOrder).root, state.root);
        assert.equal(State.fromEntries(state.entries()).root, state.root);
        assert.equal(State.fromEntries(store.values()).root, state.root);
        if (before !== state) before.release();
      }
    }),
    { seed: 45, numRuns: 300 },
  );
  const wanted = [
    '',
    'transaction/not-owner',
    'transaction/no-such-record',
    'transaction/no-such-namespace',
    'transaction/namespace-taken',
    'transaction/not-namespace-owner',
    'transaction/not-writer',
    'transaction/append-only',
    'transaction/namespace-writers',
  ];
  assert.deepEqual(
    wanted.filter((code) => !seen.has(code)),
    [],
    'all of it was exercised',
  );
});
