import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import * as client from '../../src/client/index.ts';
import * as whole from '../../src/index.ts';
import { temporaryDirectory } from '../cli/quorate.ts';

const source = join(import.meta.dirname, '../../src');

/** What a file needs when it runs, by way of all that it imports: files of ours, and packages. */
function needs(entry: string): { readonly files: Set<string>; readonly packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const walk = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    const imports = readFileSync(file, 'utf8').matchAll(
      /^(?:import|export)\s+(?!type\b)(?:[^;]*?\sfrom\s+)?['"]([^'"]+)['"]/gm,
    );
    for (const [, name = ''] of imports) {
      if (name.startsWith('.')) walk(resolve(dirname(file), name));
      else packages.add(name);
    }
  };
  walk(entry);
  return { files, packages };
}

const { files, packages } = needs(join(source, 'client/index.ts'));

test('the client’s door needs no module of Node and three small packages, so that browsers can load it', () => {
  assert.ok(files.size > 20 && files.size < 130, `${files.size} files`);
  const isFine = (name: string): boolean => /^@noble\/|^@scure\/base$|^zod\/mini$/.test(name);
  assert.deepEqual(
    [...packages].filter((name) => !isFine(name) || builtinModules.includes(name)),
    [],
  );
  const folders = new Set([...files].map((file) => relative(source, file).split('/')[0]));
  assert.deepEqual(folders, new Set(['base', 'client', 'crypto', 'ledger']));
});

test('nor does it name what only Node has', () => {
  const found = [...files].flatMap((file) => {
    const code = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    return /\b(?:Buffer|process|require|__dirname|setImmediate)\b\s*[.(]/.test(code)
      ? [relative(source, file)]
      : [];
  });
  assert.deepEqual(found, []);
});

test('programs in Node get the same by way of what is faster there', async () => {
  const found = import.meta.resolve('quorate/client');
  assert.ok(found.endsWith('/src/client-in-node.ts'), found);
  assert.deepEqual(Object.keys((await import(found)) as object), Object.keys(client));
});

test('both doors hand out what an application needs, the client’s all of it but the node', () => {
  const names = [
    'HttpClient',
    'Ledger',
    'Problem',
    'Wallet',
    'contentFromJson',
    'decodeTransaction',
    'decryptKey',
    'developmentKeyPair',
    'encodeAddress',
    'encryptKey',
    'failureRemedy',
    'finalBlocks',
    'generateKeyPair',
    'isRetryable',
    'keyPairFromSeed',
    'parseAddress',
    'parseGenesis',
    'parseReservation',
    'problemCodes',
    'problemOf',
    'proposalOf',
    'readKeyFile',
    'reservationText',
    'sign',
    'toHeight',
    'transactionJson',
    'verifyAccount',
    'verifyContradiction',
    'verifyHeader',
    'verifyKeptProof',
    'verifyNamespace',
    'verifyReceipt',
    'verifyRecord',
    'verifyRecords',
    'verifyReservation',
  ];
  assert.deepEqual(Object.keys(client).toSorted(), names.toSorted());
  assert.deepEqual(Object.keys(whole).toSorted(), [...names, 'initDirectory', 'startNode'].toSorted());
});

test('the program in the README is a program, with the settings that stand there', (t) => {
  const [, section = ''] = readFileSync(join(source, '../README.md'), 'utf8').split('## As a library');
  const [, example = ''] = /```ts\n([^]*?)```/.exec(section) ?? [];
  const settings = [...section.matchAll(/`("\w+": [^`]+)`/g)].map(([, one]) => one);
  assert.equal(settings.length, 3);
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync(join(source, '..'), join(directory, 'node_modules/quorate'));
  symlinkSync(join(source, '../node_modules/@types'), join(directory, 'node_modules/@types'));
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(directory, 'example.ts'), example);
  writeFileSync(join(directory, 'node.ts'), "import { startNode } from 'quorate';\nvoid startNode;\n");
  writeFileSync(
    join(directory, 'tsconfig.json'),
    `{ "compilerOptions": { "strict": true, "types": ["node"], ${settings.join(', ')} } }`,
  );
  const { status, stdout } = spawnSync(join(source, '../node_modules/.bin/tsc'), ['-p', directory], {
    encoding: 'utf8',
  });
  assert.deepEqual([status, stdout], [0, '']);
});

test('a key file that one door made the other opens', () => {
  const pair = client.developmentKeyPair('alice');
  const text = client.encryptKey(pair, 'secret', { name: 'mine', cost: { n: 1_024, r: 8, p: 1 } });
  assert.deepEqual(whole.decryptKey(text, 'secret'), pair);
  assert.ok(client.decryptKey(text, 'other') instanceof client.Problem);
});
