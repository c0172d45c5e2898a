import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

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

test('every file that a page names is there', () => {
  const all = globSync(['src/**/*.ts', 'test/**/*.ts', 'scripts/**/*.ts'], { cwd: join(source, '..') });
  const isThere = (page: string, name: string): boolean => {
    if (!name.startsWith('../')) return all.some((file) => `/${file}`.endsWith(`/${name}`));
    // A page may name tests as they are seen from the tests of its folder.
    return ['src', 'test'].some((top) => all.includes(join(top, dirname(page), name)));
  };
  const found = globSync('**/*.md', { cwd: source }).flatMap((page) =>
    [...read(page).matchAll(/`([\w./-]+\.ts)`/g)].flatMap(([, name = '']) =>
      isThere(page, name) ? [] : [`${page}: ${name}`],
    ),
  );
  assert.deepEqual(found, []);
});
