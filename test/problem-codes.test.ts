import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { problemCodes } from '../src/base/problem-codes.ts';

const root = join(import.meta.dirname, '..');
const areas = new Set(Object.keys(problemCodes).map((code) => code.slice(0, code.indexOf('/'))));

/** Where one is compared with or looked for, the compiler takes any text. */
test('whatever looks like a code in the sources is one, and each one is made somewhere', () => {
  const named = new Map<string, string>();
  for (const file of globSync('{src,scripts}/**/*.ts', { cwd: root })) {
    if (file === join('src', 'base', 'problem-codes.ts')) continue;
    const text = readFileSync(join(root, file), 'utf8');
    for (const [, name = ''] of text.matchAll(/['`]([a-z]+\/[a-z0-9-]+)['`]/g)) {
      if (areas.has(name.slice(0, name.indexOf('/')))) named.set(name, file);
    }
  }
  const madeByTemplate = [
    'mempool/replaced',
    'mempool/evicted',
    'mempool/fee-not-payable',
    'mempool/fee-too-low',
    'mempool/wrong-signers',
  ];
  const unknown = [...named].filter(([name]) => !Object.hasOwn(problemCodes, name));
  assert.deepEqual(unknown, []);
  const stale = Object.keys(problemCodes).filter(
    (code) => !named.has(code) && !madeByTemplate.includes(code),
  );
  assert.deepEqual(stale, []);
});
