import * as P from 'micro-packed';
import { toHex, fromHex } from './bytes.ts';
import { Problem } from './problem.ts';

/**
 * The one byte format of everything that is hashed, signed, sent or stored. Fixed layouts, big-endian
 * integers, a length before everything of variable size. Canonical: each value has one encoding, and
 * `decode` rejects every other byte string. Every length is checked against its limit before
 * anything of that length is read.
 */
export type Codec<T> = P.CoderType<T>;

export const u8: Codec<number> = P.U8;
export const u16: Codec<number> = P.U16BE;
export const u32: Codec<number> = P.U32BE;
/** Whole numbers up to 2^48 - 1: heights, views, times in milliseconds. All are exact as a number. */
export const u48: Codec<number> = P.int(6);
export const u64: Codec<bigint> = P.U64BE;
export const bool: Codec<boolean> = P.bool;

/** Fields in the order given, one after the other. */
export function struct<T extends object>(fields: { readonly [K in keyof T]-?: Codec<T[K]> }): Codec<T> {
  return P.struct(fields as unknown as Record<string, Codec<unknown>>) as unknown as Codec<T>;
}

/**
 * A discriminated union: the case's number in one byte, then its fields. In memory a case is
 * `{ [discriminator]: name, ...fields }`.
 */
export function union<T extends object, D extends keyof T & string>(
  discriminator: D,
  cases: {
    readonly [Name in T[D] & string]: readonly [
      number,
      Codec<Omit<Extract<T, { readonly [K in D]: Name }>, D>>,
    ];
  },
): Codec<T> {
  const tagged = P.mappedTag(u8, cases as unknown as Record<string, [number, Codec<unknown>]>);
  return P.apply(tagged as Codec<{ TAG: string; data: object }>, {
    encode: ({ TAG, data }) => ({ [discriminator]: TAG, ...data }) as T,
    decode: (value: T) => ({ TAG: value[discriminator] as string, data: value }),
  });
}

function lengthUpTo(max: number): Codec<number> {
  const size: Codec<number> = max < 2 ** 8 ? P.U8 : max < 2 ** 16 ? P.U16BE : P.U32BE;
  return P.validate(size, (length) => {
    if (length > max) throw new Error(`length ${length} is above the limit ${max}`);
    return length;
  });
}

/** Not `slice`: that of a Buffer is no copy, and what a store or a socket gives is often one. */
const copy = (raw: Uint8Array): Uint8Array => new Uint8Array(raw);

/** Exactly `length` bytes. Decoded bytes are a copy: they do not keep the input alive. */
export function fixedBytes(length: number): Codec<Uint8Array> {
  return P.apply(P.bytes(length), { encode: copy, decode: (bytes: Uint8Array) => bytes });
}

/** Up to `max` bytes behind their length. Decoded bytes are a copy. */
export function boundedBytes(max: number): Codec<Uint8Array> {
  return P.apply(P.bytes(lengthUpTo(max)), { encode: copy, decode: (bytes: Uint8Array) => bytes });
}

/** Text of up to `maxBytes` bytes in UTF-8; invalid UTF-8 is rejected. */
export function boundedText(maxBytes: number): Codec<string> {
  return P.string(lengthUpTo(maxBytes));
}

/** Up to `max` values behind their count. */
export function listOf<T>(inner: Codec<T>, max: number): Codec<readonly T[]> {
  return P.array(lengthUpTo(max), inner) as unknown as Codec<readonly T[]>;
}

/** A value that may be absent: one byte, 0 or 1, and the value after a 1. */
export function optional<T>(inner: Codec<T>): Codec<T | undefined> {
  return P.optional(P.bool, inner);
}

/** Exactly `length` bytes that are lower-case hex text in memory. */
export function hexOf<T extends string>(length: number): Codec<T> {
  return P.apply(P.bytes(length), {
    encode: (raw) => toHex(raw) as T,
    decode: (text: T) => fromHex(text),
  });
}

/** A number that is a branded type in memory. */
export function branded<T extends number>(inner: Codec<number>): Codec<T> {
  return inner as unknown as Codec<T>;
}

/** One of a fixed list of words, as its index in one byte. */
export function wordOf<T extends string>(words: readonly T[]): Codec<T> {
  const variants = Object.fromEntries(words.map((word, index) => [word, index]));
  return P.map(P.U8, variants) as unknown as Codec<T>;
}

/** Another form in memory of the same bytes. `toMemory` throws an Error with a short reason for bytes that have no such form. */
export function mapped<Inner, T>(
  inner: Codec<Inner>,
  forms: { readonly toMemory: (value: Inner) => T; readonly toBytes: (value: T) => Inner },
): Codec<T> {
  return P.apply(inner, { encode: forms.toMemory, decode: forms.toBytes });
}

/** Adds a rule to a codec; `check` throws an Error with a short reason. Applies both ways. */
export const refine = P.validate;

export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  return codec.encode(value);
}

/** The value of the bytes, or the problem `codec/malformed`. Never throws on any bytes. */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array, what: string): T | Problem {
  try {
    return codec.decode(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new Problem('codec/malformed', `${what} is malformed: ${reason}`, {
      remedy: 'Encode it exactly as the format page says; there is one encoding for each value.',
      details: { what, size: bytes.length },
    });
  }
}
