import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { attackNames } from '../scripts/attacker/attacks.ts';
import { strategies } from '../src/cli/byzantine-strategies.ts';

const page = readFileSync(join(import.meta.dirname, '../src/threat-model.md'), 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('| ') && !line.includes('---'));
/** What stands in code in the last column, in parts: a part begins with a word that says whose names follow. */
const named = rows.flatMap((row) => {
  const cell = row.split('|').at(-2) ?? '';
  return cell.split(';').flatMap((part) => {
    const [, kind = 'file'] = /^\s*(hostile|malicious|seeds)\b/.exec(part) ?? [];
    return [...part.matchAll(/`([^`]+)`/g)].map(([, name = '']) => ({ kind, name }));
  });
});

/** `yamux-…` stands for all that begin so. */
const matches = (name: string, all: readonly string[]): boolean =>
  all.some((one) => (name.endsWith('…') ? one.startsWith(name.slice(0, -1)) : one === name));

test('every test, attack and liar that the threat model names is there', () => {
  assert.ok(named.length > 50);
  const missing = named.filter(({ kind, name }) => {
    if (kind === 'hostile') return !matches(name, attackNames);
    if (kind === 'malicious') return !matches(name, [...strategies, 'twin', 'two-twins', 'two-silent']);
    return !name.startsWith('npm ') && globSync(name, { cwd: import.meta.dirname }).length === 0;
  });
  assert.deepEqual(missing, []);
});

test('every attack and every liar stands in the threat model', () => {
  const of = (kind: string): string[] => named.filter((one) => one.kind === kind).map(({ name }) => name);
  const isNamed = (one: string, names: readonly string[]): boolean =>
    names.some((name) => matches(name, [one]));
  assert.deepEqual(
    attackNames.filter((attack) => !isNamed(attack, of('hostile'))),
    [],
  );
  assert.deepEqual(
    strategies.filter((strategy) => !isNamed(strategy, of('malicious'))),
    [],
  );
});
