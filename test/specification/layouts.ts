import type { Layout } from '../../src/base/layout.ts';

/** Layouts as text: what has a name of its own is named, and everything else is written out. */
export type Names = ReadonlyMap<Layout, string>;

/** A length or a count up to `max`: in so many bytes. */
export const lengthBytes = (max: number): number => (max < 2 ** 8 ? 1 : max < 2 ** 16 ? 2 : 4);

/** The lines of one format. */
export function describeFormat(layout: Layout, names: Names): string[] {
  const line = nameOrInline(layout, names);
  return line === undefined ? block(layout, names) : [line];
}

/** What fits into one line; undefined for what has parts. */
function inline(layout: Layout, names: Names): string | undefined {
  switch (layout.type) {
    case 'integer':
      return `u${8 * layout.bytes}`;
    case 'bool':
      return 'bool';
    case 'fixed':
      return `${layout.bytes} bytes`;
    case 'bytes':
      return `bytes (${sized(layout.max)})${layout.holds === undefined ? '' : `: ${layout.holds}`}`;
    case 'text':
      return `text (${sized(layout.max)})`;
    case 'word':
      return layout.words.length > 6
        ? undefined
        : `word: ${layout.words.map((word, index) => `${index} ${word}`).join(', ')}`;
    case 'list':
      return around(`list (${sized(layout.max)}) of `, layout.of, names);
    case 'optional':
      return around('optional ', layout.of, names);
    case 'rest':
      return around('to the end: ', layout.of, names);
    case 'ruled':
      return around('', layout.of, names, `; ${layout.rule}`);
    case 'struct':
      return layout.fields.length === 0 ? 'nothing' : undefined;
    case 'sparse':
    case 'union':
      return undefined;
  }
}

const sized = (max: number): string => `u${8 * lengthBytes(max)}, at most ${max}`;

function around(before: string, of: Layout, names: Names, after = ''): string | undefined {
  const inner = nameOrInline(of, names);
  return inner === undefined ? undefined : `${before}${inner}${after}`;
}

const nameOrInline = (layout: Layout, names: Names): string | undefined =>
  names.get(layout) ?? inline(layout, names);

/** What has parts, each on a line. */
function block(layout: Layout, names: Names): string[] {
  switch (layout.type) {
    case 'struct':
      return fieldLines(layout.fields, names);
    case 'sparse': {
      const bits = layout.fields.map(([name], bit) => `bit ${bit} ${name}`).join(', ');
      return [`u8 of bits: ${bits}; then those that are there:`, ...fieldLines(layout.fields, names)];
    }
    case 'union':
      return layout.cases
        .toSorted((a, b) => a.tag - b.tag)
        .flatMap(({ name, tag, layout: fields }) => [`${tag}  ${name}`, ...under(fields, names)]);
    case 'word':
      return layout.words.map((word, index) => `${index}  ${word === '' ? '(empty)' : word}`);
    case 'ruled':
      return [...block(layout.of, names), `; ${layout.rule}`];
    case 'list':
    case 'optional':
    case 'rest':
      return [`${headOf(layout)}:`, ...under(layout.of, names)];
    case 'integer':
    case 'bool':
    case 'fixed':
    case 'bytes':
    case 'text':
      throw new Error(`${layout.type} has no parts`);
  }
}

const headOf = (layout: Extract<Layout, { type: 'list' | 'optional' | 'rest' }>): string =>
  layout.type === 'list'
    ? `list (${sized(layout.max)}) of`
    : layout.type === 'rest'
      ? 'to the end'
      : 'optional';

const indented = (lines: readonly string[]): string[] => lines.map((line) => `    ${line}`);

function under(layout: Layout, names: Names): string[] {
  const line = nameOrInline(layout, names);
  if (line === 'nothing') return [];
  return indented(line === undefined ? block(layout, names) : [line]);
}

function fieldLines(fields: readonly (readonly [string, Layout])[], names: Names): string[] {
  const width = Math.max(...fields.map(([name]) => name.length)) + 2;
  return fields.flatMap(([name, layout]) => {
    const line = nameOrInline(layout, names);
    if (line !== undefined) return [`${name.padEnd(width)}${line}`];
    const inner = layout.type === 'ruled' ? layout.of : layout;
    if (inner.type === 'list' || inner.type === 'optional' || inner.type === 'rest') {
      const rule = layout.type === 'ruled' ? `; ${layout.rule}` : '';
      return [`${name.padEnd(width)}${headOf(inner)}${rule}:`, ...under(inner.of, names)];
    }
    const kind = inner.type === 'union' ? 'u8, one of:' : inner.type === 'word' ? 'u8:' : '';
    return [`${name.padEnd(width)}${kind}`.trimEnd(), ...indented(block(layout, names))];
  });
}

/** The fewest and the most bytes of a layout. */
export function sizeOf(layout: Layout): readonly [least: number, most: number] {
  switch (layout.type) {
    case 'integer':
    case 'fixed':
      return [layout.bytes, layout.bytes];
    case 'bool':
    case 'word':
      return [1, 1];
    case 'bytes':
    case 'text':
      return [lengthBytes(layout.max), lengthBytes(layout.max) + layout.max];
    case 'list': {
      const length = lengthBytes(layout.max);
      return [length, length + layout.max * sizeOf(layout.of)[1]];
    }
    case 'rest':
      return [0, Number.POSITIVE_INFINITY];
    case 'optional':
      return [1, 1 + sizeOf(layout.of)[1]];
    case 'sparse':
      return [1, 1 + sumOf(layout.fields)[1]];
    case 'struct':
      return sumOf(layout.fields);
    case 'union': {
      const sizes = layout.cases.map((each) => sizeOf(each.layout));
      return [1 + Math.min(...sizes.map(([least]) => least)), 1 + Math.max(...sizes.map(([, most]) => most))];
    }
    case 'ruled':
      return sizeOf(layout.of);
  }
}

function sumOf(fields: readonly (readonly [string, Layout])[]): readonly [number, number] {
  const sizes = fields.map(([, layout]) => sizeOf(layout));
  return [sizes.reduce((sum, [least]) => sum + least, 0), sizes.reduce((sum, [, most]) => sum + most, 0)];
}
