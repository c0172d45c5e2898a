import assert from 'node:assert/strict';
import { cpSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { buildExplorer as build } from '../../src/cli/build-explorer.ts';
import { temporaryDirectory } from '../cli/quorate.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('it is built in a checkout of any name, such as one with a pattern in it', async (t) => {
  const checkout = join(temporaryDirectory(t), 'a*[b] #c');
  for (const part of ['package.json', 'package-lock.json', 'src']) {
    cpSync(join(root, part), join(checkout, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
  const { buildExplorer } = (await import(
    pathToFileURL(join(checkout, 'src/cli/build-explorer.ts')).href
  )) as { readonly buildExplorer: typeof build };
  assert.equal(await buildExplorer(), 'built');
  const files = readdirSync(join(checkout, 'dist/explorer'));
  assert.deepEqual(
    ['app.css', 'app.js', 'index.html', 'playground.js'].filter((file) => !files.includes(file)),
    [],
  );
});
