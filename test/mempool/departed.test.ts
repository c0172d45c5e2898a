import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defined } from '../../src/base/invariant.ts';
import { limits } from '../../src/base/limits.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { Departed } from '../../src/mempool/departed.ts';
import type { Entry } from '../../src/mempool/lane.ts';
import { tx, World } from './fixture.ts';

const entry = (hash: string, gossipedAt: number | null = null) =>
  ({ transaction: { hash: hash as Hash }, gossipedAt }) as Entry;

void describe('what left the pool', () => {
  void test('is known as checked while it may come back, and as final when it is', () => {
    const world = new World({ bounds: { transactions: 2 } });
    const [first, cheap, dear] = [
      tx({ from: 1, fee: 30 }),
      tx({ from: 2, fee: 10 }),
      tx({ from: 3, fee: 20 }),
    ];
    assert.equal(world.pool.knows(first.hash), false);
    world.addAll(first, cheap);
    world.addAll(dear);
    assert.deepEqual(world.drops, ['evicted 2#0 fee 10']);
    assert.equal(world.pool.knows(cheap.hash), true);
    assert.equal(world.pool.sawFinal(first.hash), false);
    world.commit([first]);
    assert.equal(world.pool.knows(first.hash), false);
    assert.equal(world.pool.sawFinal(first.hash), true);
    assert.equal(world.pool.sawFinal(cheap.hash), false);
  });

  void test('was gossiped when it was, whether it is here or back again', () => {
    const world = new World({ bounds: { transactions: 1 } });
    const cheap = tx({ from: 1, fee: 10 });
    world.addAll(cheap);
    const before = defined(world.pool.find(cheap.hash), 'what was added');
    assert.equal(before.gossipedAt, null);
    world.pool.gossiped(before, 3);
    const dear = tx({ from: 2, fee: 20 });
    world.addAll(dear);
    assert.equal(before.isHere, false);
    world.commit([dear]);
    world.addAll(cheap);
    assert.equal(world.pool.find(cheap.hash)?.gossipedAt, 3);
    const next = tx({ from: 2, nonce: 1, fee: 20 });
    world.addAll(next);
    world.pool.gossiped(before, 5);
    world.commit([next]);
    world.addAll(cheap);
    assert.equal(world.pool.find(cheap.hash)?.gossipedAt, 5, 'told when it had left');
  });

  void test('is forgotten past a bound, what is final apart from what may come back', () => {
    const departed = new Departed();
    departed.dropped(entry('dropped', 1));
    for (let i = 0; i < 2 * limits.mempoolTransactions; i++) departed.final(entry(`f${i}`));
    assert.equal(departed.mayReturn('dropped' as Hash), true);
    const isFinal = (place: number) => departed.isFinal(`f${place}` as Hash);
    assert.equal(isFinal(0), false);
    assert.equal(isFinal(2 * limits.mempoolTransactions - 1), true);
    assert.equal(isFinal(2 * limits.mempoolTransactions - limits.mempoolTransactions / 2), true);
    assert.equal(isFinal(limits.mempoolTransactions - 1), false, 'no more than a pool holds');
    for (let i = 0; i < limits.mempoolTransactions; i++) departed.dropped(entry(`d${i}`));
    assert.equal(departed.mayReturn('dropped' as Hash), false);
    assert.equal(isFinal(2 * limits.mempoolTransactions - 1), true);
  });
});

void test('who goes first when room is needed is right again after a pool that was nearly empty', () => {
  const world = new World({ bounds: { transactions: 8 } });
  for (let round = 0; round < 3; round++) {
    const nonce = round;
    const all = Array.from({ length: 8 }, (_, i) => tx({ from: i + 1, nonce, fee: 10 + ((i * 3) % 8) }));
    world.addAll(...all);
    assert.equal(world.add(tx({ from: 20 + round, fee: 11 })), 'added');
    assert.deepEqual(world.drops.splice(0), [`evicted 1#${nonce} fee 10`]);
    assert.equal(world.add(tx({ from: 30 + round, fee: 13 })), 'added');
    assert.deepEqual(world.drops.splice(0), [`evicted ${20 + round}#0 fee 11`]);
    // Whose transaction made room uses its nonce all the same.
    world.commit([...all, tx({ from: 30 + round, fee: 13 })]);
    assert.equal(world.pool.size, 0);
  }
});
