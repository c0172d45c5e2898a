import { defined } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import { type Height, toHeight } from './block.ts';
import type { Draft } from './draft.ts';
import type { Operation } from './operation.ts';
import type { Reservation } from './reservation.ts';
import type { ReservationId } from './reservation-id.ts';
import type { Refusal } from './receipt.ts';
import { refused, shortOf } from './refusal.ts';
import type { Place } from './state-entry.ts';
import type { Transaction } from './transaction.ts';

type Fields<Type extends Operation['type']> = Extract<Operation, { readonly type: Type }>;

/** Sets an amount of the sender's aside, or changes nothing and says why not. */
export function reserve(
  draft: Draft,
  { sender, nonce }: Pick<Transaction, 'sender' | 'nonce'>,
  { to, amount, expiryHeight }: Fields<'reserve'>,
  made: Place,
): Refusal | undefined {
  const { height } = made;
  const found = { type: 'height', height } as const;
  if (expiryHeight < height) return { code: 'transaction/reservation-past', found };
  if (expiryHeight > height + limits.maxReservationAhead)
    return { code: 'transaction/reservation-too-far', found };
  const ending = draft.ending(expiryHeight);
  const count = (ending?.count ?? 0) + 1;
  if (count > limits.maxReservationsEnding) return refused('transaction/reservations-full');
  if (!draft.accounts.debit(sender, amount)) return shortOf(draft, sender);
  draft.accounts.hold(sender, amount);
  const id = { sender, nonce, operation: made.operation };
  draft.setReservation(id, {
    recipient: to,
    amount,
    expiryHeight,
    made,
    previous: ending?.last,
    fate: { type: 'held' },
  });
  draft.endings.set(expiryHeight, { count, last: id });
  return undefined;
}

/**
 * The recipient takes what was reserved, or a part, and the rest goes back to whoever reserved it, at once;
 * or the recipient lets all of it go. Nobody else can end a reservation before its height, not even its
 * sender: a reservation that could be taken back would guarantee nothing.
 */
export function settle(
  draft: Draft,
  sender: Transaction['sender'],
  operation: Fields<'post'> | Fields<'void'>,
  at: Place,
): Refusal | undefined {
  const id = operation.reservation;
  const reservation = draft.reservation(id);
  if (reservation === undefined) return refused('transaction/no-such-reservation');
  if (reservation.recipient !== sender) return refused('transaction/not-recipient');
  const { amount, fate } = reservation;
  if (fate.type === 'expired') return refused('transaction/reservation-expired');
  if (fate.type !== 'held') return refused('transaction/reservation-settled');
  if (operation.type === 'void') {
    giveBack(draft, id, amount, amount);
    draft.setReservation(id, { ...reservation, fate: { type: 'voided', at } });
    return undefined;
  }
  const taken = operation.amount;
  if (taken > amount) {
    return { code: 'transaction/above-reserved', found: { type: 'reserved', amount } };
  }
  giveBack(draft, id, amount, amount - taken);
  draft.accounts.credit(sender, taken);
  draft.setReservation(id, { ...reservation, fate: { type: 'posted', taken, at } });
  return undefined;
}

/**
 * What a block does before its first transaction: it releases what ended at the height before, and forgets
 * what ended long ago. Each is `limits.maxReservationsEnding` at most, the one made last first.
 */
export function beginHeight(draft: Draft, height: Height): void {
  if (height < 1) return;
  const before = toHeight(height - 1);
  for (const [id, reservation] of endingAt(draft, before)) {
    if (reservation.fate.type !== 'held') continue;
    giveBack(draft, id, reservation.amount, reservation.amount);
    draft.setReservation(id, { ...reservation, fate: { type: 'expired' } });
  }
  const longAgo = toHeight(before - limits.reservationAfterlife);
  if (longAgo < 0 || draft.ending(longAgo) === undefined) return;
  for (const [id] of endingAt(draft, longAgo)) draft.setReservation(id, null);
  draft.endings.set(longAgo, null);
}

/** The reservations that end at a height, the one made last first. */
function* endingAt(draft: Draft, height: Height): Generator<readonly [ReservationId, Reservation]> {
  let id = draft.ending(height)?.last;
  while (id !== undefined) {
    const reservation: Reservation = defined(draft.reservation(id), 'a reservation that its height names');
    yield [id, reservation];
    id = reservation.previous;
  }
}

/** Ends the hold of a reservation and gives `rest` of it back to its sender. */
function giveBack(draft: Draft, { sender }: ReservationId, amount: bigint, rest: bigint): void {
  draft.accounts.hold(sender, -amount);
  draft.accounts.credit(sender, rest);
}
