import type { Operation } from '../../ledger/operation.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import { accountIn, type Books, fails, pay, setAside } from './plain-books.ts';
import type { PlainPlace, PlainReservation, PlainState } from './plain-roots.ts';

/** Consensus limits, said here once more so that a changed one shows. */
const maxReservationAhead = 100_000;
const maxReservationsEnding = 256;
const reservationAfterlife = 1_000;

/** What is wrong with the reservations of a state after the block at a height; undefined when nothing is. */
export function reservationsWrong(
  { accounts, reservations }: PlainState,
  height: number,
): string | undefined {
  const held = new Map<string, bigint>();
  for (const { id, amount, until, fate } of reservations) {
    if (fate[0] !== 'held') continue;
    if (until < height) return `the reservation ${id.join(':')} stands past its height ${until}`;
    held.set(id[0], (held.get(id[0]) ?? 0n) + amount);
  }
  for (const [key, account] of accounts) {
    const reserved = held.get(key) ?? 0n;
    if (account.held !== reserved) return `${key} holds ${account.held}, and has reserved ${reserved}`;
  }
  return undefined;
}

export function reserve(
  books: Books,
  { sender, nonce }: Transaction,
  { to, amount, expiryHeight: until }: Extract<Operation, { readonly type: 'reserve' }>,
  made: PlainPlace,
): ReturnType<typeof fails> | null {
  const [height, , index] = made;
  if (until < height) return fails('transaction/reservation-past', ['height', height]);
  if (until > height + maxReservationAhead)
    return fails('transaction/reservation-too-far', ['height', height]);
  const beside = books.reservations.filter((other) => other.until === until);
  if (beside.length === maxReservationsEnding) return fails('transaction/reservations-full');
  const { balance } = accountIn(books, sender);
  if (balance < amount) return fails('transaction/insufficient-balance', ['balance', balance]);
  setAside(books, sender, amount);
  const id = [sender, nonce, index] as const;
  books.reservations.push({ id, recipient: to, amount, until, made, fate: ['held'] });
  return null;
}

export function settle(
  books: Books,
  sender: string,
  operation: Extract<Operation, { readonly type: 'post' | 'void' }>,
  place: PlainPlace,
): ReturnType<typeof fails> | null {
  const { sender: from, nonce, operation: index } = operation.reservation;
  const at = books.reservations.findIndex(({ id }) => id[0] === from && id[1] === nonce && id[2] === index);
  const found = books.reservations[at];
  if (found === undefined) return fails('transaction/no-such-reservation');
  if (found.recipient !== sender) return fails('transaction/not-recipient');
  if (found.fate[0] === 'expired') return fails('transaction/reservation-expired');
  if (found.fate[0] !== 'held') return fails('transaction/reservation-settled');
  const { amount } = found;
  if (operation.type === 'post') {
    if (operation.amount > amount) return fails('transaction/above-reserved', ['reserved', amount]);
    setAside(books, from, -amount);
    pay(books, from, -operation.amount);
    pay(books, sender, operation.amount);
    books.reservations[at] = { ...found, fate: ['posted', operation.amount, place] };
  } else {
    setAside(books, from, -amount);
    books.reservations[at] = { ...found, fate: ['voided', place] };
  }
  return null;
}

/**
 * What a block begins with: a recipient that let the height pass no longer has it, and its sender has it
 * again.
 */
export function release(books: Books, height: number): void {
  for (const [at, { id, amount, until, fate }] of books.reservations.entries()) {
    if (until >= height || fate[0] !== 'held') continue;
    setAside(books, id[0], -amount);
    books.reservations[at] = { ...(books.reservations[at] as PlainReservation), fate: ['expired'] };
  }
  const kept = books.reservations.filter(({ until }) => until + reservationAfterlife >= height);
  books.reservations.splice(0, books.reservations.length, ...kept);
}
