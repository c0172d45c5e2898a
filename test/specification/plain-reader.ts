import assert from 'node:assert/strict';
import type { Layout } from '../../src/base/layout.ts';
import { lengthBytes } from './layouts.ts';

/**
 * A reader and a writer that know the layouts and nothing else: what somebody would write who has the
 * specification alone. Values are as in JSON: numbers of 8 bytes as decimal text, bytes in hex.
 */
export type Value = null | boolean | number | string | readonly Value[] | { readonly [name: string]: Value };

interface Read {
  readonly value: Value;
  /** Where the next value begins. */
  readonly end: number;
}

export function readAll(layout: Layout, bytes: Buffer): Value {
  const { value, end } = read(layout, bytes, 0);
  assert.equal(end, bytes.length, 'nothing stands behind the value');
  return value;
}

function read(layout: Layout, bytes: Buffer, at: number): Read {
  const number = (size: number): number => {
    assert.ok(at + size <= bytes.length, 'the bytes are there');
    return bytes.readUIntBE(at, size);
  };
  const slice = (from: number, size: number): Buffer => {
    assert.ok(from + size <= bytes.length, 'the bytes are there');
    return bytes.subarray(from, from + size);
  };
  switch (layout.type) {
    case 'integer':
      return layout.bytes === 8
        ? { value: `${slice(at, 8).readBigUInt64BE()}`, end: at + 8 }
        : { value: number(layout.bytes), end: at + layout.bytes };
    case 'bool':
      return { value: number(1) === 1, end: at + 1 };
    case 'word':
      return { value: layout.words[number(1)] ?? assert.fail('no such word'), end: at + 1 };
    case 'fixed':
      return { value: slice(at, layout.bytes).toString('hex'), end: at + layout.bytes };
    case 'bytes':
    case 'text': {
      const size = lengthBytes(layout.max);
      const content = slice(at + size, number(size));
      const value = content.toString(layout.type === 'text' ? 'utf8' : 'hex');
      return { value, end: at + size + content.length };
    }
    case 'list': {
      const size = lengthBytes(layout.max);
      return readMany(Array<Layout>(number(size)).fill(layout.of), bytes, at + size);
    }
    case 'rest': {
      const values: Value[] = [];
      let end = at;
      while (end < bytes.length) {
        const next = read(layout.of, bytes, end);
        values.push(next.value);
        end = next.end;
      }
      return { value: values, end };
    }
    case 'optional':
      return number(1) === 0 ? { value: null, end: at + 1 } : read(layout.of, bytes, at + 1);
    case 'sparse': {
      const there = layout.fields.filter((_, bit) => (number(1) & (1 << bit)) !== 0);
      return readFields(there, bytes, at + 1);
    }
    case 'struct':
      return readFields(layout.fields, bytes, at);
    case 'union': {
      const found = layout.cases.find(({ tag }) => tag === number(1)) ?? assert.fail('no such case');
      const { value, end } = read(found.layout, bytes, at + 1);
      return { value: { [layout.discriminator]: found.name, ...(value as object) }, end };
    }
    case 'ruled':
      return read(layout.of, bytes, at);
  }
}

function readMany(layouts: readonly Layout[], bytes: Buffer, from: number): Read & { value: Value[] } {
  const value: Value[] = [];
  let end = from;
  for (const layout of layouts) {
    const next = read(layout, bytes, end);
    value.push(next.value);
    end = next.end;
  }
  return { value, end };
}

function readFields(fields: readonly (readonly [string, Layout])[], bytes: Buffer, from: number): Read {
  const { value, end } = readMany(
    fields.map(([, layout]) => layout),
    bytes,
    from,
  );
  return { value: Object.fromEntries(fields.map(([name], at) => [name, value[at] as Value])), end };
}

export function write(layout: Layout, value: Value): Buffer {
  const byte = (number: number): Buffer => Buffer.of(number);
  const behind = (max: number, count: number, ...parts: readonly Buffer[]): Buffer => {
    assert.ok(count <= max, 'a length within its limit');
    return Buffer.concat([integer(lengthBytes(max), count), ...parts]);
  };
  switch (layout.type) {
    case 'integer':
      return integer(layout.bytes, value as number | string);
    case 'bool':
      return byte(value === true ? 1 : 0);
    case 'word':
      return byte(layout.words.indexOf(value as string));
    case 'fixed':
      return Buffer.from(value as string, 'hex');
    case 'bytes':
    case 'text': {
      const content = Buffer.from(value as string, layout.type === 'text' ? 'utf8' : 'hex');
      return behind(layout.max, content.length, content);
    }
    case 'list': {
      const values = value as readonly Value[];
      return behind(layout.max, values.length, ...values.map((one) => write(layout.of, one)));
    }
    case 'rest':
      return Buffer.concat((value as readonly Value[]).map((one) => write(layout.of, one)));
    case 'optional':
      return value === null ? byte(0) : Buffer.concat([byte(1), write(layout.of, value)]);
    case 'sparse': {
      const there = layout.fields.filter(([name]) => name in (value as object));
      const bits = layout.fields.reduce(
        (sum, [name], bit) => (name in (value as object) ? sum | (1 << bit) : sum),
        0,
      );
      return Buffer.concat([byte(bits), writeFields(there, value)]);
    }
    case 'struct':
      return writeFields(layout.fields, value);
    case 'union': {
      const { [layout.discriminator]: name, ...fields } = value as Readonly<Record<string, Value>>;
      const found = layout.cases.find((each) => each.name === name) ?? assert.fail('no such case');
      return Buffer.concat([byte(found.tag), write(found.layout, fields)]);
    }
    case 'ruled':
      return write(layout.of, value);
  }
}

function integer(size: number, value: number | string): Buffer {
  const bytes = Buffer.alloc(size);
  if (size === 8) bytes.writeBigUInt64BE(BigInt(value));
  else bytes.writeUIntBE(value as number, 0, size);
  return bytes;
}

function writeFields(fields: readonly (readonly [string, Layout])[], value: Value): Buffer {
  const of = value as Readonly<Record<string, Value>>;
  return Buffer.concat(fields.map(([name, layout]) => write(layout, of[name] as Value)));
}
