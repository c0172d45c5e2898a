import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { utf8 } from './bytes.ts';
import { invariant } from './invariant.ts';
import type { Layout } from './layout.ts';
import { Problem } from './problem.ts';

/**
 * The one byte format of everything that is hashed, signed, sent or stored. Fixed layouts, big-endian
 * integers, a length before everything of variable size. Canonical: each value has one encoding, and
 * `decode` rejects every other byte string. Every length is checked against its limit before
 * anything of that length is read.
 *
 * A codec writes what it reads and reads what it writes. Both throw an Error with a short reason
 * for what is not a value.
 */
export interface Codec<T> {
  /** The same as data: the specification is written from it. */
  readonly layout: Layout;
  write(writer: ByteWriter, value: T): void;
  read(reader: ByteReader): T;
}

/** What is wrong, and where. */
class FormError extends Error {
  readonly reason: string;
  readonly path: string;

  private constructor(path: string, reason: string, cause: unknown) {
    super(`${path}: ${reason}`, { cause });
    this.path = path;
    this.reason = reason;
  }

  static within(place: string | number, cause: unknown): FormError {
    if (cause instanceof FormError) return new FormError(`${place}/${cause.path}`, cause.reason, cause.cause);
    return new FormError(`${place}`, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function checkInteger(value: number, max: number): number {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new Error(`${value} is not a whole number from 0 to ${max}`);
  }
  return value;
}

export const u8: Codec<number> = {
  layout: { type: 'integer', bytes: 1 },
  write: (writer, value) => writer.u8(checkInteger(value, 2 ** 8 - 1)),
  read: (reader) => reader.u8(),
};

export const u16: Codec<number> = {
  layout: { type: 'integer', bytes: 2 },
  write: (writer, value) => writer.u16(checkInteger(value, 2 ** 16 - 1)),
  read: (reader) => reader.u16(),
};

export const u32: Codec<number> = {
  layout: { type: 'integer', bytes: 4 },
  write: (writer, value) => writer.u32(checkInteger(value, 2 ** 32 - 1)),
  read: (reader) => reader.u32(),
};

/** Whole numbers up to 2^48 - 1: heights, views, times in milliseconds. All are exact as a number. */
export const u48: Codec<number> = {
  layout: { type: 'integer', bytes: 6 },
  write(writer, value) {
    checkInteger(value, 2 ** 48 - 1);
    writer.u16(Math.floor(value / 2 ** 32));
    writer.u32(value % 2 ** 32);
  },
  read: (reader) => reader.u16() * 2 ** 32 + reader.u32(),
};

const u64Values = BigInt(2 ** 64);

export const u64: Codec<bigint> = {
  layout: { type: 'integer', bytes: 8 },
  write(writer, value) {
    if (typeof value !== 'bigint' || value < 0n || value >= u64Values) {
      throw new Error(`${value} is not a big integer from 0 to 2^64 - 1`);
    }
    writer.u64(value);
  },
  read(reader) {
    const high = reader.u32();
    const low = reader.u32();
    // Most amounts are exact as a number, and that is the faster way.
    return high < 2 ** 21 ? BigInt(high * 2 ** 32 + low) : (BigInt(high) << 32n) | BigInt(low);
  },
};

export const bool: Codec<boolean> = {
  layout: { type: 'bool' },
  write(writer, value) {
    if (typeof value !== 'boolean') throw new Error(`${String(value)} is not a bool`);
    writer.u8(value ? 1 : 0);
  },
  read(reader) {
    const byte = reader.u8();
    if (byte > 1) throw new Error(`${byte} is not a bool`);
    return byte === 1;
  },
};

/** Fields in the order given, one after the other. */
export function struct<T extends object>(fields: { readonly [K in keyof T]-?: Codec<T[K]> }): Codec<T> {
  const names = Object.keys(fields);
  const codecs = Object.values<Codec<unknown>>(fields);
  return {
    layout: { type: 'struct', fields: layoutsOf(fields) },
    write(writer, value) {
      let index = 0;
      try {
        for (; index < codecs.length; index++) {
          (codecs[index] as Codec<unknown>).write(writer, (value as Values)[names[index] as string]);
        }
      } catch (cause) {
        throw FormError.within(names[index] ?? '', cause);
      }
    },
    read(reader) {
      const value: Values = {};
      let index = 0;
      try {
        for (; index < codecs.length; index++) {
          value[names[index] as string] = (codecs[index] as Codec<unknown>).read(reader);
        }
      } catch (cause) {
        throw FormError.within(names[index] ?? '', cause);
      }
      return value as T;
    },
  };
}

type Values = Record<string, unknown>;

function layoutsOf(codecs: object): (readonly [string, Layout])[] {
  return Object.entries<Codec<unknown>>(codecs as never).map(([name, { layout }]) => [name, layout]);
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
  const byName = new Map<unknown, { name: string; tag: number; codec: Codec<object> }>();
  const byTag = new Map<number, { name: string; tag: number; codec: Codec<object> }>();
  for (const [name, [tag, codec]] of Object.entries<readonly [number, Codec<object>]>(cases)) {
    invariant(!byTag.has(tag), 'each case has a number of its own');
    byName.set(name, { name, tag, codec });
    byTag.set(tag, { name, tag, codec });
  }
  return {
    layout: {
      type: 'union',
      discriminator,
      cases: [...byTag.values()].map(({ name, tag, codec }) => ({ name, tag, layout: codec.layout })),
    },
    write(writer, value) {
      const found = byName.get(value[discriminator]);
      if (found === undefined) throw new Error(`unknown case ${String(value[discriminator])}`);
      writer.u8(found.tag);
      found.codec.write(writer, value);
    },
    read(reader) {
      const tag = reader.u8();
      const found = byTag.get(tag);
      if (found === undefined) throw new Error(`unknown case ${tag}`);
      return { [discriminator]: found.name, ...found.codec.read(reader) } as T;
    },
  };
}

/** A length or a count in as many bytes as its limit needs. */
function lengthUpTo(max: number): Codec<number> {
  const size = max < 2 ** 8 ? u8 : max < 2 ** 16 ? u16 : u32;
  const check = (length: number): number => {
    if (length > max) throw new Error(`length ${length} is above the limit ${max}`);
    return length;
  };
  return {
    layout: size.layout,
    write: (writer, length) => size.write(writer, check(length)),
    read: (reader) => check(size.read(reader)),
  };
}

function checkBytes(value: Uint8Array): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new Error('these are not bytes');
  return value;
}

/** Exactly `length` bytes. Decoded bytes are a copy: they do not keep the input alive. */
export function fixedBytes(length: number): Codec<Uint8Array> {
  return {
    layout: { type: 'fixed', bytes: length },
    write(writer, value) {
      if (checkBytes(value).length !== length) throw new Error(`${value.length} bytes are not ${length}`);
      writer.bytes(value);
    },
    read: (reader) => reader.bytes(length),
  };
}

/**
 * Up to `max` bytes behind their length. Decoded bytes are a copy. `holds` says what they are, where that is
 * known elsewhere.
 */
export function boundedBytes(max: number, holds?: string): Codec<Uint8Array> {
  const length = lengthUpTo(max);
  return {
    layout: { type: 'bytes', max, holds },
    write(writer, value) {
      length.write(writer, checkBytes(value).length);
      writer.bytes(value);
    },
    read: (reader) => reader.bytes(length.read(reader)),
  };
}

/**
 * The same bytes as `boundedBytes` for a form in memory that keeps none of them: `toMemory` gets a view of
 * the input, which may be overwritten afterwards, and must copy what it keeps.
 */
export function mappedBytes<T>(
  max: number,
  holds: string,
  forms: { readonly toMemory: (view: Uint8Array) => T; readonly toBytes: (value: T) => Uint8Array },
): Codec<T> {
  const length = lengthUpTo(max);
  return {
    layout: { type: 'bytes', max, holds },
    write(writer, value) {
      const bytes = checkBytes(forms.toBytes(value));
      length.write(writer, bytes.length);
      writer.bytes(bytes);
    },
    read: (reader) => forms.toMemory(reader.view(length.read(reader))),
  };
}

const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const empty = new Uint8Array();

/** Text of up to `maxBytes` bytes in UTF-8; invalid UTF-8 is rejected. */
export function boundedText(maxBytes: number): Codec<string> {
  const length = lengthUpTo(maxBytes);
  return {
    layout: { type: 'text', max: maxBytes },
    write(writer, value) {
      if (typeof value !== 'string' || !value.isWellFormed()) throw new Error('this is not a text of UTF-8');
      const bytes = value === '' ? empty : utf8(value);
      length.write(writer, bytes.length);
      writer.bytes(bytes);
    },
    read(reader) {
      const size = length.read(reader);
      if (size === 0) return '';
      const ascii = reader.ascii(size);
      if (ascii !== undefined) return ascii;
      const bytes = reader.view(size);
      try {
        return utf8Decoder.decode(bytes);
      } catch {
        throw new Error('these bytes are not UTF-8');
      }
    },
  };
}

/** Nothing can be added to it, so one is enough. */
const nothing = Object.freeze<never[]>([]);

/** Up to `max` values behind their count. */
export function listOf<T>(inner: Codec<T>, max: number): Codec<readonly T[]> {
  const count = lengthUpTo(max);
  return {
    layout: { type: 'list', max, of: inner.layout },
    write(writer, values) {
      if (!Array.isArray(values)) throw new Error('this is not a list');
      count.write(writer, values.length);
      let index = 0;
      try {
        for (; index < values.length; index++) inner.write(writer, values[index] as T);
      } catch (cause) {
        throw FormError.within(index, cause);
      }
    },
    read(reader) {
      const length = count.read(reader);
      if (length === 0) return nothing;
      let index = 0;
      try {
        // One value, as most lists have, takes one place: pushed to an empty list it takes seventeen.
        const values = [inner.read(reader)];
        for (index = 1; index < length; index++) values.push(inner.read(reader));
        return values;
      } catch (cause) {
        throw FormError.within(index, cause);
      }
    },
  };
}

/** A value that may be absent: one byte, 0 or 1, and the value after a 1. */
export function optional<T>(inner: Codec<T>): Codec<T | undefined> {
  return {
    layout: { type: 'optional', of: inner.layout },
    write(writer, value) {
      bool.write(writer, value !== undefined);
      if (value !== undefined) inner.write(writer, value);
    },
    read: (reader) => (bool.read(reader) ? inner.read(reader) : undefined),
  };
}

/**
 * Fields that most values lack: one byte with a bit for each that is there, the lowest for the first, and
 * then those. So what is rare costs the others nothing.
 */
export function sparse<T extends object>(fields: {
  readonly [K in keyof T]-?: Codec<Exclude<T[K], undefined>>;
}): Codec<T> {
  const names = Object.keys(fields);
  const codecs = Object.values<Codec<unknown>>(fields);
  invariant(names.length <= 8, 'each field has a bit of the byte');
  return {
    layout: { type: 'sparse', fields: layoutsOf(fields) },
    write(writer, value) {
      let bits = 0;
      for (let index = 0; index < names.length; index++) {
        if ((value as Values)[names[index] as string] !== undefined) bits |= 1 << index;
      }
      writer.u8(bits);
      for (let index = 0; bits >> index !== 0; index++) {
        if ((bits & (1 << index)) === 0) continue;
        (codecs[index] as Codec<unknown>).write(writer, (value as Values)[names[index] as string]);
      }
    },
    read(reader) {
      const bits = reader.u8();
      if (bits >> names.length !== 0) throw new Error(`${bits} names a field that there is not`);
      const value: Values = {};
      for (let index = 0; index < names.length; index++) {
        value[names[index] as string] =
          (bits & (1 << index)) === 0 ? undefined : (codecs[index] as Codec<unknown>).read(reader);
      }
      return value as T;
    },
  };
}

/** Exactly `length` bytes that are lower-case hex text in memory. */
export function hexOf<T extends string>(length: number): Codec<T> {
  return {
    layout: { type: 'fixed', bytes: length },
    write(writer, text) {
      if (typeof text !== 'string' || !writer.hex(text, length)) {
        throw new Error(`this is not the hex of ${length} bytes`);
      }
    },
    read: (reader) => reader.hex(length) as T,
  };
}

/** The same codec of the hex of 32 bytes, for those that stand in many encodings: one text for all. */
export function knownHex<T extends string>(codec: Codec<T>): Codec<T> {
  return { ...codec, read: (reader) => reader.knownHex() as T };
}

/** A number that is a branded type in memory. */
export function branded<T extends number>(inner: Codec<number>): Codec<T> {
  return inner as Codec<T>;
}

/** One of a fixed list of words, as its index in one byte. */
export function wordOf<T extends string>(words: readonly T[]): Codec<T> {
  const indexes = new Map<unknown, number>(words.map((word, index) => [word, index]));
  return {
    layout: { type: 'word', words },
    write(writer, word) {
      const index = indexes.get(word);
      if (index === undefined) throw new Error(`unknown word ${word}`);
      writer.u8(index);
    },
    read(reader) {
      const index = reader.u8();
      const word = words[index];
      if (word === undefined) throw new Error(`unknown word ${index}`);
      return word;
    },
  };
}

/**
 * Another form in memory of the same bytes. `toMemory` throws an Error with a short reason for
 * bytes that have no such form.
 */
export function mapped<Inner, T>(
  inner: Codec<Inner>,
  forms: { readonly toMemory: (value: Inner) => T; readonly toBytes: (value: T) => Inner },
): Codec<T> {
  return {
    layout: inner.layout,
    write: (writer, value) => inner.write(writer, forms.toBytes(value)),
    read: (reader) => forms.toMemory(inner.read(reader)),
  };
}

/**
 * Adds a rule to a codec, in words and as code; `check` throws an Error with a short reason, or a `Problem`
 * with a code and a remedy of its own. Applies both ways, and only to what has the form of a `T`.
 */
export function refine<T>(inner: Codec<T>, rule: string, check: (value: T) => T): Codec<T> {
  return {
    layout: { type: 'ruled', of: inner.layout, rule },
    write: (writer, value) => {
      inner.write(writer, value);
      check(value);
    },
    read: (reader) => check(inner.read(reader)),
  };
}

/**
 * The same codec with a short way to read what most values are. `read` gives undefined, or throws, for what
 * it leaves to the codec, which then reads from the same place on: so the codec alone says what is a value,
 * and what is wrong with anything else. What `read` gives must be what the codec would.
 */
export function withShortcut<T>(codec: Codec<T>, read: (reader: ByteReader) => T | undefined): Codec<T> {
  return {
    layout: codec.layout,
    write: (writer, value) => codec.write(writer, value),
    read(reader) {
      const { at } = reader;
      let value: T | undefined;
      try {
        value = read(reader);
      } catch {
        // The codec finds the same, and where.
      }
      if (value !== undefined) return value;
      reader.at = at;
      return codec.read(reader);
    },
  };
}

/** The writer of the encoding before, unless one is under way: then that has it. */
let spare: ByteWriter | undefined;

export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  return writing((writer) => {
    codec.write(writer, value);
    return writer.taken();
  });
}

/** Lends a writer for as long as `write` runs. */
export function writing<T>(write: (writer: ByteWriter) => T): T {
  const writer = spare ?? new ByteWriter();
  spare = undefined;
  try {
    return write(writer);
  } finally {
    writer.clear();
    spare = writer;
  }
}

/** The problem of its own that a rule inside threw, however deep inside. */
export function problemInside(cause: unknown): Problem | undefined {
  const innermost = cause instanceof FormError ? cause.cause : cause;
  return innermost instanceof Problem ? innermost : undefined;
}

/**
 * The value of the bytes, or the problem `codec/malformed`, or that of its own which a rule threw.
 * Never throws on any bytes.
 */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array, what: string): T | Problem {
  try {
    const reader = new ByteReader(bytes);
    const value = codec.read(reader);
    if (reader.left > 0) throw new Error(`${reader.left} bytes are left after its end`);
    return value;
  } catch (cause) {
    const own = problemInside(cause);
    if (own !== undefined) return own;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new Problem('codec/malformed', `${what} is malformed: ${reason}`, {
      remedy: 'Encode it exactly as src/specification.md says; there is one encoding for each value.',
      details: { what, size: bytes.length },
    });
  }
}
