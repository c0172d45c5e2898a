import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { exitCodes } from './exit-codes.ts';
import { reportFailure } from './failure.ts';
import { createProgram } from './program.ts';

const json = process.argv.includes('--json');

// A reader that has enough (`quorate block --full | head`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  throw error;
});

const program = createProgram();
throwInsteadOfExit(program);
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error, json);
}

function throwInsteadOfExit(command: CommandUnknownOpts): void {
  command.exitOverride();
  if (json) command.configureOutput({ writeErr: () => {} });
  for (const inner of command.commands) throwInsteadOfExit(inner);
}
