import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as client from '../../src/client/index.ts';

const root = join(import.meta.dirname, '../..');
const script = join(root, 'scripts/client-package.ts');

function run(command: string, args: readonly string[], cwd: string) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  return { status, out: `${stdout}${stderr}` };
}

describe('the client as a package of its own', () => {
  /** A program somewhere else, in which it is installed with what it depends on. */
  let program: string;
  let packed: { readonly dependencies: object; readonly optionalDependencies: object };
  before(() => {
    program = mkdtempSync(join(tmpdir(), 'quorate-package-'));
    const { status, out } = run(process.execPath, [script, '--out', program], program);
    assert.equal(status, 0, out);
    const file = /quorate-client-\S+\.tgz/.exec(out)?.[0] ?? assert.fail(out);
    const place = join(program, 'node_modules/quorate-client');
    mkdirSync(place, { recursive: true });
    assert.equal(run('tar', ['xzf', file, '--strip-components=1', '-C', place], program).status, 0);
    packed = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as typeof packed;
    for (const name of Object.keys({ ...packed.dependencies, ...packed.optionalDependencies })) {
      const link = join(program, 'node_modules', name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(root, 'node_modules', name), link);
    }
    writeFileSync(join(program, 'package.json'), '{"type":"module"}');
  });
  after(() => rmSync(program, { recursive: true, force: true }));

  test('names all that it imports, with versions', () => {
    for (const [name, version] of Object.entries({
      ...packed.dependencies,
      ...packed.optionalDependencies,
    })) {
      assert.match(String(version), /^\d+\.\d+\.\d+$/, name);
    }
    assert.deepEqual(Object.keys(packed.dependencies).toSorted(), [
      '@noble/ciphers',
      '@noble/ed25519',
      '@noble/hashes',
      '@scure/base',
      'zod',
    ]);
  });

  test('hands out what the door of the checkout does', () => {
    const text = `import * as client from 'quorate-client';
      const pair = client.developmentKeyPair('alice');
      const { message } = await client.Ledger.connect({ endpoints: [] }).catch((problem) => problem);
      console.log(JSON.stringify({ names: Object.keys(client), key: pair.publicKey, message }));`;
    writeFileSync(join(program, 'program.js'), text);
    const { status, out } = run(process.execPath, ['program.js'], program);
    assert.equal(status, 0, out);
    const said = JSON.parse(out) as { names: string[]; key: string; message: string };
    assert.deepEqual(said.names.toSorted(), Object.keys(client).toSorted());
    assert.equal(said.key, client.developmentKeyPair('alice').publicKey);
    assert.equal(said.message, 'no node is named');
  });

  test('has types that a strict program outside of the checkout compiles with', () => {
    const options = { strict: true, module: 'nodenext', target: 'es2022', lib: ['es2022', 'dom'], types: [] };
    const compile = (use: string) => {
      const text = `import { Ledger, Problem, type Reading, type RecordVersions } from 'quorate-client';
        export async function main(): Promise<Reading<RecordVersions>> {
          const ledger = await Ledger.connect({ endpoints: [] });
          if (ledger instanceof Problem) throw ledger;
          const history = await ledger.readHistory('key');
          ${use}
          return history;
        }`;
      writeFileSync(join(program, 'main.ts'), text);
      const config = {
        compilerOptions: { ...options, outDir: 'out', declaration: true },
        files: ['main.ts'],
      };
      writeFileSync(join(program, 'tsconfig.json'), JSON.stringify(config));
      return run(join(root, 'node_modules/.bin/tsc'), ['-p', '.'], program);
    };
    const right = compile('if (history instanceof Problem) throw history;');
    assert.deepEqual([right.status, right.out], [0, '']);
    const wrong = compile('');
    assert.match(wrong.out, /^main\.ts\(7,11\): error TS2322: Type '.*Problem.*' is not assignable/m);
    assert.equal(wrong.out.match(/error/g)?.length, 1, wrong.out);
  });
});

test('what cannot be packed is told', () => {
  const wrong = run(process.execPath, [script, '--where', 'x'], root);
  assert.equal(wrong.status, 2);
  assert.match(wrong.out, /Write "npm run client-package/);
  const nowhere = run(process.execPath, [script, '--out', '/dev/null/x'], root);
  assert.equal(nowhere.status, 1);
  assert.match(nowhere.out, /cli\/file[^]*Check --out/);
});
