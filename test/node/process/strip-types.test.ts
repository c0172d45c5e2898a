import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';

const hook = 'src/node/process/strip-types.js';
const program = 'src/program.ts';
const cached = `node_modules/.cache/quorate/without-types/${program}`;

/** A program of one source, in a place of its own, with what is given to Node before it. */
function place(t: TestContext): { readonly at: (name: string) => string; readonly run: () => string } {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-strip-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const at = (name: string): string => join(directory, name);
  mkdirSync(dirname(at(hook)), { recursive: true });
  cpSync(join(import.meta.dirname, '../../..', hook), at(hook));
  writeFileSync(at('package.json'), '{ "type": "module" }');
  const run = (): string =>
    execFileSync(process.execPath, ['--require', at(hook), at(program)], { encoding: 'utf8' });
  return { at, run };
}

/** Says a word, whether it knows its own name, and whether the process has loaded what takes types off. */
const source = (word: string): string => `interface Said {
  readonly word: string;
}
const said: Said = { word: '${word}' };
const list = (process as unknown as { readonly moduleLoadList: readonly string[] }).moduleLoadList;
console.log(said.word, import.meta.filename.endsWith('program.ts'), list.some((name) => name.includes('amaro')));
`;

test('sources are read without their types, which another process took off', (t) => {
  const { at, run } = place(t);
  writeFileSync(at(program), source('one'));
  assert.equal(run(), 'one true false\n', 'the first time');
  assert.ok(readFileSync(at(cached), 'utf8').startsWith('                \n'), 'lines and columns stay');
  assert.equal(run(), 'one true false\n', 'and again');
});

test('a source that changed is taken as it is now', (t) => {
  const { at, run } = place(t);
  writeFileSync(at(program), source('one'));
  run();
  writeFileSync(at(program), source('two'));
  assert.equal(run(), 'two true false\n');
});

test('what was torn is made anew', (t) => {
  const { at, run } = place(t);
  writeFileSync(at(program), source('one'));
  run();
  writeFileSync(at(cached), readFileSync(at(cached), 'utf8').slice(0, 100));
  assert.equal(run(), 'one true false\n');
});

test('where nothing can be written, Node takes the types off by itself', (t) => {
  const { at, run } = place(t);
  writeFileSync(at('node_modules'), 'no directory');
  writeFileSync(at(program), source('one'));
  assert.equal(run(), 'one true true\n');
  assert.ok(!existsSync(at(cached)));
});
