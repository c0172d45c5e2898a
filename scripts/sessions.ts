import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { Problem } from '../src/base/problem.ts';
import { exitCodes } from '../src/cli/exit-codes.ts';
import { print } from '../src/cli/terminal.ts';
import { runProgram } from '../src/cli/run.ts';
import { comparable, Hashes, sessionsOf, type ShownStep, withOutputs } from './sessions/page.ts';
import { runSession } from './sessions/testnet.ts';

// Runs the sessions of `sessions.md` on test networks of this machine, at their usual ports, and compares what is
// printed with what stands there: npm run sessions.

const path = join(import.meta.dirname, 'sessions.md');

const program = new Command('sessions')
  .description('Runs what sessions.md shows, and compares what is printed with the page.')
  .option('--only <text>', 'sessions whose heading holds this')
  .option('--write', 'put what is printed into the page')
  .action(runAll);

await runProgram(process.argv, () => program);

async function runAll({ only = '', write }: { only?: string; write?: true }): Promise<void> {
  const page = await readFile(path, 'utf8');
  const lines = page.split('\n');
  const changed = new Map<ShownStep, string>();
  const sessions = sessionsOf(page);
  const asked = sessions.filter(({ title }) => title.includes(only));
  if (asked.length === 0) {
    throw new Problem('cli/usage', `no session has "${only}" in its heading`, {
      remedy: `Give a part of one: ${sessions.map(({ title }) => title).join('; ')}.`,
    });
  }
  for (const session of asked) {
    print(session.title);
    const hashes = new Hashes();
    const commandOf = ({ command }: ShownStep): string => (session.loose ? hashes.in(command) : command);
    await runSession(session, commandOf, (step, output) => {
      const expected = lines.slice(step.from, step.to).join('\n').trimEnd();
      hashes.note(expected, output);
      const isSame = comparable(output, session) === comparable(expected, session);
      print(`  ${isSame ? 'same' : 'OTHER'}  ${step.command}`);
      if (isSame) return;
      changed.set(step, output);
      if (write !== true) print(`page:\n${expected}\nnow:\n${output}\n`);
    });
  }
  if (changed.size === 0) return;
  if (write === true) await writeFile(path, withOutputs(page, changed));
  else process.exitCode = exitCodes.problem;
}
