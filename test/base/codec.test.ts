import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { equalBytes, fromHex, toHex } from '../../src/base/bytes.ts';
import * as c from '../../src/base/codec.ts';
import { Problem } from '../../src/base/problem.ts';

/** One value that uses every kind of codec, so that one property speaks about all of them. */
type Shape =
  | { readonly type: 'circle'; readonly radius: bigint; readonly filled: boolean }
  | { readonly type: 'path'; readonly points: readonly Point[]; readonly label: string | undefined }
  | { readonly type: 'none' };

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Drawing {
  readonly id: string;
  readonly at: number;
  readonly page: number;
  readonly copies: number;
  readonly mood: 'calm' | 'wild' | 'odd';
  readonly title: string;
  readonly key: Uint8Array;
  readonly data: Uint8Array;
  readonly shapes: readonly Shape[];
  readonly scale: number;
}

const even = c.refine(c.u16, 'even', (value) => {
  if (value % 2 !== 0) throw new Error('odd');
  return value;
});

const drawingCodec = c.struct<Drawing>({
  id: c.hexOf<string>(4),
  at: c.u48,
  page: c.u32,
  copies: c.u8,
  mood: c.wordOf(['calm', 'wild', 'odd']),
  title: c.boundedText(24),
  key: c.fixedBytes(5),
  data: c.boundedBytes(300),
  shapes: c.listOf(
    c.union<Shape, 'type'>('type', {
      circle: [1, c.struct<{ radius: bigint; filled: boolean }>({ radius: c.u64, filled: c.bool })],
      path: [
        7,
        c.struct<{ points: readonly Point[]; label: string | undefined }>({
          points: c.listOf(c.struct<Point>({ x: c.u16, y: c.branded(c.u16) }), 3),
          label: c.optional(c.boundedText(6)),
        }),
      ],
      none: [9, c.struct<object>({})],
    }),
    4,
  ),
  scale: even,
});

const text = (maxBytes: number): fc.Arbitrary<string> =>
  fc
    .string({ unit: 'grapheme', maxLength: maxBytes })
    .filter((value) => Buffer.byteLength(value) <= maxBytes);
const bytes = (constraints: fc.IntArrayConstraints): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array(constraints).map((value) => Uint8Array.from(value));
const u16 = fc.nat({ max: 0xffff });

/** Plain objects only: fast-check makes some without a prototype, which decoding never does. */
const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true });

const shapes: fc.Arbitrary<Shape> = fc.oneof(
  record({
    type: fc.constant('circle' as const),
    radius: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    filled: fc.boolean(),
  }),
  record({
    type: fc.constant('path' as const),
    points: fc.array(record({ x: u16, y: u16 }), { maxLength: 3 }),
    label: fc.option(text(6), { nil: undefined }),
  }),
  fc.constant({ type: 'none' as const }),
);

const drawings: fc.Arbitrary<Drawing> = record({
  id: bytes({ minLength: 4, maxLength: 4 }).map(toHex),
  at: fc.maxSafeNat().map((value) => value % 2 ** 48),
  page: fc.nat({ max: 0xffffffff }),
  copies: fc.nat({ max: 255 }),
  mood: fc.constantFrom('calm', 'wild', 'odd'),
  title: text(24),
  key: bytes({ minLength: 5, maxLength: 5 }),
  data: bytes({ maxLength: 300 }),
  shapes: fc.array(shapes, { maxLength: 4 }),
  scale: u16.map((value) => value & ~1),
});

const seeded = { seed: 20261123, numRuns: 300 };

/** The one rule about any bytes: a problem, or a value whose only encoding they are. */
function rejectedOrCanonical(given: Uint8Array): 'rejected' | 'accepted' {
  const value = c.decode(drawingCodec, given, 'drawing');
  if (value instanceof Problem) {
    assert.equal(value.code, 'codec/malformed');
    return 'rejected';
  }
  assert.deepEqual(c.encode(drawingCodec, value), given);
  return 'accepted';
}

describe('codec: one encoding for each value', () => {
  test('a value comes back as it was', () => {
    fc.assert(
      fc.property(drawings, (drawing) => {
        assert.deepEqual(c.decode(drawingCodec, c.encode(drawingCodec, drawing), 'drawing'), drawing);
      }),
      seeded,
    );
  });

  test('with any byte changed, it is rejected or another value with exactly those bytes', () => {
    const seen = { rejected: 0, accepted: 0 };
    fc.assert(
      fc.property(drawings, fc.integer({ min: 1, max: 255 }), (drawing, change) => {
        const encoded = c.encode(drawingCodec, drawing);
        for (let at = 0; at < encoded.length; at++) {
          const mutated = Uint8Array.from(encoded);
          mutated[at] = (mutated[at] as number) ^ change;
          seen[rejectedOrCanonical(mutated)] += 1;
        }
      }),
      { ...seeded, numRuns: 60 },
    );
    assert.ok(seen.rejected > 100 && seen.accepted > 100, JSON.stringify(seen));
  });

  test('cut short anywhere, or with anything after its end, it is rejected', () => {
    fc.assert(
      fc.property(drawings, bytes({ minLength: 1, maxLength: 9 }), (drawing, tail) => {
        const encoded = c.encode(drawingCodec, drawing);
        for (let end = 0; end < encoded.length; end++) {
          assert.equal(rejectedOrCanonical(encoded.slice(0, end)), 'rejected');
        }
        assert.equal(rejectedOrCanonical(Uint8Array.of(...encoded, ...tail)), 'rejected');
      }),
      { ...seeded, numRuns: 60 },
    );
  });

  test('bytes of no origin never throw', () => {
    fc.assert(
      fc.property(bytes({ maxLength: 400 }), (noise) => void rejectedOrCanonical(noise)),
      { ...seeded, numRuns: 2_000 },
    );
  });

  test('two values with different bytes are different values', () => {
    fc.assert(
      fc.property(drawings, drawings, (one, other) => {
        const same = equalBytes(c.encode(drawingCodec, one), c.encode(drawingCodec, other));
        assert.equal(same, isDeepEqual(one, other));
      }),
      seeded,
    );
  });
});

function isDeepEqual(one: unknown, other: unknown): boolean {
  try {
    assert.deepEqual(one, other);
    return true;
  } catch {
    return false;
  }
}

const hexOf = <T>(codec: c.Codec<T>, value: T): string => toHex(c.encode(codec, value));

const rejects = <T>(codec: c.Codec<T>, hex: string, reason: RegExp): void => {
  const problem = c.decode(codec, fromHex(hex), 'thing');
  assert.ok(problem instanceof Problem, `${hex} was accepted`);
  assert.match(problem.message, reason);
  assert.match(problem.message, /^thing is malformed/);
  assert.notEqual(problem.remedy, '');
  assert.deepEqual(problem.details, { what: 'thing', size: hex.length / 2 });
};

describe('codec: the bytes themselves', () => {
  test('integers are big-endian and of fixed size', () => {
    assert.equal(hexOf(c.u8, 7), '07');
    assert.equal(hexOf(c.u16, 0x0102), '0102');
    assert.equal(hexOf(c.u32, 0x01020304), '01020304');
    assert.equal(hexOf(c.u48, 2 ** 48 - 2), 'fffffffffffe');
    assert.equal(hexOf(c.u64, 2n ** 64n - 1n), 'ffffffffffffffff');
    assert.equal(hexOf(c.bool, true), '01');
  });

  test('a length takes one, two or four bytes, as its limit needs', () => {
    const one = Uint8Array.of(0xaa);
    assert.equal(hexOf(c.boundedBytes(255), one), '01aa');
    assert.equal(hexOf(c.boundedBytes(256), one), '0001aa');
    assert.equal(hexOf(c.boundedBytes(65_535), one), '0001aa');
    assert.equal(hexOf(c.boundedBytes(65_536), one), '00000001aa');
    assert.equal(hexOf(c.listOf(c.u8, 255), [9]), '0109');
    assert.equal(hexOf(c.boundedText(300), 'é'), '0002c3a9');
  });

  test('a case of a union is its number, then its fields', () => {
    type Answer = { type: 'yes'; count: number } | { type: 'no' };
    const answer = c.union<Answer, 'type'>('type', {
      yes: [1, c.struct<{ count: number }>({ count: c.u8 })],
      no: [4, c.struct<object>({})],
    });
    assert.equal(hexOf(answer, { type: 'yes', count: 3 }), '0103');
    assert.equal(hexOf(answer, { type: 'no' }), '04');
  });
});

describe('codec: what is not a value', () => {
  test('fields that are rarely there take one byte when none is, and no bit of it means nothing', () => {
    const rare = c.sparse<{ a: number | undefined; b: number | undefined }>({ a: c.u8, b: c.u16 });
    const forms: [string, { a: number | undefined; b: number | undefined }][] = [
      ['00', { a: undefined, b: undefined }],
      ['0107', { a: 7, b: undefined }],
      ['020009', { a: undefined, b: 9 }],
      ['03070009', { a: 7, b: 9 }],
    ];
    for (const [text, value] of forms) {
      assert.equal(hexOf(rare, value), text);
      assert.deepEqual(c.decode(rare, fromHex(text), 'rare'), value);
    }
    rejects(rare, '04', /names a field/);
    rejects(rare, '0300', /end|left|byte/);
  });

  test('a flag, a word or a case that there is not', () => {
    rejects(c.bool, '02', /bool/);
    rejects(c.optional(c.u8), '02', /bool/);
    rejects(c.optional(c.u8), '0007', /left/);
    rejects(c.wordOf(['a', 'b']), '02', /unknown/i);
    rejects(c.union<{ t: 'a' }, 't'>('t', { a: [1, c.struct<object>({})] }), '00', /tag|map|unknown/i);
  });

  test('text that is not UTF-8, or UTF-8 in a second form', () => {
    rejects(c.boundedText(9), '02ff61', /utf-8/i);
    rejects(c.boundedText(9), '02c0af', /utf-8/i);
    rejects(c.boundedText(9), '03eda080', /utf-8/i);
    rejects(c.boundedText(9), '01c3', /utf-8/i);
  });

  test('a byte order mark is part of the text, not dropped', () => {
    assert.equal(c.decode(c.boundedText(9), fromHex('04efbbbf61'), 'text'), '\ufeffa');
  });

  test('a value that breaks the rule of a refined codec', () => {
    rejects(even, '0003', /odd/);
    assert.throws(() => c.encode(even, 3), /odd/);
  });

  test('a value outside its bounds is not encoded', () => {
    const refused: (() => Uint8Array)[] = [
      () => c.encode(c.u8, 256),
      () => c.encode(c.u8, -1),
      () => c.encode(c.u16, 1.5),
      () => c.encode(c.u32, 2 ** 32),
      () => c.encode(c.u48, 2 ** 48),
      () => c.encode(c.u48, Number.NaN),
      () => c.encode(c.u64, 2n ** 64n),
      () => c.encode(c.u64, -1n),
      () => c.encode(c.boundedText(3), 'four'),
      () => c.encode(c.boundedText(9), '\ud800'),
      () => c.encode(c.boundedBytes(3), new Uint8Array(4)),
      () => c.encode(c.fixedBytes(3), new Uint8Array(2)),
      () => c.encode(c.listOf(c.u8, 2), [1, 2, 3]),
      () => c.encode(c.hexOf<string>(2), 'abcdef'),
      () => c.encode(c.hexOf<string>(2), 'zzzz'),
      () => c.encode(c.hexOf<string>(2), '\u0130\u0130\u0130\u0130'),
      () => c.encode(c.hexOf<string>(2), 'abc'),
      () => c.encode(c.wordOf(['a']), 'toString'),
    ];
    for (const encode of refused) assert.throws(encode, Error, encode.toString());
  });
});

describe('codec: limits come before reading', () => {
  test('a length above its limit is refused although the bytes would be there', () => {
    for (const codec of [c.boundedBytes(3), c.boundedText(3), c.listOf(c.u8, 3)] as c.Codec<unknown>[]) {
      const problem = c.decode(codec, Uint8Array.of(4, 0, 0, 0, 0), 'thing');
      assert.ok(problem instanceof Problem);
      assert.match(problem.message, /length 4 is above the limit 3/);
    }
  });

  test('no element of a list is looked at when there are too many', () => {
    let looked = 0;
    const counted = c.refine(c.u8, 'any', (value) => {
      looked += 1;
      return value;
    });
    assert.ok(
      c.decode(c.listOf(counted, 3), Uint8Array.of(200, ...new Uint8Array(200)), 'list') instanceof Problem,
    );
    assert.equal(looked, 0);
  });

  test('nobody can add to an empty list, which all who read one share', () => {
    const read = () => c.decode(c.listOf(c.u8, 3), Uint8Array.of(0), 'list') as number[];
    assert.throws(() => read().push(1), TypeError);
    assert.deepEqual(read(), []);
  });

  test('a huge length within its limit costs nothing when the bytes are not there', () => {
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 100; i++) {
      assert.ok(c.decode(c.boundedBytes(2 ** 31), fromHex('7fffffff00'), 'bytes') instanceof Problem);
      assert.ok(c.decode(c.listOf(c.u64, 2 ** 31), fromHex('7fffffff00'), 'list') instanceof Problem);
    }
    assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 26);
  });
});

describe('codec: it says where', () => {
  const shelves = c.struct<{ shelves: readonly { books: readonly string[] }[] }>({
    shelves: c.listOf(c.struct<{ books: readonly string[] }>({ books: c.listOf(c.boundedText(5), 9) }), 9),
  });

  test('a value inside others that is too long is named by its place', () => {
    const library = { shelves: [{ books: ['Emma'] }, { books: ['Ulysses'] }] };
    assert.throws(() => c.encode(shelves, library), /^Error: shelves\/1\/books\/0: length 7 is above/);
    rejects(shelves, '0101076162', /shelves\/0\/books\/0: length 7 is above the limit 5/);
  });

  test('bytes that end too early', () =>
    rejects(shelves, '0101', /shelves\/0\/books\/0: 1 bytes are needed/));
});

describe('codec: an encoding inside another', () => {
  const boxed = (depth: number): c.Codec<number> =>
    depth === 0
      ? c.u8
      : c.mapped(c.boundedBytes(9), {
          toMemory: (bytes) => c.decode(boxed(depth - 1), bytes, 'box') as number,
          toBytes: (value: number) => c.encode(boxed(depth - 1), value),
        });

  test('does not disturb what was written before it', () => {
    const pair = c.struct<{ a: number; b: number; c: number }>({ a: c.u8, b: boxed(3), c: c.u8 });
    assert.equal(hexOf(pair, { a: 1, b: 2, c: 3 }), '010302010203');
  });

  test('that fails leaves nothing behind', () => {
    assert.throws(() => c.encode(boxed(3), 256));
    assert.throws(() => c.encode(drawingCodec, { id: 'abcdabcd', at: 5 } as Drawing));
    assert.equal(hexOf(c.u16, 7), '0007');
  });

  test('larger than any buffer kept is written whole', () => {
    const large = Uint8Array.from({ length: 2_000_000 }, (_, index) => index % 251);
    const bytes = c.encode(c.boundedBytes(2 ** 22), large);
    assert.equal(bytes.length, large.length + 4);
    assert.ok(equalBytes(bytes.subarray(4), large));
    assert.equal(hexOf(c.u16, 7), '0007');
  });
});

describe('codec: decoded bytes are nobody else’s', () => {
  for (const [kind, from] of [
    ['plain bytes', (hex: string) => fromHex(hex)],
    ['a Buffer', (hex: string) => Buffer.from(hex, 'hex')],
  ] as const) {
    test(`they stay when ${kind} that they came from are overwritten`, () => {
      const input = from('02abcd');
      const bounded = c.decode(c.boundedBytes(9), input, 'bytes');
      const fixed = c.decode(c.fixedBytes(3), input, 'bytes');
      input.fill(0);
      assert.deepEqual(bounded, Uint8Array.of(0xab, 0xcd));
      assert.deepEqual(fixed, Uint8Array.of(0x02, 0xab, 0xcd));
    });
  }
});

describe('a shortcut', () => {
  const pointCodec = c.struct<Point>({ x: c.u16, y: even });
  let taken = 0;
  /** Knows points on the axis. */
  const shortCodec = c.withShortcut(pointCodec, (reader) => {
    const x = reader.u16();
    if (x > 0) return undefined;
    taken += 1;
    return { x, y: even.read(reader) };
  });
  const onAxis = Uint8Array.of(0, 0, 0, 4);

  test('is taken where it knows the way', () => {
    assert.deepEqual(c.decode(shortCodec, onAxis, 'point'), { x: 0, y: 4 });
    assert.equal(taken, 1);
    assert.deepEqual(c.encode(shortCodec, { x: 0, y: 4 }), onAxis);
  });

  test('leaves the rest to the codec, from the same place on', () => {
    assert.deepEqual(c.decode(shortCodec, Uint8Array.of(1, 0, 0, 4), 'point'), { x: 256, y: 4 });
    const list = c.listOf(shortCodec, 3);
    const bytes = Uint8Array.of(2, 0, 0, 0, 4, 0, 7, 0, 6);
    assert.deepEqual(c.decode(list, bytes, 'points'), [
      { x: 0, y: 4 },
      { x: 7, y: 6 },
    ]);
  });

  test('says of what is wrong the same as the codec', () => {
    for (const wrong of [Uint8Array.of(0, 0, 0, 3), onAxis.subarray(0, 3), Uint8Array.of(0, 0, 0, 4, 0)]) {
      const problem = c.decode(shortCodec, wrong, 'point');
      assert.ok(problem instanceof Problem);
      assert.deepEqual(problem, c.decode(pointCodec, wrong, 'point'));
    }
  });
});
