import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommanderError } from '@commander-js/extra-typings';
import { Problem } from '../../../src/base/problem.ts';
import { benchCommand } from '../../../src/cli/bench.ts';

/** What the command line says to these words, without another process. */
async function refusal(words: readonly string[]): Promise<unknown> {
  const command = benchCommand();
  for (const each of [command, ...command.commands]) {
    each.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
  }
  return command.parseAsync(words, { from: 'user' }).then(
    () => undefined,
    (error: unknown) => error,
  );
}

test('what cannot be asked for is refused before anything is started', async () => {
  for (const wrong of [
    ['scale', '--validators', '0'],
    ['scale', '--validators', '101'],
    ['scale', '--validators', '4,x'],
    ['scale', '--delays', '-1'],
    ['scale', '--delays', ''],
    ['scale', '--windows', '65'],
    ['scale', '--engine', 'paxos'],
    ['state', '--accounts', '1.5'],
    ['micro', '--samples', '0'],
    ['--under', 'lying'],
    ['--under', 'slow', '--hangover'],
    ['--under', 'slow', '--nodes', '4'],
    ['--hangover', '--stall', '0'],
    ['--hangover', '--nodes', 'http://127.0.0.1:2'],
    ['--hangover', '--duration', '5'],
    ['--stall', '5'],
    ['--payload', '5'],
    ['--engine', 'raft', '--nodes', 'http://127.0.0.1:2'],
    ['--engine', 'raft', 'scale', '--validators', '1'],
    ['scale', '--engine', 'raft', '--windows', '1'],
    ['--keep', '--nodes', 'http://127.0.0.1:2'],
    ['--nodes', '0'],
    ['--nodes', '17'],
    ['--nodes', 'ftp://x'],
    ['--rate', '0'],
    ['--rate', '-5'],
    ['--rate', '1.5'],
    ['--rate', '10', '--in-flight', '10'],
    ['--rate', '10', '--sweep'],
    ['--sweep', '10,0'],
    ['--mix', 'steal'],
    ['--payload', '4097'],
    ['--operations', '257'],
    ['--duration', '0'],
    ['--accounts', '0'],
    ['--engine', 'paxos'],
  ]) {
    const error = await refusal(wrong);
    const isUsage =
      (error instanceof CommanderError && error.exitCode !== 0) ||
      (error instanceof Problem && error.code === 'cli/usage');
    assert.ok(isUsage, `${wrong.join(' ')}: ${String(error)}`);
  }
});
