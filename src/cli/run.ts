import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { readArguments, refuseForgottenValues } from './arguments.ts';
import { reportFailure } from './failure.ts';
import { createProgram } from './program.ts';
import { forPrograms, watchOutput } from './terminal.ts';

/** Runs one command line, as the shell gave it, and sets the process's exit code. */
export async function run(argv: readonly string[]): Promise<void> {
  watchOutput();
  try {
    const words = readArguments(argv.slice(2), process.env);
    const program = await createProgram(words.find((text) => !text.startsWith('-')));
    refuseForgottenValues(words, program);
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
