import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { Problem } from '../../src/base/problem.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { toHeight } from '../../src/ledger/block.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import type { ReservationId } from '../../src/ledger/reservation-id.ts';
import { assembleTransaction, type Transaction } from '../../src/ledger/transaction.ts';
import { name, sender, tx, World } from './fixture.ts';

void describe('what the pool takes', () => {
  void it('takes a transaction once, and knows it from then on', () => {
    const world = new World();
    const one = tx({ nonce: 0 });
    assert.equal(world.add(one), 'added');
    assert.equal(world.add(one), 'known');
    assert.equal(world.pool.size, 1);
    assert.equal(world.pool.bytes, one.bytes.length);
    assert.equal(world.pool.get(one.hash), one);
    assert.ok(world.pool.has(one.hash));
  });

  void it('refuses what is for another chain', () => {
    const world = new World();
    assert.equal(world.add(tx({ chain: 'dd'.repeat(32) as Hash })), 'transaction/wrong-chain');
  });

  void it('refuses a nonce that was used, and names the next one', () => {
    const world = new World();
    world.accounts.set(sender(1), { balance: 1_000n, nonce: 7, held: 0n, keys: undefined });
    const result = world.pool.add(tx({ nonce: 6 }), 0);
    assert.ok(result instanceof Problem);
    assert.equal(result.code, 'transaction/nonce-used');
    assert.deepEqual(result.details, { nonce: 6, next: 7 });
  });

  void it('refuses what expired, and an expiry that is too far ahead, at exactly their bounds', () => {
    const world = new World();
    world.commit([]);
    assert.equal(world.add(tx({ expiry: 1 })), 'transaction/expired');
    assert.equal(world.add(tx({ expiry: 2 })), 'added');
    const last = 1 + limits.maxExpiryAhead;
    assert.equal(world.add(tx({ from: 2, expiry: last + 1 })), 'transaction/expiry-too-far');
    assert.equal(world.add(tx({ from: 2, expiry: last })), 'added');
  });

  void it('refuses what costs more than the sender has, amount and fee together', () => {
    const world = new World();
    world.accounts.set(sender(1), { balance: 100n, nonce: 0, held: 0n, keys: undefined });
    assert.equal(world.add(tx({ fee: 10, amount: 91n })), 'transaction/insufficient-balance');
    assert.equal(world.add(tx({ fee: 10, amount: 90n })), 'added');
  });

  void it('counts what is reserved as spent, and what is posted as received, in one transaction', () => {
    const other = { sender: sender(2), nonce: 0, operation: 0 };
    const own = { sender: sender(1), nonce: 0, operation: 0 };
    const to = sender(3);
    const reserve = (amount: bigint, whom = to): Operation => ({
      type: 'reserve',
      to: whom,
      amount,
      expiryHeight: toHeight(9),
      memo: '',
    });
    const pay = (amount: bigint): Operation => ({ type: 'transfer', to, amount, memo: '' });
    const post = (reservation: ReservationId, amount: bigint): Operation => ({
      type: 'post',
      reservation,
      amount,
    });
    const judge = (...operations: Operation[]): string => {
      const world = new World();
      world.accounts.set(sender(1), { balance: 100n, nonce: 0, held: 500n, keys: undefined });
      const { signatures, ...body } = tx({ fee: 10 });
      return world.add(assembleTransaction({ ...body, operations }, signatures));
    };
    assert.equal(judge(reserve(91n)), 'transaction/insufficient-balance');
    assert.equal(judge(reserve(90n)), 'added');
    assert.equal(judge(reserve(91n, sender(1))), 'added', 'it may post that to itself at once');
    assert.equal(judge(post(other, 50n), pay(140n)), 'added');
    assert.equal(judge(post(other, 50n), pay(141n)), 'transaction/insufficient-balance');
    assert.equal(judge(post(other, 500n)), 'added');
    assert.equal(judge({ type: 'void', reservation: other }, pay(91n)), 'transaction/insufficient-balance');
    assert.equal(judge({ type: 'void', reservation: own }, pay(300n)), 'added', 'what comes back is its own');
  });

  void it('refuses more fees than the sender can pay for all that waits, so that an empty account cannot fill the pool', () => {
    const world = new World();
    world.accounts.set(sender(1), { balance: 25n, nonce: 0, held: 0n, keys: undefined });
    world.addAll(tx({ nonce: 0, fee: 10 }), tx({ nonce: 1, fee: 10 }));
    assert.equal(world.add(tx({ nonce: 2, fee: 10 })), 'transaction/fee-not-payable');
    assert.equal(world.add(tx({ nonce: 2, fee: 5 })), 'added');
  });
});

void describe('lanes', () => {
  void it('a gap waits, and what fills it frees all behind it', () => {
    const world = new World();
    world.addAll(tx({ nonce: 0 }), tx({ nonce: 2 }), tx({ nonce: 3 }));
    assert.deepEqual(world.order(), ['1#0 fee 10']);
    assert.equal(world.pool.pendingNonce(sender(1)), 1);
    assert.equal(world.pool.work().executable, 1);
    world.addAll(tx({ nonce: 1 }));
    assert.deepEqual(world.order(), ['1#0 fee 10', '1#1 fee 10', '1#2 fee 10', '1#3 fee 10']);
    assert.equal(world.pool.pendingNonce(sender(1)), 4);
    assert.equal(world.pool.work().executable, 4);
  });

  void it('bounds how far above the next nonce a gap may reach, and says that this may pass', () => {
    const world = new World({ bounds: { nonceGap: 4 } });
    assert.equal(world.add(tx({ nonce: 3 })), 'added');
    const result = world.pool.add(tx({ nonce: 4 }), 0);
    assert.ok(result instanceof Problem);
    assert.equal(result.code, 'mempool/nonce-gap');
    assert.equal(result.details['retryable'], true);
  });

  void it('bounds the number of one sender', () => {
    const world = new World({ bounds: { perSender: 2 } });
    world.addAll(tx({ nonce: 0 }), tx({ nonce: 1 }));
    assert.equal(world.add(tx({ nonce: 2 })), 'mempool/sender-full');
    assert.equal(world.add(tx({ from: 2 })), 'added');
  });

  void it('tells a wallet the next nonce of an account that has nothing waiting', () => {
    const world = new World();
    world.accounts.set(sender(5), { balance: 0n, nonce: 12, held: 0n, keys: undefined });
    assert.equal(world.pool.pendingNonce(sender(5)), 12);
  });
});

void describe('replacement', () => {
  void it('takes 10 % more, and not one unit less', () => {
    const world = new World();
    world.addAll(tx({ fee: 1_005 }));
    assert.equal(world.add(tx({ fee: 1_105 })), 'mempool/replacement-underpriced');
    assert.equal(world.add(tx({ fee: 1_106 })), 'added');
    assert.deepEqual(world.order(), ['1#0 fee 1106']);
    assert.deepEqual(world.drops, ['replaced 1#0 fee 1005']);
    assert.equal(world.pool.size, 1);
  });

  void it('takes a higher fee, however small 10 % of the old one are', () => {
    const world = new World();
    world.addAll(tx({ fee: 0 }));
    assert.equal(world.add(tx({ fee: 0, memo: 'other' })), 'mempool/replacement-underpriced');
    assert.equal(world.add(tx({ fee: 1 })), 'added');
    assert.equal(world.add(tx({ fee: 1, memo: 'other' })), 'mempool/replacement-underpriced');
    assert.equal(world.add(tx({ fee: 2 })), 'added');
  });

  void it('keeps the lane whole: what comes behind stays executable', () => {
    const world = new World();
    world.addAll(tx({ nonce: 0, fee: 10 }), tx({ nonce: 1, fee: 50 }), tx({ nonce: 2, fee: 60 }));
    world.addAll(tx({ nonce: 0, fee: 20 }));
    assert.deepEqual(world.order(), ['1#0 fee 20', '1#1 fee 50', '1#2 fee 60']);
  });

  void it('counts as new for those who suspect censorship', () => {
    const world = new World();
    world.addAll(tx({ fee: 10 }));
    world.now = 500;
    world.addAll(tx({ fee: 20 }));
    assert.equal(world.pool.work().oldestSince, 500);
  });

  void it('does not grow past the bytes of the pool', () => {
    const small = tx({ fee: 10 });
    const world = new World({ bounds: { bytes: small.bytes.length } });
    world.addAll(small);
    assert.equal(world.add(tx({ fee: 100, memo: 'longer' })), 'mempool/full');
    assert.equal(world.add(tx({ fee: 100 })), 'added');
  });
});

void describe('a full pool', () => {
  void it('gives up the lowest fee for a higher one', () => {
    const world = new World({ bounds: { transactions: 3 } });
    world.addAll(tx({ from: 1, fee: 30 }), tx({ from: 2, fee: 10 }), tx({ from: 3, fee: 20 }));
    assert.equal(world.add(tx({ from: 4, fee: 15 })), 'added');
    assert.deepEqual(world.drops, ['evicted 2#0 fee 10']);
  });

  void it('refuses what pays less than the lowest, or the same, and says that this may pass', () => {
    const world = new World({ bounds: { transactions: 2 } });
    world.addAll(tx({ from: 1, fee: 30 }), tx({ from: 2, fee: 10 }));
    for (const fee of [9, 10]) {
      const result = world.pool.add(tx({ from: 4, fee }), 0);
      assert.ok(result instanceof Problem);
      assert.equal(result.code, 'mempool/full');
      assert.equal(result.details['retryable'], true);
      assert.equal(result.details['lowest'], '10');
    }
    assert.equal(world.pool.size, 2);
  });

  void it('takes from the end of a lane, so that it makes no gap', () => {
    const world = new World({ bounds: { transactions: 3 } });
    world.addAll(tx({ nonce: 0, fee: 5 }), tx({ nonce: 1, fee: 40 }), tx({ nonce: 2, fee: 50 }));
    assert.equal(world.add(tx({ from: 2, fee: 20 })), 'added');
    assert.deepEqual(world.drops, ['evicted 1#2 fee 50']);
    assert.deepEqual(world.order(), ['2#0 fee 20', '1#0 fee 5', '1#1 fee 40']);
  });

  void it('a dear last transaction does not protect the cheap ones before it', () => {
    const world = new World({ bounds: { transactions: 4 } });
    world.addAll(...[1, 1, 1, 1_000].map((fee, nonce) => tx({ nonce, fee })));
    for (const from of [2, 3, 4]) assert.equal(world.add(tx({ from, fee: 2 })), 'added');
    assert.deepEqual(world.order(), ['2#0 fee 2', '3#0 fee 2', '4#0 fee 2', '1#0 fee 1']);
  });

  void it('gives up what waits behind a gap before anything executable, however much it pays', () => {
    const world = new World({ bounds: { transactions: 2 } });
    world.addAll(tx({ from: 1, nonce: 1, fee: 1_000 }), tx({ from: 2, fee: 3 }));
    assert.equal(world.add(tx({ from: 3, fee: 0 })), 'added');
    assert.deepEqual(world.drops, ['evicted 1#1 fee 1000']);
    assert.equal(world.add(tx({ from: 1, nonce: 1, fee: 1_000 })), 'mempool/full');
  });

  void it('gives up the newest among equals', () => {
    const world = new World({ bounds: { transactions: 3 } });
    world.addAll(tx({ from: 1, fee: 5 }), tx({ from: 2, fee: 5 }), tx({ from: 3, fee: 5 }));
    world.addAll(tx({ from: 4, fee: 6 }));
    assert.deepEqual(world.drops, ['evicted 3#0 fee 5']);
  });

  void it('is bounded in bytes too, and evicts as many as a large newcomer needs', () => {
    const size = tx({ fee: 1 }).bytes.length;
    const world = new World({ bounds: { bytes: 4 * size } });
    world.addAll(...[1, 2, 3, 4].map((from) => tx({ from, fee: from })));
    const large = tx({ from: 9, fee: 100, memo: 'x'.repeat(100) });
    assert.equal(world.add(large), 'added');
    assert.deepEqual(world.drops, ['evicted 1#0 fee 1', 'evicted 2#0 fee 2']);
    assert.ok(world.pool.bytes <= 4 * size);
  });

  void it('puts the end of a lane back as it was when making room fails', () => {
    const size = tx({ fee: 1 }).bytes.length;
    const world = new World({ bounds: { bytes: 5 * size } });
    const lane = [90, 11, 10].map((fee, nonce) => tx({ from: 1, nonce, fee }));
    world.addAll(...lane, tx({ from: 2, fee: 70 }), tx({ from: 3, fee: 80 }));
    const before = world.order();
    // Without the two cheap ones it still does not fit, and all the others are dearer.
    assert.equal(world.add(tx({ from: 4, fee: 20, valueBytes: 1_000 })), 'mempool/full');
    assert.deepEqual(world.order(), before);
    world.commit(lane);
    assert.deepEqual(world.order(), ['3#0 fee 80', '2#0 fee 70']);
    assert.deepEqual(world.drops, []);
  });

  void it('evicts nothing for a newcomer that would not fit even so', () => {
    const size = tx({ fee: 1 }).bytes.length;
    const world = new World({ bounds: { bytes: 4 * size } });
    world.addAll(...[1, 50, 60, 70].map((fee, index) => tx({ from: index + 1, fee })));
    const before = world.order();
    assert.equal(world.add(tx({ from: 9, fee: 20, memo: 'x'.repeat(100) })), 'mempool/full');
    assert.deepEqual(world.order(), before);
    assert.deepEqual(world.drops, []);
    assert.equal(world.pool.size, 4);
    assert.deepEqual(world.pool.work(), { executable: 4, oldestSince: 0, passedOverSince: null, waiting: 0 });
  });
});

void describe('what is refused', () => {
  void it('moves nothing, however many wait that would have to go for it', () => {
    const world = new World();
    world.accounts.set(sender(1), { balance: 1_100n, nonce: 0, held: 0n, keys: undefined });
    world.addAll(tx({ from: 2 }), tx({ from: 3 }), tx({ nonce: 1, fee: 1_000 }));
    for (let nonce = 3; nonce < 103; nonce++) world.addAll(tx({ nonce, fee: 1 }));
    // The order that is walked notices every change.
    const order = world.pool.candidates(world.accountOf);
    order.next();
    assert.equal(world.add(tx({ nonce: 1, fee: 1_090 })), 'mempool/replacement-underpriced');
    assert.equal(world.add(tx({ nonce: 2, fee: 101 })), 'transaction/fee-not-payable');
    assert.deepEqual([...order].map(name), ['3#0 fee 10']);
    assert.deepEqual(world.drops, []);
    assert.equal(world.add(tx({ nonce: 2, fee: 90 })), 'added');
    assert.equal(world.drops.length, 90, 'the highest of them go for a lower one that can be paid');
  });
});

void describe('the order of blocks', () => {
  void it('puts higher fees first, and those that waited longer first among equals', () => {
    const world = new World();
    world.addAll(tx({ from: 1, fee: 10 }), tx({ from: 2, fee: 30 }), tx({ from: 3, fee: 10 }));
    assert.deepEqual(world.order(), ['2#0 fee 30', '1#0 fee 10', '3#0 fee 10']);
  });

  void it('never puts a nonce before a lower one of its sender', () => {
    const world = new World();
    world.addAll(tx({ nonce: 0, fee: 1 }), tx({ nonce: 1, fee: 100 }), tx({ from: 2, fee: 50 }));
    assert.deepEqual(world.order(), ['2#0 fee 50', '1#0 fee 1', '1#1 fee 100']);
  });

  void it('gives all senders their turn after a bounded share of one', () => {
    const world = new World({ bounds: { senderShare: 2 } });
    world.addAll(...[0, 1, 2, 3, 4].map((nonce) => tx({ nonce, fee: 100 })));
    world.addAll(tx({ from: 2, fee: 1 }), tx({ from: 3, fee: 2 }));
    assert.deepEqual(world.order(), [
      '1#0 fee 100',
      '1#1 fee 100',
      '3#0 fee 2',
      '2#0 fee 1',
      '1#2 fee 100',
      '1#3 fee 100',
      '1#4 fee 100',
    ]);
  });

  void it('starts each sender where the given state is, and removes nothing', () => {
    const world = new World();
    world.addAll(tx({ nonce: 0 }), tx({ nonce: 1 }), tx({ nonce: 2 }), tx({ from: 2 }));
    const ahead = new Map([
      [sender(1), 2],
      [sender(2), 1],
    ]);
    const on = (key: ReturnType<typeof sender>) => ({
      balance: 1_000n,
      held: 0n,
      nonce: ahead.get(key) ?? 0,
      keys: undefined,
    });
    assert.deepEqual([...world.pool.candidates(on)].map(name), ['1#2 fee 10']);
    assert.equal(world.pool.size, 4);
    assert.equal(world.order().length, 4);
  });

  void it('looks at no more senders than it has to', () => {
    const world = new World();
    for (let from = 1; from <= 2_000; from++) world.addAll(tx({ from, fee: from }));
    let asked = 0;
    const counting = (key: ReturnType<typeof sender>) => {
      asked += 1;
      return world.accountOf(key);
    };
    const block: Transaction[] = [];
    for (const each of world.pool.candidates(counting)) if (block.push(each) === 100) break;
    assert.ok(asked <= 101, `${asked} senders for 100 transactions`);
    world.pool.proposed({ height: toHeight(1), transactionHashes: block.map((each) => each.hash) });
    asked = 0;
    let next = 0;
    for (const each of world.pool.candidates(counting, toHeight(2))) {
      assert.equal(each.fee, BigInt(1_900 - next));
      if (++next === 100) break;
    }
    assert.ok(asked <= 101, `${asked} senders for 100 more transactions`);
  });
});

void describe('blocks in flight', () => {
  void it('are skipped, and come back when another block takes their height', () => {
    const world = new World();
    const [a, b] = [tx({ from: 1, fee: 30 }), tx({ from: 2, fee: 20 })];
    world.addAll(a, b);
    world.pool.proposed({ height: toHeight(1), transactionHashes: [a.hash] });
    world.pool.proposed({ height: toHeight(2), transactionHashes: [b.hash] });
    const at = (height: number) => [...world.pool.candidates(world.accountOf, toHeight(height))].map(name);
    assert.deepEqual(at(3), []);
    assert.deepEqual(at(2), ['2#0 fee 20']);
    world.pool.proposed({ height: toHeight(1), transactionHashes: [b.hash] });
    assert.deepEqual(at(2), ['1#0 fee 30']);
    world.pool.withdrawn(toHeight(1));
    assert.deepEqual(at(1), ['1#0 fee 30', '2#0 fee 20']);
  });

  void it('that lost their height to a final block leave nothing hidden', () => {
    const world = new World();
    const [a, b] = [tx({ from: 1, fee: 30 }), tx({ from: 2, fee: 20 })];
    world.addAll(a, b);
    world.pool.proposed({ height: toHeight(1), transactionHashes: [a.hash] });
    world.commit([b]);
    assert.deepEqual(world.order(), ['1#0 fee 30']);
  });

  void it('may hold what the pool evicts or never had', () => {
    const world = new World({ bounds: { transactions: 1 } });
    const a = tx({ from: 1, fee: 1 });
    world.addAll(a);
    world.pool.proposed({ height: toHeight(1), transactionHashes: [a.hash, tx({ from: 7 }).hash] });
    world.addAll(tx({ from: 2, fee: 5 }));
    assert.equal(world.add(a), 'mempool/full');
    world.commit([a]);
    assert.deepEqual(world.order(), ['2#0 fee 5']);
  });
});

void describe('a final block', () => {
  void it('takes its transactions out', () => {
    const world = new World();
    const [a, b, c] = [tx({ nonce: 0 }), tx({ nonce: 1 }), tx({ from: 2 })];
    world.addAll(a, b, c);
    world.commit([a, c]);
    assert.deepEqual(world.order(), ['1#1 fee 10']);
    assert.deepEqual(world.drops, []);
    assert.equal(world.pool.bytes, b.bytes.length);
  });

  void it('supersedes a rival with the same nonce, and frees what waited behind a nonce that only others knew', () => {
    const world = new World();
    world.addAll(tx({ nonce: 0, memo: 'mine' }), tx({ nonce: 2 }));
    world.commit([tx({ nonce: 0, memo: 'theirs' }), tx({ nonce: 1 })]);
    assert.deepEqual(world.drops, ['superseded 1#0 fee 10']);
    assert.deepEqual(world.order(), ['1#2 fee 10']);
  });

  void it('expires what can stand in no later block, and the rest of its lane waits', () => {
    const world = new World();
    world.addAll(tx({ nonce: 0, expiry: 2 }), tx({ nonce: 1 }));
    world.commit([]);
    assert.equal(world.pool.size, 2);
    world.commit([]);
    assert.deepEqual(world.drops, ['expired 1#0 fee 10']);
    assert.deepEqual(world.order(), []);
    assert.equal(world.pool.work().executable, 0);
    assert.equal(world.pool.pendingNonce(sender(1)), 0);
  });

  void it('drops from the end of a lane what its sender can no longer pay for', () => {
    const world = new World();
    world.accounts.set(sender(1), { balance: 100n, nonce: 0, held: 0n, keys: undefined });
    const spend = tx({ nonce: 0, fee: 10, amount: 75n });
    world.addAll(spend, tx({ nonce: 1, fee: 10 }), tx({ nonce: 2, fee: 10 }));
    world.commit([spend]);
    assert.deepEqual(world.drops, ['fee-not-payable 1#2 fee 10']);
    assert.deepEqual(world.order(), ['1#1 fee 10']);
  });
});

void describe('work', () => {
  void it('tells since when the oldest could be executed: for one behind a gap since the gap was filled', () => {
    const world = new World();
    world.now = 100;
    world.addAll(tx({ nonce: 1 }));
    assert.deepEqual(world.pool.work(), {
      executable: 0,
      oldestSince: null,
      passedOverSince: null,
      waiting: 1,
    });
    world.now = 250;
    const first = tx({ nonce: 0 });
    world.addAll(first);
    world.now = 300;
    world.commit([first]);
    assert.equal(world.pool.work().oldestSince, 250);
  });

  void it('calls passed over what a block with room left out, and nothing that came later', () => {
    const world = new World();
    world.now = 10;
    world.addAll(tx({ from: 1 }));
    world.now = 20;
    world.commit([], { hadRoom: false });
    assert.equal(world.pool.work().passedOverSince, null);
    world.now = 30;
    world.commit([], { hadRoom: true });
    assert.equal(world.pool.work().passedOverSince, 10);
    world.now = 40;
    const [late] = [tx({ from: 2 })];
    world.addAll(late);
    world.commit([tx({ from: 1 })], { hadRoom: false });
    assert.deepEqual(world.pool.work(), {
      executable: 1,
      oldestSince: 40,
      passedOverSince: null,
      waiting: 0,
    });
  });
});

void describe('our own promises', () => {
  void it('time does not go back', () => {
    const world = new World();
    world.now = 5;
    world.addAll(tx({}));
    assert.throws(() => world.pool.add(tx({ from: 2 }), 4), /broken invariant/);
  });

  void it('the order is not walked over a pool that changes', () => {
    const world = new World();
    world.addAll(tx({ from: 1 }), tx({ from: 2 }));
    const walk = world.pool.candidates(world.accountOf);
    walk.next();
    world.addAll(tx({ from: 3 }));
    assert.throws(() => walk.next(), /broken invariant/);
  });

  void it('of a sender whose transaction was passed over no later one is shown, and of the others all are', () => {
    const world = new World();
    const later = Array.from({ length: 50 }, (_, nonce) => tx({ from: 1, nonce, fee: 100 }));
    world.addAll(...later, tx({ from: 2, fee: 10 }), tx({ from: 3, fee: 5 }));
    const walk = world.pool.candidates(world.accountOf);
    const shown: string[] = [];
    for (let step = walk.next(); step.done !== true;) {
      shown.push(name(step.value));
      const isStuck = step.value.sender === sender(1) && step.value.nonce === 2;
      step = walk.next(isStuck ? 'transaction/fee-not-payable' : undefined);
    }
    assert.deepEqual(shown, ['1#0 fee 100', '1#1 fee 100', '1#2 fee 100', '2#0 fee 10', '3#0 fee 5']);
    assert.equal([...world.pool.candidates(world.accountOf)].length, 52, 'they wait on');
  });

  void it('stays within its bounds when twenty times as many come', () => {
    const world = new World({ bounds: { transactions: 1_000 } });
    for (let index = 0; index < 20_000; index++) world.add(tx({ from: 1 + (index % 5_000), fee: index }));
    assert.equal(world.pool.size, 1_000);
    assert.equal(world.order().length, 1_000);
    assert.equal(world.pool.work().executable, 1_000);
  });
});

void describe('of one sender the lower nonces', () => {
  /** Money for the fees of so many, and the rest is for the amounts. */
  const poor = (balance: bigint): World => {
    const world = new World();
    world.accounts.set(sender(1), { balance, nonce: 0, held: 0n, keys: undefined });
    return world;
  };

  void it('push out what waits behind a gap, when the balance does not pay for both', () => {
    const world = poor(15n);
    world.addAll(tx({ nonce: 1, fee: 10 }));
    assert.equal(world.add(tx({ nonce: 0, fee: 10 })), 'added');
    assert.deepEqual(world.order(), ['1#0 fee 10']);
    assert.deepEqual(world.drops, ['fee-not-payable 1#1 fee 10']);
  });

  void it('leave the same executable whatever the order of arrival', () => {
    const all = [0, 1, 2, 3].map((nonce) => tx({ nonce, fee: [3, 9, 2, 7][nonce] ?? 0 }));
    const results = new Set<string>();
    for (const order of permutations(all)) {
      const world = poor(14n);
      for (const transaction of order) world.add(transaction);
      results.add(world.order().join());
    }
    assert.deepEqual([...results], ['1#0 fee 3,1#1 fee 9,1#2 fee 2']);
  });

  void it('push out what waits behind a gap when the sender has its share of the pool', () => {
    const world = new World({ bounds: { perSender: 2, nonceGap: 10 } });
    world.addAll(tx({ nonce: 5 }), tx({ nonce: 7 }));
    assert.equal(world.add(tx({ nonce: 9 })), 'mempool/sender-full');
    assert.equal(world.add(tx({ nonce: 0 })), 'added');
    assert.deepEqual(world.order(), ['1#0 fee 10']);
    assert.equal(world.pool.has(tx({ nonce: 7 }).hash), false);
    assert.equal(world.pool.has(tx({ nonce: 5 }).hash), true);
  });

  void it('push out nobody when that is not enough, nothing executable, and nobody else’s', () => {
    const world = poor(15n);
    world.addAll(tx({ nonce: 0, fee: 8 }), tx({ nonce: 2, fee: 3 }), tx({ from: 2, nonce: 1, fee: 1 }));
    assert.equal(world.add(tx({ nonce: 1, fee: 8 })), 'transaction/fee-not-payable');
    assert.equal(world.pool.size, 3);
    assert.deepEqual(world.drops, []);
    world.addAll(tx({ nonce: 1, fee: 4 }));
    assert.deepEqual(world.order(), ['1#0 fee 8', '1#1 fee 4', '1#2 fee 3']);
  });

  void it('push out nothing that one of the same nonce is to replace', () => {
    const world = poor(100n);
    world.addAll(tx({ nonce: 0, fee: 50 }), tx({ nonce: 5, fee: 30 }));
    assert.equal(world.add(tx({ nonce: 5, fee: 60 })), 'transaction/fee-not-payable');
    assert.equal(world.add(tx({ nonce: 5, fee: 40 })), 'added');
    assert.deepEqual(world.drops, ['replaced 1#5 fee 30']);
  });

  void it('stay out of a full pool, and then those behind the gap stay in', () => {
    const world = new World({ bounds: { transactions: 3 } });
    world.accounts.set(sender(1), { balance: 15n, nonce: 0, held: 0n, keys: undefined });
    world.addAll(tx({ from: 2, fee: 50 }), tx({ from: 3, fee: 50 }), tx({ nonce: 1, fee: 10 }));
    assert.equal(world.add(tx({ nonce: 0, fee: 12 })), 'added', 'in the place of the one it pushed out');
    assert.equal(world.pool.size, 3);
    assert.equal(world.add(tx({ from: 4, fee: 5 })), 'mempool/full');
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, at) =>
    permutations([...items.slice(0, at), ...items.slice(at + 1)]).map((rest) => [item, ...rest]),
  );
}

void describe('full blocks', () => {
  const patienceMs = limits.mempoolPatienceMs;
  /** One full block each 500 ms, of a sender that the pool never heard of, for so long. */
  const fill = (world: World, ms: number, fee: number, from = 9): void => {
    for (const end = world.now + ms; world.now < end;) {
      world.now += 500;
      world.commit([tx({ from, nonce: world.accountOf(sender(from)).nonce, fee })], { hadRoom: false });
    }
  };

  void it('of cheaper ones pass over what pays more, since the first of them', () => {
    const world = new World();
    world.addAll(tx({ fee: 10 }));
    fill(world, 500, 0);
    assert.equal(world.pool.work().passedOverSince, 500);
    fill(world, 5_000, 0);
    assert.equal(world.pool.work().passedOverSince, 500);
  });

  void it('of dearer ones do not, for as long as it has not waited too long', () => {
    const world = new World();
    world.addAll(tx({ fee: 10 }));
    fill(world, 500, 0);
    // A block that it may not have reached in time, and then fair ones.
    fill(world, 500, 10);
    assert.equal(world.pool.work().passedOverSince, null);
    fill(world, 2 * patienceMs - 1_500, 1_000);
    assert.equal(world.pool.work().passedOverSince, null);
    fill(world, 500, 1_000);
    assert.equal(
      world.pool.work().passedOverSince,
      2 * patienceMs,
      'fees that come back to the proposer buy no more',
    );
    world.commit([tx({ fee: 10 })], { hadRoom: false });
    assert.equal(world.pool.work().passedOverSince, null);
  });

  void it('that gave its sender a share pass over none of the rest', () => {
    const world = new World({ bounds: { senderShare: 1 } });
    world.addAll(tx({ nonce: 0, fee: 10 }), tx({ nonce: 1, fee: 10 }));
    world.now = 100;
    world.commit([tx({ nonce: 0, fee: 10 }), tx({ from: 2, fee: 1 })], { hadRoom: false });
    assert.equal(world.pool.work().passedOverSince, null);
  });

  void it('that hold cheap ones for their age pass over nobody', () => {
    const world = new World();
    world.addAll(tx({ from: 2, fee: 0 }));
    world.now = patienceMs / 2;
    world.addAll(tx({ fee: 10 }));
    world.now += 100;
    world.commit([tx({ from: 2, fee: 0 }), tx({ from: 3, fee: 20 })], { hadRoom: false });
    assert.equal(world.pool.work().passedOverSince, null);
  });

  void it('that are built here hold those that waited long first, however dear the others are, and a few of them only', () => {
    const world = new World();
    world.addAll(
      tx({ from: 1, nonce: 0, fee: 1 }),
      tx({ from: 1, nonce: 1, fee: 30 }),
      tx({ from: 2, fee: 2 }),
    );
    world.now = patienceMs / 4;
    world.addAll(tx({ from: 3, fee: 100 }), tx({ from: 1, nonce: 2, fee: 50 }));
    assert.deepEqual(world.order(), ['1#0 fee 1', '1#1 fee 30', '2#0 fee 2', '3#0 fee 100', '1#2 fee 50']);
    const many = new World();
    for (let from = 1; from <= limits.mempoolAgedShare + 5; from++)
      many.addAll(tx({ from: from + 10, fee: 1 }));
    many.now = patienceMs;
    many.addAll(tx({ from: 1, fee: 100 }));
    assert.equal(many.order().indexOf('1#0 fee 100'), limits.mempoolAgedShare);
  });

  void it('that take old ones one by one, each just before its time, pass over those that come after them', () => {
    const world = new World();
    const decoys = Array.from({ length: 40 }, (_, i) => tx({ from: 20 + i, fee: 1 }));
    world.addAll(...decoys, tx({ from: 1, fee: 1 }));
    fill(world, 2 * patienceMs, 1_000);
    let passedOverMs = 0;
    for (const decoy of decoys) {
      fill(world, patienceMs - 1_000, 1_000);
      world.now += 500;
      world.commit([decoy, tx({ from: 8, nonce: world.accountOf(sender(8)).nonce, fee: 1_000 })], {
        hadRoom: false,
      });
      passedOverMs = world.now - (world.pool.work().passedOverSince ?? world.now);
      if (passedOverMs >= patienceMs) break;
    }
    assert.ok(passedOverMs >= patienceMs);
    // A proposer that takes the oldest again has nothing more to say for itself.
    for (let block = 0; block < 20; block++) {
      world.now += 100;
      const oldest = [...world.pool.candidates(world.accountOf)].slice(0, 4);
      world.commit(oldest, { hadRoom: false });
    }
    assert.equal(world.pool.work().passedOverSince, null);
  });

  void it('that take few of the oldest pass over the others until as many fair ones came, or one that has room', () => {
    for (const ends of ['fair', 'roomy'] as const) {
      const world = new World();
      const old = Array.from({ length: 100 }, (_, i) => tx({ from: 20 + i, fee: 1 }));
      world.addAll(...old);
      fill(world, 2 * patienceMs, 1_000);
      fill(world, 10_000, 1_000);
      const { passedOverSince } = world.pool.work();
      assert.ok(passedOverSince !== null && world.now - passedOverSince >= 10_000 - 500);
      for (let block = 0; block < (ends === 'fair' ? 12 : 0); block++) {
        world.now += 100;
        world.commit([...world.pool.candidates(world.accountOf)].slice(0, 4), { hadRoom: false });
      }
      if (ends === 'roomy') world.commit(old);
      const since = ends === 'fair' ? world.now : null;
      assert.equal(world.pool.work().passedOverSince, since, 'of those that are left each has its own time');
    }
  });

  void it('are suspected of nothing when an honest proposer is flooded with dearer ones for minutes', () => {
    const world = new World();
    const room = 8;
    let nonce = 0;
    for (let block = 0; block < 300; block++) {
      world.now += 500;
      // Twice as much as there is room for, of four senders and all prices.
      for (let i = 0; i < 2 * room; i++)
        world.add(
          tx({ from: 1 + (i % 4), nonce: nonce + (i >> 2), fee: (i * 7 + block) % 40, memo: `${block}` }),
        );
      nonce += 4;
      const taken: Transaction[] = [];
      for (const transaction of world.pool.candidates(world.accountOf)) {
        if (taken.push(transaction) === room) break;
      }
      world.commit(taken, { hadRoom: taken.length < room });
      const { passedOverSince } = world.pool.work();
      assert.ok(passedOverSince === null || world.now - passedOverSince < patienceMs, `block ${block}`);
    }
    assert.ok((world.pool.work().oldestSince ?? 0) < world.now - 3 * patienceMs, 'some waited for long');
  });
});
