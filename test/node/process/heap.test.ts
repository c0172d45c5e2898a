import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { limits } from '../../../src/base/limits.ts';
import { v8Flags, isHeapBounded } from '../../../src/node/process/heap.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const MiB = 1024 * 1024;

/** The heap's limit in a process that is started so. */
function limitIn(command: string, args: readonly string[]): number {
  return Number(execFileSync(command, args, { encoding: 'utf8' }));
}

test('programs are started with bounds for the heap: by the launcher, and by the flags that a testnet gives its nodes', () => {
  const program = 'test/node/process/heap-probe.ts';
  const launched = limitIn(`${root}/scripts/pinned-node`, [program]);
  const flagged = limitIn(process.execPath, [...v8Flags, `${root}/${program}`]);
  for (const limit of [launched, flagged]) {
    assert.ok(isHeapBounded(limit), `${limit / MiB} MiB`);
    assert.ok(limit >= limits.oldSpaceMiB * MiB);
  }
  assert.ok(!isHeapBounded((limits.oldSpaceMiB + 4 * limits.youngSpaceMiB) * MiB));
});

test('all who start nodes know all of the bounds', () => {
  const launcher = readFileSync(`${root}/scripts/pinned-node`, 'utf8');
  for (const flag of v8Flags) assert.ok(launcher.includes(` ${flag} `), flag);
  const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
    scripts: Record<string, string>;
  };
  assert.equal(scripts['quorate'], 'exec scripts/quorate');
});
