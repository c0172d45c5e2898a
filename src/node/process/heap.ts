import { join } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { limits } from '../../base/limits.ts';

/**
 * How V8 is started for a node. Its spaces grow in a flood and do not give back what they took for as long as
 * nothing else wants it, so their bounds are what a node's memory comes back to. All can be set only when a
 * process starts.
 */
export const v8Flags: readonly string[] = [
  `--max-semi-space-size=${limits.youngSpaceMiB}`,
  `--max-old-space-size=${limits.oldSpaceMiB}`,
  `--heap-growing-percent=${limits.oldSpaceGrowthPercent}`,
  `--invocation-count-for-turbofan=${limits.lastCompilerCalls}`,
];

/** What else it takes to start a node: see the bound, and the file. */
const environment = { MALLOC_ARENA_MAX: `${limits.mallocArenas}` };
/** Given as a path: `--import` would take it for a URL, in which `%`, `#` and `?` mean something. */
const stripTypes = join(import.meta.dirname, 'strip-types.js');

/** How Node is started for a node, as `scripts/pinned-node` does it. What `env` has already stays. */
export function nodeLaunch(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): { readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv } {
  return { args: [...v8Flags, '--require', stripTypes, ...args], env: { ...environment, ...env } };
}

const MiB = 1024 * 1024;

/**
 * Whether this process was started with those bounds, or closer ones. V8 counts three halves of the young
 * generation.
 */
export function isHeapBounded(heapLimitBytes = getHeapStatistics().heap_size_limit): boolean {
  return heapLimitBytes <= (limits.oldSpaceMiB + 3 * limits.youngSpaceMiB) * MiB;
}
