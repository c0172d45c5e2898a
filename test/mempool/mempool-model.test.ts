import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { toHeight } from '../../src/ledger/block.ts';
import type { Account } from '../../src/ledger/state-entry.ts';
import type { PublicKey } from '../../src/crypto/signature.ts';
import type { Transaction } from '../../src/ledger/transaction.ts';
import { Model } from './model.ts';
import { name, sender, tx, World } from './fixture.ts';

const senders = [1, 2, 3, 4];

type Command =
  | {
      readonly do: 'add';
      from: number;
      gap: number;
      fee: number;
      life: number;
      memo: string;
      amount: number;
    }
  | { readonly do: 'commit'; count: number; hadRoom: boolean; foreign: number; spend: number }
  | { readonly do: 'propose'; count: number; at: number }
  | { readonly do: 'withdraw'; at: number }
  | { readonly do: 'again'; index: number }
  | { readonly do: 'wait'; ms: number };

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      from: fc.constantFrom(...senders),
      gap: fc.integer({ min: -1, max: 7 }),
      fee: fc.integer({ min: 0, max: 30 }),
      life: fc.integer({ min: 0, max: 6 }),
      memo: fc.constantFrom('', 'a', 'a longer memo that takes more bytes'),
      amount: fc.integer({ min: 1, max: 50 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      count: fc.integer({ min: 0, max: 5 }),
      hadRoom: fc.boolean(),
      foreign: fc.constantFrom(0, 0, ...senders),
      spend: fc.constantFrom(0, 0, 40, 150),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('propose' as const),
      count: fc.integer({ min: 0, max: 4 }),
      at: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('withdraw' as const), at: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('again' as const), index: fc.nat(8) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 9 }) }),
  },
);

const bounds = {
  transactions: 9,
  bytes: 9 * 215,
  perSender: 5,
  nonceGap: 6,
  replacementPercent: 10,
  senderShare: 2,
};

/** Runs commands on the pool and on the model, and compares all that can be seen after each. */
function compare(commands: readonly Command[]): Set<string> {
  const world = new World({ bounds });
  for (const index of senders)
    world.accounts.set(sender(index), {
      balance: index < 3 ? 120n : 500n,
      nonce: 0,
      held: 0n,
      keys: undefined,
    });
  const model = new Model(bounds, world.accountOf);
  const rules = new Set<string>();
  // What full blocks passed over is no part of the model.
  let full = false;
  // Blocks in flight, by height above the final one; what they use is the speculative state.
  const flight = new Map<number, Transaction[]>();
  const speculative = (below: number): ((key: PublicKey) => Account) => {
    const used = new Map<PublicKey, number>();
    for (const [height, block] of flight) {
      if (height >= below) continue;
      for (const { sender, nonce } of block) used.set(sender, Math.max(used.get(sender) ?? 0, nonce + 1));
    }
    return (key) => {
      const account = world.accountOf(key);
      return { ...account, nonce: Math.max(account.nonce, used.get(key) ?? 0) };
    };
  };
  const forget = (from: number): void => {
    for (const height of flight.keys()) if (height >= from) flight.delete(height);
  };

  for (const step of commands) {
    if (step.do === 'commit' && !step.hadRoom) full = true;
    if (step.do === 'wait') world.now += step.ms;
    if (step.do === 'add') {
      const { nonce } = world.accountOf(sender(step.from));
      const transaction = tx({
        from: step.from,
        nonce: Math.max(nonce + step.gap, 0),
        fee: step.fee,
        expiry: world.height + step.life,
        memo: step.memo,
        amount: BigInt(step.amount),
      });
      const expected = model.add(transaction, world.now);
      assert.equal(world.add(transaction), expected);
      rules.add(expected);
    }
    if (step.do === 'again') {
      const item = model.items[step.index];
      if (item !== undefined) {
        assert.equal(world.add(item.transaction), 'known');
        rules.add('known');
      }
    }
    if (step.do === 'propose') {
      const height = world.height + step.at;
      const contiguous = step.at === 1 || flight.has(height - 1);
      if (contiguous) {
        forget(height);
        const block = take(world.pool.candidates(speculative(height), toHeight(height)), step.count);
        flight.set(height, block);
        world.pool.proposed({ height: toHeight(height), transactionHashes: block.map((each) => each.hash) });
      }
    }
    if (step.do === 'withdraw') {
      forget(world.height + step.at);
      world.pool.withdrawn(toHeight(world.height + step.at));
    }
    if (step.do === 'commit') {
      const height = world.height + 1;
      const proposed = flight.get(height);
      const block = [...(proposed ?? take(world.pool.candidates(world.accountOf), step.count))];
      if (proposed === undefined && step.foreign > 0) {
        // A transaction that this pool never saw.
        const from = step.foreign;
        const used = block.filter((each) => each.sender === sender(from)).length;
        const nonce = world.accountOf(sender(from)).nonce + used;
        block.push(tx({ from, nonce, fee: 0, amount: BigInt(step.spend + 1), memo: 'foreign' }));
      }
      if (proposed === undefined) forget(0);
      flight.delete(height);
      world.commit(block, { hadRoom: step.hadRoom });
      model.commit(block, step.hadRoom, world.now);
    }

    assert.equal(world.pool.size, model.items.length);
    assert.equal(world.pool.bytes, model.bytes());
    for (const { transaction } of model.items) assert.equal(world.pool.get(transaction.hash), transaction);
    const { passedOverSince, ...work } = world.pool.work();
    const expected = model.work();
    const { executable, oldestSince } = expected;
    assert.deepEqual(work, { executable, oldestSince, waiting: model.items.length - executable });
    if (expected.passedOverSince !== null || !full) assert.equal(passedOverSince, expected.passedOverSince);
    for (const index of senders) {
      assert.equal(world.pool.pendingNonce(sender(index)), model.pendingNonce(sender(index)));
    }
    // On top of everything in flight, with the marks; then, with none left, on the final state.
    const tip = world.height + 4;
    const ahead = [...world.pool.candidates(speculative(tip), toHeight(tip))];
    assert.deepEqual(ahead.map(name), model.order(speculative(tip)).map(name));
    if (flight.size === 0) assert.deepEqual(world.order(), model.order(world.accountOf).map(name));
  }
  for (const drop of world.drops) rules.add(drop.split(' ')[0] as string);
  return rules;
}

function take<T>(source: Iterable<T>, count: number): T[] {
  const taken: T[] = [];
  if (count === 0) return taken;
  for (const item of source) if (taken.push(item) === count) break;
  return taken;
}

void test('whatever happens, the pool shows the same as a model that computes everything from its definition', () => {
  const rules = new Set<string>();
  fc.assert(
    fc.property(fc.array(command, { minLength: 1, maxLength: 80, size: 'max' }), (commands) => {
      for (const rule of compare(commands)) rules.add(rule);
    }),
    // Take endOnFailure away to have a failure shrunk; that can take minutes.
    { seed: 20_261_123, numRuns: 600, endOnFailure: true },
  );
  // A property that never reached a rule says nothing about it.
  const expected = [
    'added',
    'known',
    'transaction/expired',
    'transaction/nonce-used',
    'mempool/nonce-gap',
    'transaction/insufficient-balance',
    'transaction/fee-not-payable',
    'mempool/replacement-underpriced',
    'mempool/sender-full',
    'mempool/full',
    'replaced',
    'evicted',
    'expired',
    'superseded',
    'fee-not-payable',
  ];
  assert.deepEqual(
    expected.filter((rule) => !rules.has(rule)),
    [],
  );
});
