import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { Problem } from '../../src/base/problem.ts';
import type { PublicKey, Signature } from '../../src/crypto/signature.ts';
import type { KeySet } from '../../src/ledger/operation.ts';
import { assembleTransaction, type Transaction } from '../../src/ledger/transaction.ts';
import { feeAbove, feeRate } from '../../src/mempool/fee-rate.ts';
import { name, sender, tx, World } from './fixture.ts';

const bySigners = (transaction: Transaction, signers: readonly PublicKey[]): Transaction => {
  const { signatures: _s, hash: _h, bytes: _b, ...body } = transaction;
  return assembleTransaction(
    { ...body, signers },
    signers.map(() => '00'.repeat(64) as Signature),
  );
};

/** A transaction with so many operations. */
const withOperations = (transaction: Transaction, count: number): Transaction => {
  const { signatures, hash: _h, bytes: _b, ...body } = transaction;
  const [first] = body.operations;
  assert.ok(first);
  return assembleTransaction({ ...body, operations: Array.from({ length: count }, () => first) }, signatures);
};

void describe('keys of a sender', () => {
  const other = sender(77);
  const others: KeySet = { keys: [other], threshold: 1 };

  void it('a transaction that they did not sign is refused by the final state', () => {
    const world = new World();
    const signed = bySigners(tx({}), [other]);
    assert.equal(world.add(signed), 'transaction/wrong-signers');
    world.accounts.set(sender(1), { balance: 1_000n, nonce: 0, held: 0n, keys: others });
    assert.equal(world.add(tx({})), 'transaction/wrong-signers');
    assert.equal(world.add(signed), 'added');
  });

  void it('what the old ones signed leaves when a block changes them, and what is left stays in order', () => {
    const world = new World();
    const kept = bySigners(tx({ nonce: 3 }), [sender(1), other].toSorted());
    world.accounts.set(sender(1), {
      balance: 10n ** 9n,
      nonce: 0,
      held: 0n,
      keys: { keys: [sender(1), other].toSorted(), threshold: 1 },
    });
    world.addAll(tx({ nonce: 0 }), tx({ nonce: 1 }), tx({ nonce: 2 }), kept, tx({ from: 2 }));
    world.accounts.set(sender(1), {
      balance: 10n ** 9n,
      nonce: 0,
      held: 0n,
      keys: { ...others, keys: [other] },
    });
    world.commit([tx({ nonce: 0 })]);
    assert.deepEqual(
      world.drops.toSorted(),
      [
        `wrong-signers ${name(tx({ nonce: 1 }))}`,
        `wrong-signers ${name(tx({ nonce: 2 }))}`,
        `wrong-signers ${name(kept)}`,
      ],
      'a key that is none of them any more may not sign either',
    );
    assert.equal(world.pool.size, 1);
    assert.equal(world.pool.bytes, tx({ from: 2 }).bytes.length);
    const fresh = bySigners(tx({ nonce: 1 }), [other]);
    assert.equal(world.add(fresh), 'added');
    assert.equal(world.order().length, 2);
  });

  void it('of which a block puts another in the place of one lose what that one signed', () => {
    const world = new World();
    const pair = (key: PublicKey): KeySet => ({ keys: [key, sender(88)].toSorted(), threshold: 1 });
    const account = { balance: 10n ** 9n, nonce: 0, held: 0n };
    world.accounts.set(sender(1), { ...account, keys: pair(other) });
    const lost = bySigners(tx({ nonce: 1 }), [other]);
    const first = bySigners(tx({ nonce: 0 }), [sender(88)]);
    world.addAll(first, lost);
    world.accounts.set(sender(1), { ...account, keys: pair(sender(99)) });
    world.commit([first]);
    assert.deepEqual(world.drops, [`wrong-signers ${name(lost)}`]);
  });

  void it('that a block sets again to what they were change nothing', () => {
    const world = new World();
    const keys = { keys: [sender(1), other].toSorted(), threshold: 1 };
    world.accounts.set(sender(1), { balance: 10n ** 9n, nonce: 0, held: 0n, keys });
    world.addAll(tx({ nonce: 0 }), tx({ nonce: 1 }));
    world.accounts.set(sender(1), {
      balance: 10n ** 9n,
      nonce: 0,
      held: 0n,
      keys: { ...keys, keys: [...keys.keys] },
    });
    world.commit([tx({ nonce: 0 })]);
    assert.deepEqual(world.drops, []);
    assert.equal(world.pool.size, 1);
  });
});

void describe('the least fee', () => {
  void it('is asked for each operation and each signature after the first', () => {
    const world = new World({ next: { feePerOperation: 5n, protocolVersion: 1 } });
    assert.equal(world.add(tx({ fee: 4 })), 'transaction/fee-too-low');
    assert.equal(world.add(tx({ fee: 5 })), 'added');
    const refused = world.pool.add(withOperations(tx({ from: 2, fee: 14 }), 3), 0);
    assert.ok(refused instanceof Problem && refused.details['least'] === '15');
    assert.equal(world.add(withOperations(tx({ from: 2, fee: 15 }), 3)), 'added');
  });

  void it('can rise: what pays less leaves at once, wherever it stands, and what comes later is judged by it', () => {
    const world = new World();
    const low = tx({ from: 1, nonce: 1, fee: 4 });
    world.addAll(tx({ from: 1, nonce: 0, fee: 9 }), low, tx({ from: 1, nonce: 2, fee: 9 }));
    const several = withOperations(tx({ from: 2, fee: 14 }), 3);
    assert.equal(world.add(several), 'added');
    world.commit([], { feePerOperation: 5n });
    assert.deepEqual(world.drops, [`fee-too-low ${name(low)}`, `fee-too-low ${name(several)}`]);
    assert.deepEqual(world.order(), [name(tx({ from: 1, nonce: 0, fee: 9 }))]);
    assert.equal(world.pool.waiting, 1, 'what stood behind it waits for its nonce');
    assert.equal(world.add(tx({ from: 3, fee: 4 })), 'transaction/fee-too-low');
    world.commit([], { feePerOperation: 1n });
    assert.equal(world.add(low), 'added', 'and it can fall again');
    assert.equal(world.order().length, 3);
  });
});

void describe('what a transaction is worth', () => {
  void it('is its fee for each place in a block that its bytes or its operations take', () => {
    const small = tx({ fee: 8 });
    const { maxBlockOperations, maxBlockTransactions, maxBlockBytes } = limits;
    const perPlace = maxBlockOperations / maxBlockTransactions;
    assert.equal(feeRate(withOperations(small, perPlace)), feeRate(small));
    assert.equal(feeRate(withOperations(small, perPlace + 1)) * 2n, feeRate(small));
    const bytesPerPlace = maxBlockBytes / maxBlockTransactions;
    const large = tx({ fee: 8, valueBytes: bytesPerPlace - 100 });
    assert.ok(large.bytes.length > bytesPerPlace && large.bytes.length < 2 * bytesPerPlace);
    assert.equal(feeRate(large), feeRate(small) / 2n);
    for (const one of [small, large, withOperations(small, 250)]) {
      for (const rate of [0n, 1n, feeRate(small), feeRate(large), feeRate(large) - 1n]) {
        const least = feeAbove(rate, one);
        assert.ok(feeRate({ ...one, fee: least }) > rate);
        assert.ok(feeRate({ ...one, fee: least - 1n }) <= rate);
      }
    }
    assert.equal(feeAbove(-1n, large), 0n, 'anything is worth more than what waits behind a gap');
  });

  void it('decides the order of blocks: many operations for the fee of one come last', () => {
    const world = new World();
    const greedy = withOperations(tx({ from: 1, fee: 12 }), 100);
    const modest = tx({ from: 2, fee: 10 });
    world.addAll(greedy, modest);
    assert.deepEqual(
      [...world.pool.candidates(world.accountOf)].map(({ hash }) => hash),
      [modest.hash, greedy.hash],
    );
  });

  void it('a replacement that is larger pays for its size as well', () => {
    const world = new World();
    world.addAll(tx({ fee: 10 }));
    const larger = withOperations(tx({ fee: 12 }), 8);
    const refused = world.pool.add(larger, 0);
    assert.ok(refused instanceof Problem && refused.code === 'mempool/replacement-underpriced');
    const needed = Number(refused.details['needed']);
    assert.ok(needed > 20, `${needed}`);
    assert.equal(world.add(withOperations(tx({ fee: needed }), 8)), 'added');
  });
});

void describe('room for one sender', () => {
  void it('is bounded in bytes too, and lower nonces come first', () => {
    const size = tx({ valueBytes: 4_000 }).bytes.length;
    const world = new World({ bounds: { bytesPerSender: 3 * size } });
    const at = (nonce: number): Transaction => tx({ nonce, valueBytes: 4_000 });
    world.addAll(at(0), at(1), at(3));
    assert.equal(world.add(at(4)), 'mempool/sender-full');
    assert.equal(world.add(at(2)), 'added', 'the one behind the gap gives way');
    assert.equal(world.pool.size, 3);
    assert.equal(world.add(tx({ nonce: 3, valueBytes: 4_000 })), 'mempool/sender-full');
    assert.equal(world.add(tx({ from: 2, valueBytes: 4_000 })), 'added');
    world.commit([at(0)]);
    assert.equal(world.add(at(3)), 'added');
  });

  void it('counts the bytes of what took the place of another', () => {
    const large = tx({ valueBytes: 4_000, fee: 50_000 });
    const world = new World({ bounds: { bytesPerSender: large.bytes.length + 100 } });
    world.addAll(tx({ fee: 10 }));
    assert.equal(world.add(large), 'added');
    assert.equal(world.add(tx({ nonce: 1 })), 'mempool/sender-full');
  });
});
