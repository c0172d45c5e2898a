import { type Codec, struct, u16, u48 } from '../base/codec.ts';
import { Problem } from '../base/problem.ts';
import { encodeAddress, parseAddress } from '../crypto/address.ts';
import { publicKeyCodec, type PublicKey } from '../crypto/signature.ts';

/**
 * The name of a reservation: the place of the operation that makes it among all operations of its sender.
 * Each nonce is used once, so it names one reservation at most, for ever; and the sender knows it before
 * anything is signed. Whoever relies on it must look it up once it is final: until then its
 * sender can replace what it names.
 */
export interface ReservationId {
  readonly sender: PublicKey;
  /** Of the transaction that makes it. */
  readonly nonce: number;
  /** The index of the operation in that transaction. */
  readonly operation: number;
}

export const reservationIdCodec: Codec<ReservationId> = struct<ReservationId>({
  sender: publicKeyCodec,
  nonce: u48,
  operation: u16,
});

/** The same as text, in JSON, paths of the API and on the command line: `ADDRESS:NONCE:OPERATION`. */
export function reservationText({ sender, nonce, operation }: ReservationId): string {
  return `${encodeAddress(sender)}:${nonce}:${operation}`;
}

/** What `reservationText` wrote. The sender may also stand there as 64 characters of hex. */
export function parseReservation(text: string): ReservationId | Problem {
  const [address = '', nonce = '', operation = '', ...more] = text.trim().split(':');
  if (more.length > 0 || !isWhole(nonce, 2 ** 48) || !isWhole(operation, 2 ** 16)) {
    return new Problem(
      'transaction/reservation-id',
      `${JSON.stringify(shortened(text))} names no reservation`,
      {
        remedy:
          'Write ADDRESS:NONCE:OPERATION: who reserved, the nonce of that transaction, and the index of the operation in it, from 0.',
      },
    );
  }
  const sender = parseAddress(address);
  return sender instanceof Problem ? sender : { sender, nonce: Number(nonce), operation: Number(operation) };
}

const isWhole = (text: string, end: number): boolean =>
  /^(?:0|[1-9][0-9]{0,15})$/.test(text) && Number(text) < end;

const shortened = (text: string): string => (text.length > 120 ? `${text.slice(0, 120)}…` : text);
