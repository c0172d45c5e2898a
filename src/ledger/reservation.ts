import { concat } from '../base/bytes.ts';
import { type Codec, encode, optional, refine, struct, u16, union } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { publicKeyCodec, type PublicKey } from '../crypto/signature.ts';
import { type Height, heightCodec } from './block.ts';
import { amountCodec } from './operation.ts';
import { type ReservationId, reservationIdCodec } from './reservation-id.ts';
import { type Place, placeCodec } from './state-entry.ts';
import { decodeStateValue } from './state-value.ts';

/** What became of a reservation. What was not taken went back to its sender at once. */
export type Fate =
  /** The recipient may still take it. */
  | { readonly type: 'held' }
  /** The recipient took this much of it; there. */
  | { readonly type: 'posted'; readonly taken: bigint; readonly at: Place }
  /** The recipient let it go; there. */
  | { readonly type: 'voided'; readonly at: Place }
  /** Nobody did anything: it was released at the beginning of the block after its last height. */
  | { readonly type: 'expired' };

/** An amount of the sender's that only the recipient can take, until a height. */
export interface Reservation {
  readonly recipient: PublicKey;
  /** What was reserved, in the smallest unit; at least 1. */
  readonly amount: bigint;
  /** The last height at which the recipient may take it. */
  readonly expiryHeight: Height;
  /** Where it was made. */
  readonly made: Place;
  /** The one made before it that ends at the same height. */
  readonly previous: ReservationId | undefined;
  readonly fate: Fate;
}

/**
 * All reservations that end at one height, as a chain: each names the one made before it. A list in one entry
 * would have to be rewritten for each new one.
 */
export interface Ending {
  /** 1 to `limits.maxReservationsEnding`. */
  readonly count: number;
  readonly last: ReservationId;
}

const reservationKind = 5;
const endingKind = 6;

export function reservationStateKey(id: ReservationId): Uint8Array {
  return concat(Uint8Array.of(reservationKind), encode(reservationIdCodec, id));
}

export function endingStateKey(height: Height): Uint8Array {
  return concat(Uint8Array.of(endingKind), encode(heightCodec, height));
}

type Fields<Type extends Fate['type']> = Omit<Extract<Fate, { readonly type: Type }>, 'type'>;

const fateCodec: Codec<Fate> = union<Fate, 'type'>('type', {
  held: [1, struct<object>({})],
  posted: [2, struct<Fields<'posted'>>({ taken: amountCodec, at: placeCodec })],
  voided: [3, struct<Fields<'voided'>>({ at: placeCodec })],
  expired: [4, struct<object>({})],
});

export const reservationCodec: Codec<Reservation> = struct<Reservation>({
  recipient: publicKeyCodec,
  amount: amountCodec,
  expiryHeight: heightCodec,
  made: placeCodec,
  previous: optional(reservationIdCodec),
  fate: fateCodec,
});

export const endingCodec: Codec<Ending> = struct<Ending>({
  count: refine(u16, `1 to ${limits.maxReservationsEnding}`, (count) => {
    if (count < 1 || count > limits.maxReservationsEnding) throw new Error('no such number of reservations');
    return count;
  }),
  last: reservationIdCodec,
});

export function encodeReservation(reservation: Reservation): Uint8Array {
  return encode(reservationCodec, reservation);
}

export function encodeEnding(ending: Ending): Uint8Array {
  return encode(endingCodec, ending);
}

/** The reservation in a state value. */
export function decodeReservation(value: Uint8Array): Reservation {
  return decodeStateValue(reservationCodec, value, 'reservation');
}

/** The same of what a height has. */
export function decodeEnding(value: Uint8Array): Ending {
  return decodeStateValue(endingCodec, value, 'ending');
}
