import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { utf8 } from '../../src/base/bytes.ts';
import { defined } from '../../src/base/invariant.ts';
import { unwrap } from '../../src/base/problem.ts';
import { type BlockHeader, toHeight } from '../../src/ledger/block.ts';
import { followVersions, type HistoryStep } from '../../src/ledger/history-proof.ts';
import { merkleProof } from '../../src/ledger/merkle.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import { hashReceipt, type Receipt } from '../../src/ledger/receipt.ts';
import type { State } from '../../src/ledger/state.ts';
import { recordEntryReading } from '../../src/ledger/state-reading.ts';
import type { Place } from '../../src/ledger/state-entry.ts';
import type { Transaction } from '../../src/ledger/transaction.ts';
import { execute, headerWith, keyOf, reason, stateWith, transaction, transfer } from './samples.ts';

/** What the history of a record is read from, all of it proven. */
type Claim = Omit<Parameters<typeof followVersions>[0], 'key'>;

/** A chain of executed blocks. */
class World {
  readonly #blocks: {
    header: BlockHeader;
    transactions: readonly Transaction[];
    receipts: readonly Receipt[];
  }[] = [];
  #state: State = stateWith({ alice: 1_000n, bob: 1_000n });
  #nonces: Record<string, number> = {};

  nonce(name: string): number {
    const nonce = this.#nonces[name] ?? 0;
    this.#nonces[name] = nonce + 1;
    return nonce;
  }

  by(from: 'alice' | 'bob', ...operations: readonly Operation[]): Transaction {
    return transaction({ from, nonce: this.nonce(from), fee: 0n }, ...operations);
  }

  block(...transactions: readonly Transaction[]): void {
    const height = this.#blocks.length + 1;
    const { state, receipts, receiptsRoot } = execute(this.#state, transactions, height);
    const header = headerWith({ height: toHeight(height), stateRoot: state.root, receiptsRoot });
    this.#state = state;
    this.#blocks.push({ header, transactions, receipts });
  }

  #stepAt({ height, transaction: index }: Place): HistoryStep {
    const { header, transactions, receipts } = defined(this.#blocks[height - 1], 'a block');
    return {
      header,
      transaction: defined(transactions[index], 'a transaction'),
      receipt: defined(receipts[index], 'a receipt'),
      receiptProof: merkleProof(receipts.map(hashReceipt), index),
    };
  }

  /** Where each version of a record was made, by a look through all blocks; oldest first. */
  everyChange(key: string): Place[] {
    return this.#blocks.flatMap(({ header: { height }, transactions, receipts }) =>
      transactions.flatMap(({ operations }, index) =>
        operations.flatMap((operation, at) =>
          receipts[index]?.status === 'applied' && 'key' in operation && operation.key === key
            ? [{ height, transaction: index, operation: at }]
            : [],
        ),
      ),
    );
  }

  /** What the state has of the record, and each transaction that changed it once, the newest first. */
  claim(key: string): Claim {
    const entry = unwrap(recordEntryReading.valueOf(recordEntryReading.read(this.#state, key)));
    const transactions = new Map(
      this.everyChange(key).map((place) => [`${place.height}/${place.transaction}`, place]),
    );
    const steps = [...transactions.values()].map((place) => this.#stepAt(place)).toReversed();
    return { entry, height: toHeight(this.#blocks.length), steps };
  }
}

const write = (key: string, value: string): Operation => ({ type: 'put', key, value: utf8(value) });
const give = (key: string, to: string): Operation => ({ type: 'give', key, to: keyOf(to) });
const drop = (key: string): Operation => ({ type: 'delete', key });

/** Five versions in four transactions of three blocks, and other things between them. */
function sample(): World {
  const world = new World();
  world.block(
    transfer({ from: 'bob', nonce: world.nonce('bob') }, 'alice', 1n),
    world.by('alice', write('deed', 'one'), write('other', 'x')),
  );
  world.block(world.by('bob', write('bobs', 'y')));
  world.block(
    world.by('alice', write('deed', 'two'), write('deed', 'three')),
    world.by('alice', give('deed', 'bob')),
    world.by('bob', drop('deed')),
  );
  world.block(world.by('alice', write('late', 'z')));
  return world;
}

describe('the complete history of a record', () => {
  test('is proven from the state back to its first version', () => {
    const claim = sample().claim('deed');
    assert.equal(claim.steps.length, 4);
    const { versions, older } = unwrap(followVersions({ key: 'deed', ...claim }));
    assert.equal(older, 0);
    assert.deepEqual(
      versions.map(({ version, made, by, operation }) => [version, made, by, operation.type]),
      [
        [5, { height: 3, transaction: 2, operation: 0 }, keyOf('bob'), 'delete'],
        [4, { height: 3, transaction: 1, operation: 0 }, keyOf('alice'), 'give'],
        [3, { height: 3, transaction: 0, operation: 1 }, keyOf('alice'), 'put'],
        [2, { height: 3, transaction: 0, operation: 0 }, keyOf('alice'), 'put'],
        [1, { height: 1, transaction: 1, operation: 0 }, keyOf('alice'), 'put'],
      ],
    );
  });

  test('without its last transactions says how many versions there were before', () => {
    const { steps, ...state } = sample().claim('deed');
    for (const [kept, older] of [
      [3, 1],
      [2, 3],
      [1, 4],
      [0, 5],
    ] as const) {
      const found = unwrap(followVersions({ key: 'deed', ...state, steps: steps.slice(0, kept) }));
      assert.deepEqual([found.versions.length, found.older], [5 - older, older]);
    }
  });

  test('of one that was never written is empty', () => {
    const claim = sample().claim('never');
    assert.deepEqual([claim.entry, claim.steps], [undefined, []]);
    assert.deepEqual(followVersions({ key: 'never', ...claim }), { versions: [], older: 0 });
  });

  test('is nothing else: what is missing between, doubled, in another order, or of another key or block', () => {
    const world = sample();
    const claim = world.claim('deed');
    const [fifth, fourth, third, first] = claim.steps as [HistoryStep, HistoryStep, HistoryStep, HistoryStep];
    const [other] = world.claim('other').steps as [HistoryStep];
    const [bobs] = world.claim('bobs').steps as [HistoryStep];
    const refused = (steps: readonly HistoryStep[], why: RegExp, key = 'deed'): void => {
      assert.match(reason(followVersions({ key, ...claim, steps })), why);
    };
    refused(claim.steps, /its transaction did not make version 5/, 'other');
    refused(claim.steps.slice(1), /version 5 was made by transaction 2, and not by this one/);
    refused([fifth, third, first], /version 4 was made by transaction 1, and not/);
    refused([fifth, third, fourth, first], /version 4 was made by transaction 1, and not/);
    refused([...claim.steps, first], /steps before the first version/);
    refused([fifth, fourth, third, third, first], /version 1 was made at height 1/);
    refused([fifth, fourth, third, bobs], /made at height 1, in another/);
    refused([fifth, fourth, { ...third, transaction: fourth.transaction }, first], /did not make version 3/);
    refused([fifth, fourth, { ...third, receipt: fourth.receipt }, first], /did not make version 3/);
    assert.equal(other.header.height, first.header.height, 'one transaction made both');
    assert.equal(unwrap(followVersions({ key: 'other', ...world.claim('other'), steps: [first] })).older, 0);
  });

  test('what a state and receipts that contradict each other say is no history', () => {
    const { entry: record, steps, height } = sample().claim('other');
    const [step] = steps as [HistoryStep];
    assert.ok(record?.type === 'record');
    const refused = (changed: Partial<Claim>, why: RegExp): void =>
      assert.match(reason(followVersions({ key: 'other', entry: record, steps, height, ...changed })), why);
    const { changed, version, previous } = record;
    refused({ entry: { ...record, value: utf8('y') } }, /the last version is another one/);
    refused({ entry: { type: 'tombstone', changed, version, previous } }, /the last version is another one/);
    refused({ entry: { ...record, version: 2 } }, /did not make version 2/);
    refused({ height: toHeight(0) }, /made at height 1, in another block/);
    const withRecords = (records: Receipt['records']): Partial<Claim> => ({
      steps: [{ ...step, receipt: { ...step.receipt, records } }],
    });
    const effect = { operation: 1, version: 1, previous: undefined };
    refused(withRecords([]), /did not make version 1/);
    // The first operation is another key's.
    const elsewhere = { ...record, changed: { ...changed, operation: 0 } };
    refused({ entry: elsewhere, ...withRecords([{ ...effect, operation: 0 }]) }, /did not make version 1/);
    const second = { entry: { ...record, version: 2 } };
    refused({ ...second, ...withRecords([{ ...effect, version: 2 }]) }, /first version is not 1/);
    refused(withRecords([{ ...effect, previous: changed }]), /first version is not 1/);
  });

  test('is all that was ever done to the key, whatever was done', () => {
    const key = fc.constantFrom('a', 'b', 'shop/a');
    const operation: fc.Arbitrary<Operation> = fc.oneof(
      fc.record({ type: fc.constant('put' as const), key, value: fc.uint8Array({ maxLength: 3 }) }),
      fc.record({ type: fc.constant('delete' as const), key }),
      fc.record({ type: fc.constant('give' as const), key, to: fc.constantFrom('alice', 'bob').map(keyOf) }),
    );
    const sent = fc.tuple(
      fc.constantFrom('alice' as const, 'bob' as const),
      fc.array(operation, { minLength: 1, maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(fc.array(sent, { maxLength: 3 }), { minLength: 1, maxLength: 8 }), (blocks) => {
        const world = new World();
        world.block(world.by('bob', { type: 'open-namespace', name: 'shop', mode: 'open', writers: [] }));
        for (const orders of blocks)
          world.block(...orders.map(([from, operations]) => world.by(from, ...operations)));
        for (const name of ['a', 'b', 'shop/a']) {
          const expected = world.everyChange(name);
          const { versions, older } = unwrap(followVersions({ key: name, ...world.claim(name) }));
          assert.equal(older, 0);
          assert.deepEqual(
            versions.map(({ version, made }) => [version, made]),
            expected.map((made, index) => [index + 1, made]).toReversed(),
          );
        }
      }),
      { seed: 20261129, numRuns: 60 },
    );
  });
});
