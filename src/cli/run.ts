import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import {
  readArguments,
  refuseEmptyValues,
  refuseForgottenValues,
  refuseRepeatedOptions,
} from './arguments.ts';
import { askThisMachineDirectly } from './direct-requests.ts';
import { reportFailure } from './failure.ts';
import { createProgram } from './program.ts';
import { forPrograms, watchOutput } from './terminal.ts';

/** Runs one command line, as the shell gave it, and sets the process's exit code. */
export function run(argv: readonly string[]): Promise<void> {
  return runProgram(argv, (words) => createProgram(words.find((text) => !text.startsWith('-'))));
}

/** The same with the program that belongs to the words. */
export async function runProgram(
  argv: readonly string[],
  programFor: (words: readonly string[]) => CommandUnknownOpts | Promise<CommandUnknownOpts>,
): Promise<void> {
  watchOutput();
  askThisMachineDirectly(process.env);
  try {
    const words = readArguments(argv.slice(2), process.env);
    const program = await programFor(words);
    refuseForgottenValues(words, program);
    refuseRepeatedOptions(program);
    refuseEmptyValues(program);
    throwInsteadOfExit(program);
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    process.exitCode = reportFailure(error);
  }
}

function throwInsteadOfExit(command: CommandUnknownOpts): void {
  command.exitOverride();
  if (forPrograms) command.configureOutput({ writeErr: () => {} });
  for (const inner of command.commands) throwInsteadOfExit(inner);
}
