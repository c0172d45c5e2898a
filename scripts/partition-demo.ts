import { Command, Option } from '@commander-js/extra-typings';
import { Problem } from '../src/base/problem.ts';
import { exitCodes } from '../src/cli/exit-codes.ts';
import { jsonOption, parseSeconds } from '../src/cli/options.ts';
import { print, styled, toJson } from '../src/cli/terminal.ts';
import { runProgram } from '../src/cli/run.ts';
import { allReady, type Running, startSeats, testGenesis } from './malicious-seats.ts';
import { Links } from './partition-links.ts';
import type { Scene, Step } from './partition-scene.ts';
import { pbftStory } from './partition-story.ts';
import { raftStory } from './partition-story-raft.ts';

interface PartitionOptions {
  readonly engine: 'pbft' | 'raft';
  readonly timeout: number;
  readonly keep?: true | undefined;
  readonly json?: true | undefined;
}

const program = new Command('partition-demo')
  .description(
    'Cuts the links between real nodes, heals them, and checks what is promised: four of PBFT, 2 | 2 and 3 | 1; or five of Raft, 2 | 3 and 4 | 1.',
  )
  .addOption(
    new Option('--engine <name>', 'which engine').choices(['pbft', 'raft'] as const).default('pbft' as const),
  )
  .option('--timeout <seconds>', 'how long one step may take', parseSeconds, 90)
  .option('--keep', 'keep the nodes’ data and logs, and say where')
  .addOption(jsonOption)
  .action(partitionDemo);

await runProgram(process.argv, () => program);

async function partitionDemo({ engine, timeout, keep, json }: PartitionOptions): Promise<void> {
  const deadlineMs = timeout * 1000;
  const links = new Links();
  let running: Running | undefined;
  const failed: string[] = [];
  const say = (text: string): void => {
    if (json !== true) print(text);
  };
  const begin = performance.now();
  try {
    const seats = engine === 'pbft' ? [0, 1, 2, 3] : [0, 1, 2, 3, 4];
    say(
      `${seats.length} nodes (${engine}), each a process. They reach each other through doors of this process, which can be shut.`,
    );
    running = await startSeats({
      name: 'partition-demo',
      keep: keep === true,
      genesis: testGenesis('partition-demo', { engine, validators: seats.length }),
      seats: seats.map((validator) => ({ name: `validator-${validator}`, validator })),
      door: (from, to, port) => links.open(from, to, port),
    });
    await allReady(running, seats, deadlineMs);
    const { clients, genesis, ended } = running;
    const check = (step: Step): void => {
      if (json === true) print(toJson({ event: 'step', ...step }));
      else print(`  ${step.held ? styled('green', 'yes') : styled('red', 'NO ')}  ${step.what}`);
      if (!step.held) failed.push(step.what);
    };
    const scene: Scene = { clients, genesis, links, deadlineMs, check, say };
    try {
      await (engine === 'pbft' ? pbftStory : raftStory)(scene);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      check({ what: error.message, held: false });
    }
    for (const [node, how] of ended) check({ what: `node ${node} ${how}`, held: false });
  } finally {
    await running?.stop();
    links.close();
  }
  const seconds = Math.round((performance.now() - begin) / 1000);
  if (json === true) print(toJson({ event: 'summary', failed, seconds }));
  else {
    say('');
    say(
      failed.length === 0
        ? styled('green', `Everything went as promised, in ${seconds} s.`)
        : styled('red', `${failed.length} promises did not hold.`),
    );
  }
  if (failed.length > 0) process.exitCode = exitCodes.problem;
}
