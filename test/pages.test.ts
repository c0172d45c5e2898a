import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import type { PbftMessage } from '../src/consensus/pbft/message.ts';
import { recordKeys } from '../src/consensus/pbft/records.ts';
import { logKey } from '../src/consensus/pbft/signing.ts';
import { liarNames } from '../src/simulator/plan/plan.ts';
import { helloProtocol, protocolNames, requestProtocols, topics } from '../src/network/protocol-names.ts';
import { wireVersion } from '../src/node/peers/hello.ts';
import { formatVersion } from '../src/storage/chain-records.ts';
import { configurationPrefix, entryPrefix, stateKey, unprovenKey } from '../src/consensus/raft/records.ts';

const source = fileURLToPath(new URL('../src', import.meta.url));
const read = (path: string): string => readFileSync(join(source, path), 'utf8');

/** What stands in code in the first cell of a table's rows, below the heading that begins so. */
function firstCells(page: string, heading: string): string[] {
  const [, section = ''] = read(page).split(`\n## ${heading}\n`);
  const [table = ''] = section.split('\n## ');
  return table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
}

test('the page on the node names every effect, once', () => {
  const effects = [...read('node/core/execute.ts').matchAll(/^ {6}case '([a-z-]+)':/gm)].map(
    ([, name = '']) => name,
  );
  assert.ok(effects.length > 10);
  assert.deepEqual(firstCells('node/README.md', 'What the engine asks for').toSorted(), effects.toSorted());
});

const repository = join(source, '..');
const pages = globSync(['src/**/*.md', 'test/*/**/*.md', 'scripts/*.md', 'genesis/*.md', '*.md'], {
  cwd: repository,
});
const code = globSync(['{src,test,scripts}/**/*.{ts,tsx,rs}', 'package.json'], { cwd: repository });

/** What stands in a page as code, between single quotes of it. */
const named = (page: string): string[] =>
  [
    ...readFileSync(join(repository, page), 'utf8')
      .replaceAll(/```[^]*?```/g, '')
      .matchAll(/`([^`\n]+)`/g),
  ].map(([, name = '']) => name);

test('every file that a page names is there', () => {
  const files = [...code, ...pages];
  const isThere = (page: string, name: string): boolean => {
    if (!name.startsWith('../')) return files.some((file) => `/${file}`.endsWith(`/${name}`));
    // A page may name tests as they are seen from the tests of its folder.
    const folder = dirname(page);
    return [folder, folder.replace(/^src/, 'test')].some((from) => files.includes(join(from, name)));
  };
  const found = pages.flatMap((page) =>
    named(page)
      .filter((name) => /^[\w./-]+\.(?:tsx?|rs|md)$/.test(name) && !isThere(page, name))
      .map((name) => `${page}: ${name}`),
  );
  assert.deepEqual(found, []);
});

test('every function, field, type and file that a page or a comment names is there', () => {
  const comment = /\/\*[^]*?\*\/|(?<=^|\s)\/\/.*/gm;
  const texts = code.map((file) => ({ file, text: readFileSync(join(repository, file), 'utf8') }));
  const words = new Set(texts.flatMap(({ text }) => text.replaceAll(comment, '').match(/\w+/g) ?? []));
  const comments = texts.flatMap(({ file, text }) =>
    (text.match(comment) ?? []).flatMap((one) =>
      [...one.replaceAll(/\n\s*\*/g, '').matchAll(/`([^`\n]+)`/g)].map(([, name = '']) => ({ file, name })),
    ),
  );
  const looksLikeCode = /^(?:[a-z]{2,}|[A-Z][a-z]+)[A-Z]\w*$/;
  const found = [...pages.flatMap((file) => named(file).map((name) => ({ file, name }))), ...comments].filter(
    ({ name }) => {
      if (/^[\w-]+\.tsx?$/.test(name)) return !code.some((file) => `/${file}`.endsWith(`/${name}`));
      return (
        /^[\w.#()]+$/.test(name) &&
        (name.match(/\w+/g) ?? []).some((word) => looksLikeCode.test(word) && !words.has(word))
      );
    },
  );
  assert.deepEqual(found, []);
});

test('what a page says to stand in a file stands there', () => {
  const filesOf = (name: string): string[] => code.filter((file) => `/${file}`.endsWith(`/${name}`));
  const says: readonly (readonly [form: RegExp, name: number, path: number])[] = [
    [/`([\w-]+)` (?:in|of) `([\w./-]+\.tsx?)`/g, 1, 2],
    [/`([\w./-]+\.tsx?)` \(`([\w-]+)`/g, 2, 1],
  ];
  const claims = pages.flatMap((page) => {
    const text = readFileSync(join(repository, page), 'utf8').replaceAll(/\s+/g, ' ');
    return says.flatMap(([form, name, path]) =>
      [...text.matchAll(form)].map((found) => ({ page, name: found[name] ?? '', path: found[path] ?? '' })),
    );
  });
  assert.ok(claims.length > 15, `${claims.length} were found`);
  const found = claims.filter(({ name, path }) => {
    const texts = filesOf(path).map((file) => readFileSync(join(repository, file), 'utf8'));
    return !texts.some((text) => new RegExp(`(?<!\\w)${name}(?!\\w)`).test(text));
  });
  assert.deepEqual(found, []);
});

test('the page on the store names every kind of key, and every key of the consensus log', () => {
  const kinds = [...read('storage/keys.ts').matchAll(/^ {2}([a-z]+): \d+,$/gm)].map(([, name = '']) => name);
  assert.ok(kinds.length > 5);
  const rows = read('storage/README.md').matchAll(/^\| (\d+) +\| `([a-z]+)`/gm);
  assert.deepEqual(
    [...rows].map(([, byte, kind]) => [Number(byte), kind]),
    kinds.map((kind, at) => [at + 1, kind]),
  );

  const place = { epoch: 'EPOCH', view: 'VIEW', height: 'HEIGHT' };
  const [, ofLogKey = ''] = read('consensus/pbft/signing.ts').split('export function logKey');
  const messageKinds = [...ofLogKey.matchAll(/^ {4}case '([a-z-]+)':/gm)].map(([, kind]) => kind);
  const votes = messageKinds.map((kind) => logKey({ ...place, kind } as unknown as PbftMessage));
  const ofNode = globSync('node/**/*.ts', { cwd: source }).flatMap((path) => [
    ...read(path).matchAll(/Key = (?:'node-|`\$\{ownPrefix\})([a-z-]+)['`]/g),
  ]);
  const expected = [
    ...Object.values(recordKeys),
    ...votes.filter((key) => key !== ''),
    stateKey,
    unprovenKey,
    `${entryPrefix}HEIGHT`,
    `${configurationPrefix}HEIGHT`,
    ...ofNode.map(([, name = '']) => `node-${name}`),
  ];
  assert.deepEqual(firstCells('storage/README.md', 'The consensus log').toSorted(), expected.toSorted());

  const numbered = /`prepare\/([^`]+)`/.exec(read('consensus/README.md'))?.[1]?.split('/') ?? [];
  assert.equal(
    numbered.length,
    expected
      .find((key) => key.startsWith('prepare/'))
      ?.split('/')
      .slice(1).length,
  );
});

test('the page on the network names the protocols and versions as they are', () => {
  const page = read('network/README.md');
  const names = protocolNames('CHAIN');
  const protocols = [
    helloProtocol,
    names.direct,
    names.request('NAME' as never),
    names.topic('NAME' as never),
  ];
  assert.deepEqual(firstCells('network/README.md', 'What goes over the wire'), protocols);
  for (const name of [...topics, ...requestProtocols]) assert.match(page, new RegExp(`\`${name}\``), name);

  const rows = [...page.matchAll(/^\| `(\w*[vV]ersion)` +\| (\d+) +\| `\.?\.?\/?([\w/-]+\.ts)`/gm)];
  assert.equal(rows.length, 5);
  for (const [, name = '', now = '', path = ''] of rows) {
    const file = globSync(`**/${path}`, { cwd: source })[0] ?? assert.fail(path);
    assert.ok(
      new RegExp(`\\b${name}(?: =|:) ${now}\\b`).test(read(file)),
      `${name} in ${path} is ${now}, as the page says`,
    );
  }
});

test('the page on versions has a row for each number up to the present one', () => {
  for (const [heading, version] of [
    ['Wire version', wireVersion],
    ['Format of the store', formatVersion],
  ] as const) {
    const [, section = ''] = read('versions.md').split(`\n## ${heading}\n`);
    const [table = ''] = section.split('\n## ');
    const numbers = [...table.matchAll(/^\| (\d+) +\|/gm)].map(([, number]) => Number(number));
    assert.deepEqual(
      numbers,
      Array.from({ length: version }, (_, index) => index + 1),
      heading,
    );
  }
});

test('the page on the simulator names every promise, and every liar', () => {
  const [, union = ''] = read('simulator/checkers/breach.ts').split('export type Guarantee =');
  const guarantees = [...union.matchAll(/^ {2}\| '([a-z-]+)'/gm)].map(([, name = '']) => name);
  assert.ok(guarantees.length > 10);
  assert.deepEqual(firstCells('simulator/README.md', 'What is promised'), guarantees);
  const [, liars = ''] = read('simulator/README.md').split('\n## Liars\n');
  const [list = ''] = liars.split(': two honest');
  const named = [...list.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name);
  assert.deepEqual(named, [...liarNames]);
});

test('the page on the API names every route', () => {
  const routes = globSync('api/**/*.ts', { cwd: source }).flatMap((path) =>
    [...read(path).matchAll(/api\.(?:get|post|put|delete)\(\s*'([^']+)'/g)].map(([, route = '']) => route),
  );
  const named = firstCells('api/README.md', 'Routes');
  assert.deepEqual(named.toSorted(), [...new Set(routes)].toSorted());
  const rows = [...read('api/README.md').matchAll(/^\| `(\/[^`]*)`.*\| `([\w/-]+\.ts[^|]*)`[^|`]*\|$/gm)];
  assert.equal(rows.length, named.length);
  for (const [, route = '', files = ''] of rows) {
    for (const file of files.split('`, `'))
      assert.ok(read(`api/${file}`).includes(`'${route}'`), `${file}: ${route}`);
  }
});

test('the page on the mempool names every file of it', () => {
  const files = globSync('*.ts', { cwd: join(source, 'mempool') });
  const table = [...read('mempool/README.md').matchAll(/^\| `([a-z-]+\.ts)`/gm)].map(([, name = '']) => name);
  assert.deepEqual(table.toSorted(), files.toSorted());
});

test('the page on the ledger names every operation and every condition', () => {
  const numbered = (path: string): string[] =>
    [...read(path).matchAll(/^ {2}'?([a-z-]+)'?: \[(?:\d+,|tags\.|$)/gm)].map(([, name = '']) => name);
  const all = [...numbered('ledger/operation.ts'), ...numbered('ledger/condition.ts')];
  assert.ok(all.length > 10);
  assert.deepEqual(firstCells('ledger/README.md', 'A transaction').toSorted(), all.toSorted());
});

test('the table of a node’s own settings names every option', () => {
  const [, schema = ''] = read('node/process/config.ts').split('const configSchema = z.strictObject({\n');
  const [fields = ''] = schema.split('\n});');
  const options = [...fields.matchAll(/^ {2}(\w+): /gm)].map(([, name = '']) => name);
  assert.ok(options.length > 6);
  const named = firstCells('README.md', "A node's own settings").map((name) => name.replace(/\..*/, ''));
  assert.deepEqual([...new Set(named)].toSorted(), options.toSorted());
});

test('the sources use every word of the glossary', () => {
  const all = globSync('**/*.ts', { cwd: source })
    .map((path) => read(path))
    .join('\n')
    .replaceAll(/\s+\*? */g, ' ')
    .toLowerCase();
  const words = [...read('glossary.md').matchAll(/^\| ([^|`]+?) +\|/gm)]
    .flatMap(([, cell = '']) => cell.split(', '))
    .filter((word) => !/^(?:word|word here|-+)$/.test(word));
  assert.ok(words.length > 40);
  assert.deepEqual(
    words.filter((word) => !new RegExp(`\\b${word.toLowerCase().replaceAll(' ', '[ -]')}`).test(all)),
    [],
  );
});

test('every link of a page leads to a page, and to a heading that is there', () => {
  const top = join(source, '..');
  const pages = ['README.md', ...globSync('{src,scripts,genesis,test}/**/*.md', { cwd: top })];
  const slugs = (page: string): string[] =>
    [...readFileSync(join(top, page), 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
  const links = pages.flatMap((page) =>
    [...readFileSync(join(top, page), 'utf8').matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)]+))?\)/g)].map(
      ([, path = '', heading]) => ({ page, target: path === '' ? page : join(dirname(page), path), heading }),
    ),
  );
  assert.ok(links.length > 40);
  const broken = links.filter(({ target, heading }) => {
    if (!existsSync(join(top, target))) return true;
    return heading !== undefined && !slugs(target).includes(heading);
  });
  assert.deepEqual(broken, []);
});

test('the recipes name only what there is', () => {
  const all = globSync('{src,test,scripts}/**/*.ts', { cwd: join(source, '..') })
    .map((path) => readFileSync(join(source, '..', path), 'utf8'))
    .join('\n');
  const names = [...read('recipes.md').matchAll(/`([A-Za-z]+)`/g)].map(([, name = '']) => name);
  assert.ok(names.length > 20);
  assert.deepEqual(
    names.filter((name) => name !== 'NAME' && !new RegExp(`(?<!\\w)${name}(?!\\w)`).test(all)),
    [],
  );
});

test('what the README shows of sessions stands in the page of sessions', () => {
  const top = join(source, '..');
  const steps = (page: string): string[] => {
    const text = readFileSync(join(top, page), 'utf8');
    const blocks = [...text.matchAll(/^```\n(\$ npm run quorate[\s\S]*?)^```$/gm)].map(
      ([, block = '']) => block,
    );
    return blocks.flatMap((block) => block.split(/^(?=\$ )/m));
  };
  const shown = steps('README.md');
  assert.ok(shown.length > 8);
  const known = new Set(steps('scripts/sessions.md'));
  assert.deepEqual(
    shown.filter((step) => !known.has(step)),
    [],
  );
});

test('each page is two links from the README at most', () => {
  const linked = (page: string): string[] =>
    [...readFileSync(join(repository, page), 'utf8').matchAll(/\]\(([^)#\s]+\.md)/g)].map(([, to = '']) =>
      join(dirname(page), to),
    );
  const first = linked('README.md');
  const near = new Set(['README.md', ...first, ...first.flatMap(linked)]);
  assert.deepEqual(
    pages.filter((page) => !near.has(page)),
    [],
  );
});

test('a word of the glossary is the name of one type, unless the glossary says that it means two things', () => {
  const [once = '', twice = ''] = read('glossary.md').split('\n## Words with two meanings\n');
  const firsts = (table: string): string[] =>
    [...table.matchAll(/^\| ([^|`]+?) +\|/gm)].flatMap(([, cell = '']) => cell.split(', '));
  // Which once were the names of several.
  const mended = ['block name', 'cluster', 'handshake', 'log', 'member', 'position', 'tally', 'watch'];
  const exported = code
    .filter((file) => !file.startsWith('test/'))
    .flatMap((file) =>
      [
        ...readFileSync(join(repository, file), 'utf8').matchAll(
          /^export (?:abstract )?(?:class|interface|type) (\w+)/gm,
        ),
      ].map(([, name = '']) => ({ file, name })),
    );
  const found = [...firsts(once), ...mended]
    .filter((word) => !firsts(twice).includes(word))
    .map((word) => word.replaceAll(/(?:^|[ -])(.)/g, (_, letter: string) => letter.toUpperCase()))
    .map((name) => exported.filter((one) => one.name === name))
    .filter((places) => places.length > 1);
  assert.deepEqual(found, []);
});
