import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { limits } from '../../../src/base/limits.ts';
import { isHeapBounded, nodeLaunch, v8Flags } from '../../../src/node/process/heap.ts';
import { temporaryDirectory } from '../../cli/quorate.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const probe = 'test/node/process/launch-probe.ts';
const MiB = 1024 * 1024;

interface Launched {
  readonly heapLimit: number;
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * How a program finds itself started by the launcher of a checkout, and as a testnet starts its nodes.
 */
function launchedBoth(env: NodeJS.ProcessEnv, checkout = root, launch = nodeLaunch): readonly Launched[] {
  const ask = (command: string, args: readonly string[], given: NodeJS.ProcessEnv): Launched =>
    JSON.parse(execFileSync(command, args, { encoding: 'utf8', env: given })) as Launched;
  const node = launch([`${checkout}${probe}`], env);
  const launcher = `${checkout}scripts/pinned-node`;
  return [ask(launcher, [`${checkout}${probe}`], env), ask(process.execPath, node.args, node.env)];
}

const path = { PATH: process.env['PATH'] ?? '' };

test('programs are started with bounds for the heap: by the launcher, and by a testnet', () => {
  for (const { heapLimit } of launchedBoth(path)) {
    assert.ok(isHeapBounded(heapLimit), `${heapLimit / MiB} MiB`);
    assert.ok(heapLimit >= limits.oldSpaceMiB * MiB);
  }
  assert.ok(!isHeapBounded((limits.oldSpaceMiB + 4 * limits.youngSpaceMiB) * MiB));
});

test('all who start nodes start them in the same way', () => {
  const [launcher, testnet] = launchedBoth(path);
  assert.deepEqual(launcher, testnet);
  assert.deepEqual(testnet?.flags, [...v8Flags, '--require', `${root}src/node/process/strip-types.js`]);
  assert.deepEqual(testnet.environment, { MALLOC_ARENA_MAX: `${limits.mallocArenas}` });
});

test('what npm runs of ours runs on our Node, or says that there is none', () => {
  const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
    scripts: Record<string, string>;
  };
  assert.equal(scripts['testnet'], 'exec scripts/quorate testnet');
  assert.equal(scripts['demo'], 'exec scripts/pinned-node scripts/demo.ts');
  for (const line of Object.values(scripts)) {
    assert.doesNotMatch(line, /(?<!-)\bnode scripts\//);
    if (line.startsWith('exec ')) assert.match(line, /^exec scripts\/(?:quorate|pinned-node)\b/);
  }
});

test('who has set malloc stays with that', () => {
  const own = { MALLOC_ARENA_MAX: '7' };
  for (const { environment } of launchedBoth({ ...path, ...own })) assert.deepEqual(environment, own);
});

test('a node does without the HTTP client of Node', () => {
  const client = 'NativeModule internal/deps/undici/undici';
  const loadedBy = (program: string): readonly string[] => {
    const text = `${program}; console.log(JSON.stringify(process.moduleLoadList))`;
    const { args, env } = nodeLaunch(['--input-type=module', '--eval', text], path);
    return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', env })) as string[];
  };
  assert.ok(
    !loadedBy(`await import(${JSON.stringify(pathToFileURL(`${root}src/node/node.ts`).href)})`).includes(
      client,
    ),
  );
  assert.ok(loadedBy(`await import('node:http')`).includes(client), 'the name is still right');
});

/** As much of a checkout as the launchers need, in a directory of that name. */
function checkoutIn(t: TestContext, name: string): string {
  const directory = join(realpathSync(temporaryDirectory(t)), name, '/');
  for (const part of ['package.json', 'scripts', 'src/base', 'src/node/process', probe]) {
    cpSync(`${root}${part}`, `${directory}${part}`, { recursive: true });
  }
  mkdirSync(`${directory}node_modules`);
  symlinkSync(realpathSync(`${root}node_modules/node`), `${directory}node_modules/node`);
  return directory;
}

const oddNames = [`a b'c "$HOME"; %41 #x ?y * [z] {w} ~ | é`, '-n', 'two\nlines'];

test('a checkout may have any name that a directory can have', async (t) => {
  for (const name of oddNames) {
    const checkout = checkoutIn(t, name);
    const heap = (await import(pathToFileURL(`${checkout}src/node/process/heap.ts`).href)) as {
      readonly nodeLaunch: typeof nodeLaunch;
    };
    const [launcher, testnet] = launchedBoth(path, checkout, heap.nodeLaunch);
    assert.deepEqual(launcher, testnet, name);
    // As it is called from beside it, through a link, and where relative names are looked up elsewhere.
    symlinkSync(join(name, 'scripts/pinned-node'), join(checkout, '..', 'link'));
    for (const line of [`./${name}/scripts/pinned-node`, './link', 'link', `${checkout}../link`]) {
      const { stdout, stderr } = spawnSync('sh', ['-c', '"$0" "$1"', line, `./${name}/${probe}`], {
        cwd: join(checkout, '..'),
        encoding: 'utf8',
        env: { ...path, PATH: `.:${path.PATH}`, CDPATH: root },
      });
      assert.deepEqual([stderr, JSON.parse(stdout)], ['', testnet], line);
    }
  }
});

test('the launcher runs a program of whoever calls it, named from where it is called', (t) => {
  const cwd = temporaryDirectory(t);
  writeFileSync(join(cwd, 'own.ts'), 'const given: string[] = process.argv.slice(2); console.log(...given);');
  const run = (file: string): string =>
    execFileSync(`${root}scripts/pinned-node`, [file, 'a', 'b'], { cwd, encoding: 'utf8', env: path });
  for (const file of ['own.ts', './own.ts', join(cwd, 'own.ts')]) assert.equal(run(file), 'a b\n');
});

test('but no backslash, which Node does not take: that is said', (t) => {
  const checkout = checkoutIn(t, 'a\\nb');
  const ran = spawnSync(`${checkout}scripts/quorate`, ['--version'], { encoding: 'utf8', env: path });
  assert.equal(ran.status, 70);
  assert.match(ran.stderr, /^quorate: .*backslash.*\n {2}what to do: move or rename .*a\\nb\n$/);
});

test('where packages may not run their scripts, there is no Node of ours: that is said', (t) => {
  const checkout = checkoutIn(t, 'without');
  rmSync(`${checkout}node_modules/node`);
  const ran = spawnSync(`${checkout}scripts/quorate`, ['--version'], { encoding: 'utf8', env: path });
  assert.equal(ran.status, 70);
  assert.match(ran.stderr, /not installed\.\n {2}what to do: run 'npm ci' in .*without\n.*ignore-scripts/);
});
