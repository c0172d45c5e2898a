import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { utf8 } from '../../src/base/bytes.ts';
import { decode, encode } from '../../src/base/codec.ts';
import { defined } from '../../src/base/invariant.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { type BlockHeader, hashHeader, toHeight } from '../../src/ledger/block.ts';
import {
  type HistoryProof,
  historyProofCodec,
  type HistoryStep,
  proveHistory,
  verifyHistory,
} from '../../src/ledger/history-proof.ts';
import { merkleProof, merkleRoot } from '../../src/ledger/merkle.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import { hashReceipt, type Receipt } from '../../src/ledger/receipt.ts';
import { proveRecord } from '../../src/ledger/record-proof.ts';
import type { State } from '../../src/ledger/state.ts';
import {
  decodeRecord,
  encodeRecord,
  type Place,
  type RecordEntry,
  recordStateKey,
  type Tombstone,
} from '../../src/ledger/state-entry.ts';
import type { Transaction } from '../../src/ledger/transaction.ts';
import { execute, headerWith, keyOf, reason, stateWith, transaction, transfer } from './samples.ts';

/** A chain of executed blocks, all of them final. */
class World {
  readonly #blocks: {
    header: BlockHeader;
    transactions: readonly Transaction[];
    receipts: readonly Receipt[];
  }[] = [];
  readonly #final = new Set<string>();
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
    this.#final.add(hashHeader(header));
    this.#blocks.push({ header, transactions, receipts });
  }

  readonly isFinal = (header: BlockHeader): boolean => this.#final.has(hashHeader(header));

  readonly stepAt = ({ height, transaction: index }: Place): HistoryStep => {
    const { header, transactions, receipts } = defined(this.#blocks[height - 1], 'a block');
    return {
      header,
      transaction: defined(transactions[index], 'a transaction'),
      receipt: defined(receipts[index], 'a receipt'),
      receiptProof: merkleProof(receipts.map(hashReceipt), index),
    };
  };

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

  prove(key: string): HistoryProof {
    const { header } = defined(this.#blocks.at(-1), 'a block');
    return unwrap(proveHistory({ key, header, state: this.#state, stepAt: this.stepAt }));
  }

  verify(key: string, proof: HistoryProof) {
    return verifyHistory({ key, proof, isFinal: this.isFinal });
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
    const world = sample();
    const proof = world.prove('deed');
    assert.equal(proof.steps.length, 4);
    const versions = world.verify('deed', proof);
    assert.ok(!(versions instanceof Problem), 'it is proven');
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

  test('of one that was never written is proven to be empty', () => {
    const world = sample();
    const proof = world.prove('never');
    assert.deepEqual([proof.entry, proof.steps], [undefined, []]);
    assert.deepEqual(world.verify('never', proof), []);
    const wrong = world.verify('deed', proof);
    assert.match(reason(wrong), /the state does not hold the entry/);
  });

  test('no other proof passes: what is missing, doubled, in another order, or of another key or block', () => {
    const world = sample();
    const proof = world.prove('deed');
    const { steps } = proof;
    const [fifth, fourth, third, first] = steps as [HistoryStep, HistoryStep, HistoryStep, HistoryStep];
    const other = world.prove('other');
    const bobs = world.prove('bobs');
    const refused = (changed: Partial<HistoryProof>, why: RegExp, key = 'deed'): void => {
      assert.match(reason(world.verify(key, { ...proof, ...changed })), why);
    };
    refused({}, /state does not hold/, 'other');
    refused({ steps: steps.slice(0, -1) }, /version 1 and those before it are not there/);
    refused({ steps: steps.slice(1) }, /version 5: its receipt stands at another place/);
    refused({ steps: [] }, /version 5 and those before it/);
    refused({ steps: [fifth, third, first] }, /version 4: its receipt stands at another place/);
    refused({ steps: [fifth, third, fourth, first] }, /version 4: its receipt stands/);
    refused({ steps: [...steps, first] }, /steps before the first version/);
    refused({ steps: [fifth, fourth, third, third, first] }, /version 1 was made at height 1/);
    refused({ entry: defined(other.entry, 'an entry') }, /state does not hold/);
    refused({ entry: undefined }, /state does not hold/);
    refused({ entryProof: other.entryProof }, /state does not hold/);
    // A step of another transaction, all of it well proven.
    refused(
      { steps: [fifth, fourth, third, defined(bobs.steps[0], 'a step')] },
      /made at height 1, in another/,
    );
    refused(
      { steps: [fifth, fourth, { ...third, transaction: fourth.transaction }, first] },
      /another transaction/,
    );
    refused({ steps: [fifth, fourth, { ...third, receipt: fourth.receipt }, first] }, /not under the root/);
    const elsewhere = { ...first, header: headerWith({ ...first.header, timestamp: 5 }) };
    refused({ steps: [fifth, fourth, third, elsewhere] }, /version 1: its block is not final/);
    refused({ header: headerWith({ ...proof.header, timestamp: 5 }) }, /block of the state is not final/);
  });

  test('what a state and receipts that contradict each other say is no history', () => {
    const world = sample();
    const proof = world.prove('other');
    const [step] = proof.steps as [HistoryStep];
    const record = decodeRecord(defined(proof.entry, 'an entry'));
    assert.ok(record.type === 'record');
    const refused = (changed: HistoryProof, why: RegExp): void =>
      assert.match(reason(verifyHistory({ key: 'other', proof: changed, isFinal: () => true })), why);
    const withEntry = (entry: RecordEntry | Tombstone): HistoryProof => {
      const state = stateWith({}).with([{ key: recordStateKey('other'), value: encodeRecord(entry) }]);
      const read = proveRecord(state, 'other');
      const header = headerWith({ ...proof.header, stateRoot: state.root });
      return { ...proof, header, entry: read.entry ?? undefined, entryProof: read.proof };
    };
    const { changed, version, previous } = record;
    refused(withEntry({ ...record, value: utf8('y') }), /the last version is another one/);
    refused(withEntry({ type: 'tombstone', changed, version, previous }), /the last version is another one/);
    refused(withEntry({ ...record, version: 2 }), /did not make version 2/);
    const withRecords = (records: Receipt['records'], entry = record): HistoryProof => {
      const receipt = { ...step.receipt, records };
      const receiptProof = { index: step.receiptProof.index, count: 2, siblings: [hashReceipt(receipt)] };
      const receiptsRoot = merkleRoot([hashReceipt(receipt), hashReceipt(receipt)]);
      const header = headerWith({ ...step.header, receiptsRoot });
      return { ...withEntry(entry), steps: [{ ...step, header, receipt, receiptProof }] };
    };
    const effect = { operation: 1, version: 1, previous: undefined };
    refused(withRecords([]), /did not make version 1/);
    // The first operation is another key's.
    const elsewhere = { ...record, changed: { ...changed, operation: 0 } };
    refused(withRecords([{ ...effect, operation: 0 }], elsewhere), /did not make version 1/);
    refused(withRecords([{ ...effect, version: 2 }], { ...record, version: 2 }), /first version is not 1/);
    refused(withRecords([{ ...effect, previous: changed }]), /first version is not 1/);
  });

  test('each header is asked for: one that is not final takes all of it away', () => {
    const world = sample();
    const proof = world.prove('deed');
    for (const height of [1, 3, 4]) {
      const isFinal = (header: BlockHeader): boolean => header.height !== height && world.isFinal(header);
      assert.ok(verifyHistory({ key: 'deed', proof, isFinal }) instanceof Problem, `${height}`);
    }
  });

  test('has one encoding, and no proof passes with any of its bytes changed', () => {
    const world = sample();
    world.block(
      world.by(
        'alice',
        {
          type: 'open-namespace',
          name: 'shop',
          mode: 'writers',
          writers: ['alice', 'bob'].map(keyOf).toSorted(),
        },
        write('shop/deed', 'one'),
        write('shop/other', 'x'),
      ),
      world.by('bob', write('shop/deed', 'two')),
    );
    for (const key of ['deed', 'other', 'never', 'shop/deed', 'shop/never', 'yard/never']) {
      const proof = world.prove(key);
      const bytes = encode(historyProofCodec, proof);
      assert.deepEqual(
        world.verify(key, unwrap(decode(historyProofCodec, bytes, 'proof'))),
        world.verify(key, proof),
      );
      for (let at = 0; at < bytes.length; at++) {
        const changed = bytes.slice();
        changed[at] = (changed[at] as number) ^ (1 << (at % 8));
        const decoded = decode(historyProofCodec, changed, 'proof');
        if (decoded instanceof Problem) continue;
        assert.ok(world.verify(key, decoded) instanceof Problem, `${key}, byte ${at}`);
      }
    }
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
          const versions = world.verify(name, world.prove(name));
          assert.ok(!(versions instanceof Problem), 'it is proven');
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
