import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { executeBlock } from '../../src/ledger/execution.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import type { Receipt } from '../../src/ledger/receipt.ts';
import { endingStateKey, type Fate, reservationStateKey } from '../../src/ledger/reservation.ts';
import { parseReservation, type ReservationId, reservationText } from '../../src/ledger/reservation-id.ts';
import type { State } from '../../src/ledger/state.ts';
import { contextAt, keyOf, stateWith, transaction } from './samples.ts';

const id = (from: string, nonce: number, operation = 0): ReservationId => ({
  sender: keyOf(from),
  nonce,
  operation,
});
const reserve = (to: string, amount: bigint, until: number): Operation => ({
  type: 'reserve',
  to: keyOf(to),
  amount,
  expiryHeight: toHeight(until),
  memo: '',
});
const post = (reservation: ReservationId, amount: bigint): Operation => ({
  type: 'post',
  reservation,
  amount,
});
const letGo = (reservation: ReservationId): Operation => ({ type: 'void', reservation });

type Body = readonly [from: string, ...operations: Operation[]];

/** A chain of blocks, each with a few transactions. */
class Chain {
  state: State = stateWith({ alice: 100n, bob: 10n, carol: 10n });
  height = 0;

  /** Makes the next block of transactions, each of one sender's without a fee. Gives their receipts. */
  block(...bodies: readonly Body[]): readonly Receipt[] {
    this.height += 1;
    const nonces = new Map<string, number>();
    const transactions = bodies.map(([from, ...operations]) => {
      const nonce = nonces.get(from) ?? this.state.account(keyOf(from)).nonce;
      nonces.set(from, nonce + 1);
      return transaction({ from, nonce, fee: 0n, expiry: this.height }, ...operations);
    });
    const done = unwrap(executeBlock(this.state, contextAt(this.height), transactions));
    this.state = done.state;
    return done.receipts;
  }

  codes(...bodies: readonly Body[]): readonly string[] {
    return this.block(...bodies).map(({ code }) => code);
  }

  /** Empty blocks up to a height. */
  idleTo(height: number): void {
    while (this.height < height) this.block();
  }

  has(name: string): readonly [balance: bigint, held: bigint] {
    const { balance, held } = this.state.account(keyOf(name));
    return [balance, held];
  }

  fate(of: ReservationId): Fate | undefined {
    return this.state.reservation(of)?.fate;
  }
}

describe('what is reserved', () => {
  test('is its sender’s, but nobody can spend it', () => {
    const chain = new Chain();
    const [receipt] = chain.block(['alice', reserve('bob', 60n, 5)]);
    assert.deepEqual(receipt?.accounts, [{ publicKey: keyOf('alice'), balance: 40n, held: 60n }]);
    assert.deepEqual(chain.has('alice'), [40n, 60n]);
    assert.deepEqual(chain.state.reservation(id('alice', 0)), {
      recipient: keyOf('bob'),
      amount: 60n,
      expiryHeight: 5,
      made: { height: 1, transaction: 0, operation: 0 },
      previous: undefined,
      fate: { type: 'held' },
    });
    const spend: Operation = { type: 'transfer', to: keyOf('carol'), amount: 41n, memo: '' };
    assert.deepEqual(chain.codes(['alice', spend]), ['transaction/insufficient-balance']);
    assert.deepEqual(chain.codes(['alice', reserve('bob', 41n, 5)]), ['transaction/insufficient-balance']);
  });

  test('is taken by its recipient, whole or in part, and the rest is its sender’s again at once', () => {
    const chain = new Chain();
    chain.block(['alice', reserve('bob', 60n, 5), reserve('carol', 10n, 5)]);
    const [receipt] = chain.block(['bob', post(id('alice', 0), 45n)]);
    assert.deepEqual(receipt?.accounts, [
      { publicKey: keyOf('bob'), balance: 55n, held: 0n },
      { publicKey: keyOf('alice'), balance: 45n, held: 10n },
    ]);
    const at = { height: 2, transaction: 0, operation: 0 };
    assert.deepEqual(chain.fate(id('alice', 0)), { type: 'posted', taken: 45n, at });
    assert.deepEqual(chain.codes(['carol', post(id('alice', 0, 1), 10n)]), ['']);
    assert.deepEqual(chain.has('alice'), [45n, 0n]);
    assert.deepEqual(chain.has('carol'), [20n, 0n]);
    chain.idleTo(10);
    assert.deepEqual(chain.has('alice'), [45n, 0n], 'what was taken is not released once more');
  });

  test('is its sender’s again when its recipient lets it go', () => {
    const chain = new Chain();
    chain.block(['alice', reserve('bob', 60n, 5)]);
    const [receipt] = chain.block(['bob', letGo(id('alice', 0))]);
    assert.deepEqual(receipt?.accounts, [
      { publicKey: keyOf('bob'), balance: 10n, held: 0n },
      { publicKey: keyOf('alice'), balance: 100n, held: 0n },
    ]);
    assert.equal(chain.fate(id('alice', 0))?.type, 'voided');
  });

  test('can be reserved, taken and spent in one block, and in one transaction of its own sender', () => {
    const chain = new Chain();
    const pay: Operation = { type: 'transfer', to: keyOf('carol'), amount: 70n, memo: '' };
    assert.deepEqual(
      chain.codes(
        ['alice', reserve('bob', 60n, 1)],
        ['bob', post(id('alice', 0), 60n), pay],
        ['alice', reserve('alice', 40n, 9), post(id('alice', 1), 1n)],
      ),
      ['', '', ''],
    );
    assert.deepEqual(chain.has('alice'), [40n, 0n]);
    assert.deepEqual(chain.has('carol'), [80n, 0n]);
  });

  test('of a transaction that fails is nothing', () => {
    const chain = new Chain();
    assert.deepEqual(chain.codes(['alice', reserve('bob', 60n, 5), letGo(id('carol', 0))]), [
      'transaction/no-such-reservation',
    ]);
    assert.deepEqual(chain.has('alice'), [100n, 0n]);
    assert.equal(chain.fate(id('alice', 0)), undefined);
    assert.equal(chain.state.ending(toHeight(5)), undefined);
  });
});

describe('a reservation ends with its height', () => {
  test('can be taken in the block of its height, and is released before all else in the next', () => {
    const chain = new Chain();
    chain.block(['alice', reserve('bob', 60n, 3), reserve('bob', 40n, 3)]);
    chain.block();
    assert.deepEqual(chain.codes(['bob', post(id('alice', 0), 60n)]), ['']);
    assert.deepEqual(chain.has('alice'), [0n, 40n]);
    const all: Operation = { type: 'transfer', to: keyOf('carol'), amount: 40n, memo: '' };
    assert.deepEqual(chain.codes(['bob', post(id('alice', 0, 1), 1n)], ['alice', all]), [
      'transaction/reservation-expired',
      '',
    ]);
    assert.deepEqual(chain.fate(id('alice', 0, 1)), { type: 'expired' });
    assert.deepEqual(chain.codes(['bob', letGo(id('alice', 0, 1))]), ['transaction/reservation-expired']);
  });

  test('also when the block is empty, and one of several senders does not wait for another', () => {
    const chain = new Chain();
    chain.block(
      ['alice', reserve('bob', 60n, 2)],
      ['carol', reserve('bob', 5n, 2)],
      ['bob', reserve('carol', 1n, 7)],
    );
    chain.idleTo(3);
    assert.deepEqual(chain.has('alice'), [100n, 0n]);
    assert.deepEqual(chain.has('carol'), [10n, 0n]);
    assert.deepEqual(chain.has('bob'), [9n, 1n]);
  });

  test('and can be looked up for a while, with what became of it; then nothing is left of it', () => {
    const chain = new Chain();
    chain.block(['alice', reserve('bob', 60n, 2), reserve('bob', 5n, 2)]);
    chain.block(['bob', post(id('alice', 0), 60n)]);
    const empty = unwrap(executeBlock(chain.state, contextAt(3), [])).state;
    const keys = [
      endingStateKey(toHeight(2)),
      reservationStateKey(id('alice', 0)),
      reservationStateKey(id('alice', 0, 1)),
    ];
    chain.state = empty;
    chain.height = 2 + limits.reservationAfterlife - 1;
    chain.block();
    for (const key of keys) assert.ok(chain.state.get(key) !== undefined);
    chain.block();
    for (const key of keys) assert.equal(chain.state.get(key), undefined);
    assert.deepEqual(chain.codes(['bob', letGo(id('alice', 0))]), ['transaction/no-such-reservation']);
  });

  test('which is not past, and not too far ahead', () => {
    const chain = new Chain();
    chain.idleTo(4);
    const far = 5 + limits.maxReservationAhead;
    const receipts = chain.block(
      ['alice', reserve('bob', 1n, 4)],
      ['alice', reserve('bob', 1n, 5)],
      ['alice', reserve('bob', 1n, far)],
      ['alice', reserve('bob', 1n, far + 1)],
    );
    assert.deepEqual(
      receipts.map(({ code }) => code),
      ['transaction/reservation-past', '', '', 'transaction/reservation-too-far'],
    );
    assert.deepEqual(receipts[0]?.failure?.found, { type: 'height', height: 5 });
  });

  test('which has room for so many; the next height has room for more, and all are released', () => {
    const chain = new Chain();
    const many = Array.from({ length: 100 }, () => reserve('bob', 1n, 4));
    chain.state = stateWith({ alice: 1_000n });
    chain.block(['alice', ...many], ['alice', ...many], ['alice', ...many.slice(0, 55)]);
    assert.deepEqual(
      chain.codes(
        ['alice', reserve('bob', 1n, 4), reserve('bob', 1n, 4)],
        ['alice', reserve('bob', 1n, 4)],
        ['alice', reserve('bob', 1n, 4)],
        ['alice', reserve('bob', 1n, 3)],
      ),
      ['transaction/reservations-full', '', 'transaction/reservations-full', ''],
    );
    assert.equal(chain.state.ending(toHeight(4))?.count, limits.maxReservationsEnding);
    assert.deepEqual(chain.has('alice'), [743n, 257n]);
    chain.idleTo(5);
    assert.deepEqual(chain.has('alice'), [1_000n, 0n]);
  });
});

describe('what cannot be done has a code of its own', () => {
  const cases: readonly [what: string, from: string, Operation, code: string][] = [
    ['to post what was never reserved', 'bob', post(id('alice', 7), 1n), 'no-such-reservation'],
    ['to void what was never reserved', 'bob', letGo(id('bob', 0)), 'no-such-reservation'],
    ['to post what is for somebody else', 'carol', post(id('alice', 0), 1n), 'not-recipient'],
    ['to void what is for somebody else', 'carol', letGo(id('alice', 0)), 'not-recipient'],
    ['to take back what one reserved', 'alice', letGo(id('alice', 0)), 'not-recipient'],
    ['to take what one reserved', 'alice', post(id('alice', 0), 1n), 'not-recipient'],
    ['to post more than was reserved', 'bob', post(id('alice', 0), 61n), 'above-reserved'],
    ['to post what was posted', 'bob', post(id('alice', 0, 1), 1n), 'reservation-settled'],
    ['to void what was posted', 'bob', letGo(id('alice', 0, 1)), 'reservation-settled'],
    ['to void what was voided', 'bob', letGo(id('alice', 0, 2)), 'reservation-settled'],
    ['to post what was voided', 'bob', post(id('alice', 0, 2), 1n), 'reservation-settled'],
  ];
  for (const [what, from, operation, code] of cases) {
    test(what, () => {
      const chain = new Chain();
      chain.block(['alice', reserve('bob', 60n, 5), reserve('bob', 5n, 5), reserve('bob', 5n, 5)]);
      chain.block(['bob', post(id('alice', 0, 1), 5n), letGo(id('alice', 0, 2))]);
      const before = chain.has('alice');
      assert.deepEqual(chain.codes([from, operation]), [`transaction/${code}`]);
      assert.deepEqual(chain.has('alice'), before);
      assert.equal(chain.fate(id('alice', 0))?.type, 'held');
    });
  }

  test('to reserve, post or transfer nothing', () => {
    const nothing = [
      reserve('bob', 0n, 5),
      post(id('alice', 0), 0n),
      { type: 'transfer', to: keyOf('bob'), amount: 0n, memo: '' } as const,
    ];
    for (const operation of nothing) {
      assert.throws(
        () => transaction({ from: 'alice', nonce: 0 }, operation),
        (error) => error instanceof Problem && error.code === 'transaction/zero-amount',
      );
    }
  });
});

test('a reservation has one name, which is read as it is written', () => {
  const name = reservationText(id('alice', 7, 3));
  assert.equal(name, `${encodeAddress(keyOf('alice'))}:7:3`);
  assert.deepEqual(parseReservation(name), id('alice', 7, 3));
  assert.deepEqual(parseReservation(`${keyOf('alice')}:0:65535`), id('alice', 0, 65_535));
  const address = encodeAddress(keyOf('alice'));
  for (const wrong of [
    '',
    address,
    `${address}:7`,
    `${name}:`,
    `${address}:07:3`,
    `${address}:7:65536`,
    `${address}:${2 ** 48}:0`,
    `${address}:-1:0`,
    `${address}:1e3:0`,
    `${address}: 1:0`,
  ]) {
    const problem = parseReservation(wrong);
    assert.ok(problem instanceof Problem && problem.code === 'transaction/reservation-id', wrong);
  }
  const typo = parseReservation(`${address.slice(0, -1)}q:7:3`);
  assert.ok(typo instanceof Problem && typo.code === 'keys/address');
});
