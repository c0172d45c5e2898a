import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { suite, test } from 'node:test';
import type { Layout } from '../../src/base/layout.ts';
import { goldenValues } from '../golden/golden-values.ts';
import { domains } from './domains.ts';
import { formats, primitives } from './formats.ts';
import { bytesOf } from './golden.ts';
import { specification, stateKinds, storeKinds } from './page.ts';
import { readAll, type Value, write } from './plain-reader.ts';

const root = join(import.meta.dirname, '../..');
const page = join(root, 'src/specification.md');
const fields = join(root, 'test/golden/golden-fields.jsonl');

/** What bytes that hold another value are of, wherever a layout says so. */
function* heldIn(layout: Layout): Generator<string> {
  if (layout.type === 'bytes' && layout.holds !== undefined) yield layout.holds;
  if ('of' in layout) yield* heldIn(layout.of);
  if ('fields' in layout) for (const [, field] of layout.fields) yield* heldIn(field);
  if ('cases' in layout) for (const each of layout.cases) yield* heldIn(each.layout);
}

/** Formats by the codec that the golden value was written with. */
const formatOf = new Map([...primitives, ...formats].map((format) => [format.codec, format]));
const vectors = goldenValues.flatMap(({ name, codec }) => {
  if (codec === undefined) return [];
  const format = formatOf.get(codec) ?? assert.fail(`the specification has no format for "${name}"`);
  return [{ name, format, bytes: bytesOf(name) }];
});

/** One line for each vector. */
function fieldsFile(): string {
  const lines = vectors.map(({ name, format, bytes }) => {
    const value: Value = readAll(format.codec.layout, bytes);
    return `${JSON.stringify({ name, format: format.name, value })}\n`;
  });
  return lines.join('');
}

function holdsTo(path: string, text: string): void {
  if (process.env['QUORATE_REWRITE'] !== undefined) writeFileSync(path, text);
  assert.deepEqual(readFileSync(path, 'utf8').split('\n'), text.split('\n'));
}

suite('the specification', () => {
  test('the page is what the codecs say (npm run specification writes it anew)', () => {
    holdsTo(page, specification());
  });

  test('the fields of the vectors are what a reader of the layouts finds in the golden bytes', () => {
    holdsTo(fields, fieldsFile());
  });

  test('what was read by the layouts alone is written by them to the same bytes', () => {
    for (const { name, format, bytes } of vectors) {
      const { layout } = format.codec;
      assert.deepEqual(write(layout, readAll(layout, bytes)), bytes, name);
    }
  });

  test('every format that stands alone has a vector, and what bytes hold is a format', () => {
    const shown = new Set(vectors.map(({ format }) => format.name));
    const inside = [
      'condition',
      'operation',
      'chain change',
      'record key',
      'namespace name',
      'reservation id',
      'place',
      'namespace proof',
      'view change',
      'signed slot',
      'block name',
      'write count',
    ];
    const missing = formats.filter(({ name }) => !shown.has(name)).map(({ name }) => name);
    assert.deepEqual(missing, inside);
    const known = new Set([...formats.map(({ name }) => name), 'state key', 'state value']);
    const held = new Set(formats.flatMap(({ codec }) => [...heldIn(codec.layout)]));
    assert.ok(held.size > 5);
    assert.deepEqual(
      [...held].filter((name) => !known.has(name)),
      [],
    );
  });

  test('golden hashes and signed bytes are made as the table of domains says', () => {
    for (const [domain, { vectors: made }] of Object.entries(domains)) {
      const pairs = made();
      assert.ok(pairs.length > 0 || domain === 'quorate/v1/list-cursor', domain);
      for (const [bytes, golden] of pairs)
        assert.equal(bytes.toString('hex'), golden.toString('hex'), domain);
    }
  });

  test('the tables of keys have every kind that there is', () => {
    const source = (path: string): string => readFileSync(join(root, 'src', path), 'utf8');
    const kinds = [...source('storage/keys.ts').matchAll(/^ {2}[a-z]+: (\d+),$/gm)].map(([, kind]) =>
      Number(kind),
    );
    assert.deepEqual([...new Set(storeKinds.map(([kind]) => kind))], kinds);
    const ofState = globSync('ledger/*.ts', { cwd: join(root, 'src') }).flatMap((path) =>
      [...source(path).matchAll(/^(?:export )?const \w+Kind = (\d+);$/gm)].map(([, kind]) => Number(kind)),
    );
    assert.deepEqual(
      stateKinds.map(([kind]) => kind),
      ofState.toSorted((a, b) => a - b),
    );
  });

  test('whatever the sources encode or decode is in the specification', () => {
    assert.deepEqual(
      codecsInUse().filter((codec) => !specified().has(codec)),
      otherViews,
    );
  });
});

/** They read or write a format of the page in another way, or a part of one. */
const otherViews = [
  'api/body-readers.ts batchCodec',
  'ledger/block-body.ts partsCodec',
  'ledger/block-body.ts storedProposalCodec',
  'ledger/block.ts heightCodec',
  'node/peers/relay.ts placeCodec',
];

/** `file name` of each codec that is given to a function that encodes or decodes, where it is declared. */
function codecsInUse(): string[] {
  const found = globSync('**/*.ts', { cwd: join(root, 'src') }).flatMap((path) => {
    if (path.startsWith('base/') || path.startsWith('simulator/')) return [];
    const text = readFileSync(join(root, 'src', path), 'utf8');
    const calls = text.matchAll(
      /\b(?:encode|decode|decodeOwn|decodeStateValue|readMessage|read)\(\s*(\w+Codec)\b/g,
    );
    return [...calls].map(([, name = '']) => declarationOf(name, path, text));
  });
  return [...new Set(found)].toSorted();
}

/** Follows an import to the file that it names. */
function declarationOf(name: string, path: string, text: string): string {
  for (const [, names = '', target = ''] of text.matchAll(/import (?:type )?\{([^}]*)\} from '(\.[^']+)'/g)) {
    const words = names.split(',').map((word) => word.trim());
    const found = words.find((word) => word === name || word.endsWith(` as ${name}`));
    if (found !== undefined) return `${normalize(join(dirname(path), target))} ${found.split(' as ')[0]}`;
  }
  return `${path} ${name}`;
}

/** The same of those that the page is made of. */
function specified(): ReadonlySet<string> {
  const text = readFileSync(join(import.meta.dirname, 'formats.ts'), 'utf8');
  const imports = text.matchAll(/import \{([^}]*)\} from '\.\.\/\.\.\/src\/([^']+)'/g);
  return new Set(
    [...imports].flatMap(([, names = '', target = '']) =>
      names.split(',').map((word) => `${target} ${word.trim().split(' as ')[0]}`),
    ),
  );
}
