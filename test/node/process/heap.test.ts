import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { limits } from '../../../src/base/limits.ts';
import { isHeapBounded, nodeLaunch, v8Flags } from '../../../src/node/process/heap.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const probe = 'test/node/process/launch-probe.ts';
const MiB = 1024 * 1024;

interface Launched {
  readonly heapLimit: number;
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** How a program finds itself started by the launcher, and as a testnet starts its nodes. */
function launchedBoth(env: NodeJS.ProcessEnv): readonly Launched[] {
  const ask = (command: string, args: readonly string[], given: NodeJS.ProcessEnv): Launched =>
    JSON.parse(execFileSync(command, args, { encoding: 'utf8', env: given })) as Launched;
  const node = nodeLaunch([`${root}${probe}`], env);
  return [ask(`${root}scripts/pinned-node`, [probe], env), ask(process.execPath, node.args, node.env)];
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
  assert.deepEqual(testnet?.flags, [...v8Flags, '--import', `${root}src/node/process/strip-types.js`]);
  assert.deepEqual(testnet.environment, { MALLOC_ARENA_MAX: `${limits.mallocArenas}` });
  const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
    scripts: Record<string, string>;
  };
  assert.equal(scripts['quorate'], 'exec scripts/quorate');
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
  assert.ok(!loadedBy(`await import('${root}src/node/node.ts')`).includes(client));
  assert.ok(loadedBy(`await import('node:http')`).includes(client), 'the name is still right');
});
