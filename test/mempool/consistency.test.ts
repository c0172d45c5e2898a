import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PublicKey } from '../../src/crypto/signature.ts';
import { toHeight } from '../../src/ledger/block.ts';
import type { Account } from '../../src/ledger/state-entry.ts';
import { sender, tx, World } from './fixture.ts';

// What a pool still knows after something was refused, became final, expired, or is in flight no more.

test('what gave way to a lower nonce comes back when that is refused after all', () => {
  const world = new World({ bounds: { bytes: 2_000 } });
  world.accounts.set(sender(1), { balance: 20n, nonce: 0, held: 0n, keys: undefined });
  const waiting = tx({ from: 1, nonce: 2, fee: 15 });
  world.addAll(waiting, tx({ from: 2, fee: 500 }), tx({ from: 3, fee: 500 }));
  // Its fee can be paid without the other one, and the pool has no room for it.
  assert.equal(world.add(tx({ from: 1, nonce: 0, fee: 10, valueBytes: 1_700 })), 'mempool/full');
  assert.equal(world.pool.size, 3);
  assert.deepEqual(
    world.pool.missing().map(({ nonce, waiting: behind }) => [nonce, behind]),
    [[0, 1]],
  );
  world.accounts.set(sender(1), { balance: 1_000n, nonce: 0, held: 0n, keys: undefined });
  world.addAll(tx({ from: 1, nonce: 0, fee: 10 }), tx({ from: 1, nonce: 1, fee: 10 }));
  assert.equal(world.pool.work().executable, 5);
});

test('a replacement that its sender could not pay beside what is executable is refused, and all stay', () => {
  const world = new World();
  world.accounts.set(sender(1), { balance: 30n, nonce: 0, held: 0n, keys: undefined });
  world.addAll(tx({ nonce: 0, fee: 10, valueBytes: 10 }), tx({ nonce: 1, fee: 10, valueBytes: 10 }));
  assert.equal(world.add(tx({ nonce: 0, fee: 25, valueBytes: 20 })), 'transaction/fee-not-payable');
  assert.deepEqual(world.order(), ['1#0 fee 10', '1#1 fee 10']);
});

test('after a block the accounts are those of the state after it', () => {
  const world = new World();
  const first = tx({ nonce: 0 });
  world.addAll(first);
  const after = new Map<PublicKey, Account>([
    [sender(1), { balance: 1_000n, nonce: 1, held: 0n, keys: undefined }],
  ]);
  world.pool.committed({
    height: toHeight(1),
    transactions: [first],
    accountOf: (key) => after.get(key) ?? { balance: 0n, nonce: 0, held: 0n, keys: undefined },
    hadRoom: true,
    next: { feePerOperation: 0n, protocolVersion: 1 },
    now: 0,
  });
  assert.equal(world.add(tx({ nonce: 1 })), 'added');
  assert.equal(world.pool.work().executable, 1);
  assert.equal(world.pool.pendingNonce(sender(1)), 2);
  assert.equal(
    world.add(tx({ from: 2 })),
    'transaction/insufficient-balance',
    'it has nothing in that state',
  );
});

test('what expired below the block of a snapshot leaves with it', () => {
  const world = new World();
  world.addAll(tx({ expiry: 20 }), tx({ from: 2, expiry: 80 }));
  world.pool.installed({
    height: toHeight(50),
    accountOf: world.accountOf,
    next: { feePerOperation: 0n, protocolVersion: 1 },
    now: 0,
  });
  assert.deepEqual(world.order(), ['2#0 fee 10']);
  assert.equal(world.pool.size, 1);
});

test('marks of what is gone do no harm to what its sender has here since', () => {
  const world = new World();
  const first = tx({ expiry: 2 });
  world.addAll(first);
  world.pool.proposed({ height: toHeight(50), transactionHashes: [first.hash] });
  for (let height = 1; height <= 3; height++) world.commit([]);
  assert.equal(world.pool.size, 0);
  world.addAll(tx({ memo: 'later' }));
  world.pool.withdrawn(toHeight(50));
  assert.equal(world.pool.pendingNonce(sender(1)), 1);
  assert.equal(world.add(tx({ nonce: 1 })), 'added');
  assert.equal(world.pool.work().executable, 2);
  assert.deepEqual(world.order(), ['1#0 fee 10', '1#1 fee 10']);
});

test('a dearer replacement takes its sender forward in the order', () => {
  const world = new World();
  const senders = [8, 7, 6, 5, 4, 3, 2, 1];
  world.addAll(...senders.map((from) => tx({ from, fee: 10 * from })));
  assert.deepEqual(
    world.order(),
    senders.map((from) => `${from}#0 fee ${10 * from}`),
  );
  world.addAll(tx({ from: 1, fee: 100 }));
  assert.deepEqual(world.order().slice(0, 2), ['1#0 fee 100', '8#0 fee 80']);
});

test('what stands in a block in flight was passed over by none, however old it is', () => {
  const world = new World({ bounds: { patienceMs: 1_000 } });
  const old = tx({ from: 1, fee: 1 });
  world.addAll(old);
  world.now = 10_000;
  const dear = tx({ from: 2, fee: 1_000 });
  world.addAll(dear);
  world.pool.proposed({ height: toHeight(2), transactionHashes: [old.hash] });
  world.commit([dear], { hadRoom: false });
  assert.equal(world.pool.work().passedOverSince, null);
  world.pool.withdrawn(toHeight(2));
  world.commit([], { hadRoom: false });
  assert.equal(world.pool.work().passedOverSince, 10_000);
});
