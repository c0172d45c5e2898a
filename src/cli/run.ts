import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { reportFailure } from './failure.ts';
import { createProgram } from './program.ts';
import { watchOutput } from './terminal.ts';

/** Runs one command line, as the shell gave it, and sets the process's exit code. */
export async function run(argv: readonly string[]): Promise<void> {
  const json = argv.includes('--json');
  watchOutput();
  try {
    const program = await createProgram(argv.slice(2).find((text) => !text.startsWith('-')));
    throwInsteadOfExit(program, json);
    await program.parseAsync(argv);
  } catch (error) {
    process.exitCode = reportFailure(error, json);
  }
}

function throwInsteadOfExit(command: CommandUnknownOpts, quiet: boolean): void {
  command.exitOverride();
  if (quiet) command.configureOutput({ writeErr: () => {} });
  for (const inner of command.commands) throwInsteadOfExit(inner, quiet);
}
