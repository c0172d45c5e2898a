import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import { toHeight } from '../../src/ledger/block.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import type { ReservationId } from '../../src/ledger/reservation-id.ts';
import { assembleTransaction, type Transaction } from '../../src/ledger/transaction.ts';
import { mayTake } from '../../src/mempool/may-take.ts';
import { sender, tx, World } from './fixture.ts';

const doing = (transaction: Transaction, ...operations: Operation[]): Transaction => {
  const { signatures, hash: _h, bytes: _b, ...body } = transaction;
  return assembleTransaction({ ...body, operations }, signatures);
};

/** Sender 1 has 100, and the pool has room for four. */
const smallWorld = (): World => {
  const world = new World({ bounds: { transactions: 4 } });
  world.accounts.set(sender(1), { balance: 100n, nonce: 0, held: 0n, keys: undefined });
  return world;
};

const newKeys: Operation = { type: 'set-keys', keys: [sender(7)], threshold: 1, force: true };

void describe('in a full pool a fee that its sender may not have any more', () => {
  void it('pushes nothing out, however high it is', () => {
    for (const first of [
      tx({ fee: 20, amount: 75n }),
      doing(tx({ fee: 20 }), newKeys),
      doing(tx({ fee: 20 }), {
        type: 'reserve',
        to: sender(1),
        amount: 75n,
        expiryHeight: toHeight(9),
        memo: '',
      }),
    ]) {
      const world = smallWorld();
      const honest = [2, 3, 4].map((from) => tx({ from, fee: 10 }));
      world.addAll(...honest, first);
      const refused = world.pool.add(tx({ nonce: 1, fee: 20 }), 0);
      assert.ok(refused instanceof Problem && refused.code === 'mempool/full');
      assert.equal(refused.details['retryable'], true);
      assert.deepEqual(world.drops, []);
      for (const one of honest) assert.ok(world.pool.has(one.hash));
    }
  });

  void it('is let in where there is room, and is the first to go', () => {
    const world = smallWorld();
    world.addAll(tx({ fee: 20, amount: 75n }), tx({ nonce: 1, fee: 20 }), tx({ nonce: 2, fee: 20 }));
    world.addAll(tx({ from: 2, fee: 10 }));
    assert.equal(world.order().length, 4, 'blocks take them in the order of fees, as ever');
    world.addAll(tx({ from: 3, fee: 1 }), tx({ from: 4, fee: 1 }));
    assert.deepEqual(world.drops, ['evicted 1#2 fee 20', 'evicted 1#1 fee 20']);
    assert.equal(world.add(tx({ from: 5, fee: 1 })), 'mempool/full', 'the first one can be paid');
  });

  void it('is one that a replacement before it may take', () => {
    const world = smallWorld();
    world.addAll(tx({ fee: 20 }), tx({ nonce: 1, fee: 20 }), tx({ from: 2 }), tx({ from: 3 }));
    assert.equal(world.add(tx({ from: 4, fee: 9 })), 'mempool/full');
    world.addAll(tx({ fee: 30, amount: 70n }), tx({ from: 4, fee: 9 }));
    assert.deepEqual(world.drops, ['replaced 1#0 fee 20', 'evicted 1#1 fee 20']);
  });

  void it('counts again when the account has received more, or what was before it took less', () => {
    const world = smallWorld();
    const first = tx({ fee: 20, amount: 75n });
    world.addAll(first, tx({ from: 2 }), tx({ from: 3 }), tx({ from: 4 }));
    const next = tx({ nonce: 1, fee: 20 });
    assert.equal(world.add(next), 'mempool/full');
    world.accounts.set(sender(1), { balance: 115n, nonce: 0, held: 0n, keys: undefined });
    assert.equal(world.add(next), 'added');
    assert.deepEqual(world.drops, ['evicted 4#0 fee 10']);
  });

  void it('is not one before which all is only reserved for others and paid on', () => {
    const world = smallWorld();
    const reservation: ReservationId = { sender: sender(2), nonce: 0, operation: 0 };
    const on = doing(
      tx({ fee: 20 }),
      { type: 'post', reservation, amount: 500n },
      { type: 'transfer', to: sender(3), amount: 500n, memo: '' },
    );
    assert.equal(mayTake(on), 20n);
    world.addAll(on, tx({ from: 2 }), tx({ from: 3 }), tx({ from: 4 }));
    assert.equal(world.add(tx({ nonce: 1, fee: 20 })), 'added');
  });
});

void describe('what a transaction may take', () => {
  void it('is no less for what it pays to itself or takes from its own reservations', () => {
    const own: ReservationId = { sender: sender(1), nonce: 0, operation: 0 };
    const pay = (to: number): Operation => ({ type: 'transfer', to: sender(to), amount: 50n, memo: '' });
    assert.equal(mayTake(doing(tx({ fee: 3 }), pay(1))), 3n);
    assert.equal(mayTake(doing(tx({ fee: 3 }), pay(2), pay(1), pay(3))), 103n);
    const void_: Operation = { type: 'void', reservation: own };
    assert.equal(mayTake(doing(tx({ fee: 3 }), void_, pay(2))), 53n);
    const post: Operation = { type: 'post', reservation: own, amount: 50n };
    assert.equal(mayTake(doing(tx({ fee: 3 }), post, pay(2))), 53n);
  });
});
