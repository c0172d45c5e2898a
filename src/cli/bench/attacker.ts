import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Problem } from '../../base/problem.ts';
import { paths } from '../../node/process/config.ts';
import type { Testbed } from './testbed.ts';

const program = join(import.meta.dirname, '../../../scripts/attacker/main.ts');
const heapMiB = 512;

/**
 * A process that attacks all nodes without a key until it is ended: one of those that `npm run hostile` has.
 * It ends with this process.
 */
export async function startAttacker(
  testbed: Testbed,
  { attack, block }: { readonly attack: string; readonly block: number },
): Promise<() => Promise<void>> {
  const [{ directory } = {}] = testbed.nodes;
  const orders = JSON.stringify({
    attack,
    block,
    nodes: testbed.nodes.map(({ url, peerPort }) => ({ api: Number(new URL(url).port), peers: peerPort })),
    genesisFile: directory === undefined ? '' : paths.genesis(directory),
  });
  const child = spawn(process.execPath, [`--max-old-space-size=${heapMiB}`, program, orders], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const began = await Promise.race([
    new Promise<boolean>((resolve) => child.once('message', () => resolve(true))),
    ended.then(() => false),
  ]);
  if (!began) {
    throw new Problem('cli/bench-stalled', 'the attacker ended before it began', {
      remedy: 'Run the attackers by themselves (npm run hostile), which shows what they say.',
    });
  }
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}
