import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { limits } from '../../src/base/limits.ts';
import { unwrap } from '../../src/base/problem.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { executeBlock } from '../../src/ledger/execution.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import type { ReservationId } from '../../src/ledger/reservation-id.ts';
import type { Transaction } from '../../src/ledger/transaction.ts';
import { coinsOf, executePlainly } from '../../src/simulator/checkers/plain-ledger.ts';
import { reservationsWrong } from '../../src/simulator/checkers/plain-reservations.ts';
import { plainReceiptsRoot, plainStateRoot } from '../../src/simulator/checkers/plain-roots.ts';
import { chainId, contextAt, keyOf, plainWith, stateWith, transaction } from './samples.ts';

const names = ['alice', 'bob', 'carol'];
const person = fc.constantFrom(...names);

/** What one transaction does; which reservation it names is drawn among those that were made so far. */
type Step =
  | {
      readonly type: 'reserve';
      readonly from: string;
      readonly to: string;
      readonly amount: bigint;
      readonly ahead: number;
    }
  | {
      readonly type: 'settle';
      readonly pick: number;
      readonly taken: bigint | null;
      readonly stranger: boolean;
    }
  | { readonly type: 'transfer'; readonly from: string; readonly to: string; readonly amount: bigint };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('reserve' as const),
      from: person,
      to: person,
      amount: fc.bigInt(1n, 30n),
      ahead: fc.oneof(
        { weight: 30, arbitrary: fc.nat({ max: 4 }) },
        {
          weight: 1,
          arbitrary: fc.constantFrom(-1, limits.maxReservationAhead, limits.maxReservationAhead + 1),
        },
      ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('settle' as const),
      pick: fc.nat(),
      taken: fc.option(fc.bigInt(1n, 35n)),
      stranger: fc.integer({ min: 0, max: 9 }).map((drawn) => drawn === 0),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('transfer' as const),
      from: person,
      to: person,
      amount: fc.bigInt(1n, 30n),
    }),
  },
);

/** Each jump is over so many empty blocks, as far as a reservation can still be looked up, and a little further. */
const jump = fc.oneof(
  { weight: 30, arbitrary: fc.constant(0) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: limits.reservationAfterlife - 4, max: limits.reservationAfterlife + 4 }),
  },
);

test('reservations do what the plain rules say, in long random programs, and no coin is lost or held for nothing', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(
      fc.array(fc.record({ steps: fc.array(step, { maxLength: 8 }), skip: jump }), {
        minLength: 2,
        maxLength: 10,
      }),
      (blocks) => {
        const start = { alice: 100n, bob: 60n, carol: 40n };
        let state = stateWith(start);
        let plain = plainWith(start);
        const made: { readonly id: ReservationId; readonly to: string }[] = [];
        let height = 0;

        const grow = (transactions: readonly Transaction[]): void => {
          height += 1;
          const context = contextAt(height);
          const done = unwrap(executeBlock(state, context, transactions));
          const expected = executePlainly(plain, context, { chainId }, transactions);
          assert.ok(typeof expected !== 'string', 'the block is valid');
          assert.equal(done.receiptsRoot, plainReceiptsRoot(expected.receipts));
          assert.equal(done.state.root, plainStateRoot(expected.state));
          assert.equal(coinsOf(expected.state), 200n);
          assert.equal(reservationsWrong(expected.state, height), undefined);
          for (const { code } of done.receipts) seen.set(code, (seen.get(code) ?? 0) + 1);
          ({ state } = done);
          plain = expected.state;
        };

        for (const { steps, skip } of blocks) {
          const nonces = new Map(names.map((name) => [name, state.account(keyOf(name)).nonce]));
          const send = (from: string, operation: Operation): Transaction => {
            const nonce = nonces.get(from) ?? 0;
            nonces.set(from, nonce + 1);
            if (operation.type === 'reserve') {
              const to = names.find((name) => keyOf(name) === operation.to) ?? '';
              made.push({ id: { sender: keyOf(from), nonce, operation: 0 }, to });
            }
            return transaction({ from, nonce, fee: 0n, expiry: height + 1 }, operation);
          };
          const transactions = steps.map((one) => {
            const to = one.type === 'settle' ? undefined : keyOf(one.to);
            if (to !== undefined && one.type === 'transfer') {
              return send(one.from, { type: 'transfer', to, amount: one.amount, memo: '' });
            }
            if (to !== undefined && one.type === 'reserve') {
              const expiryHeight = toHeight(Math.max(0, height + 1 + one.ahead));
              return send(one.from, { type: 'reserve', to, amount: one.amount, expiryHeight, memo: '' });
            }
            assert.ok(one.type === 'settle');
            // Mostly one of the last few.
            const found = made.at(-1 - (one.pick % Math.min(6, Math.max(1, made.length))));
            const reservation = found?.id ?? { sender: keyOf('alice'), nonce: 0, operation: 0 };
            const from = one.stranger ? 'carol' : (found?.to ?? 'bob');
            return send(
              from,
              one.taken === null
                ? { type: 'void', reservation }
                : { type: 'post', reservation, amount: one.taken },
            );
          });
          grow(transactions);
          for (let count = 0; count < skip; count++) grow([]);
        }
      },
    ),
    { seed: 47, numRuns: 100 },
  );
  const wanted = [
    '',
    'transaction/insufficient-balance',
    'transaction/reservation-past',
    'transaction/reservation-too-far',
    'transaction/no-such-reservation',
    'transaction/not-recipient',
    'transaction/reservation-expired',
    'transaction/reservation-settled',
    'transaction/above-reserved',
  ];
  for (const what of wanted) assert.ok((seen.get(what) ?? 0) > 0, `"${what}" was exercised`);
});
