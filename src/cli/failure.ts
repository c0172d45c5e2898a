import { CommanderError } from '@commander-js/extra-typings';
import { harmless } from '../base/harmless.ts';
import { machineFault } from '../base/machine-fault.ts';
import { Problem } from '../base/problem.ts';
import type { ProblemCode, ReceivedCode } from '../base/problem-codes.ts';
import { isRetryable } from '../client/transport.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { forPrograms, printError, styledError, toJson } from './terminal.ts';

const notFound: ReadonlySet<string> = new Set<ProblemCode>([
  'api/no-such-block',
  'api/no-such-namespace',
  'api/no-such-record',
  'api/no-such-reservation',
  'cli/not-found',
]);

/** The exit code that tells a script what kind of problem it was. */
export function exitCodeOf(problem: Problem): ExitCode {
  if (problem.code === 'api/not-final' || problem.code === 'api/timeout') return exitCodes.timeout;
  // Whatever it was: a script that takes it for undone, and does it again, may pay twice.
  if (problem.details['outcome'] === 'unknown') return exitCodes.timeout;
  if (problem.code === 'cli/usage') return exitCodes.usage;
  if (problem.code === 'cli/internal') return exitCodes.internal;
  if (isRetryable(problem)) return exitCodes.retryable;
  if (notFound.has(problem.code)) return exitCodes.notFound;
  return exitCodes.problem;
}

/** Says on standard error what went wrong, with its code, and what to do about it; returns the exit code. */
export function reportFailure(error: unknown): ExitCode {
  // commander printed its own message already, unless the output is for programs.
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.ok;
    if (forPrograms) {
      const message = error.message.replace(/^error: /, '');
      printError(toJson(failure('cli/usage', message, 'See --help.', {}, exitCodes.usage)));
    }
    return exitCodes.usage;
  }
  const problem = error instanceof Problem ? error : (machineFault(error) ?? internal(error));
  const exitCode = exitCodeOf(problem);
  const { code, message, remedy, details } = problem;
  if (forPrograms) printError(toJson(failure(code, message, remedy, details, exitCode)));
  else printProblem(problem);
  return exitCode;
}

/** A fault of this program is reported with its stack trace. */
function internal(error: unknown): Problem {
  return new Problem('cli/internal', `a fault of this program: ${String(error)}`, {
    remedy: 'Please report it, with all of this and the command that you ran.',
    details: { stack: error instanceof Error ? (error.stack ?? null) : null },
    cause: error,
  });
}

function printProblem(problem: Problem): void {
  printError(`${styledError(['bold', 'red'], 'error')} ${harmless(problem.message)}`);
  printError(`  ${styledError('dim', 'code')}        ${problem.code}`);
  printError(`  ${styledError('dim', 'what to do')}  ${harmless(problem.remedy)}`);
  const { stack } = problem.details;
  if (problem.code === 'cli/internal' && typeof stack === 'string') {
    for (const line of stack.split('\n').slice(1)) printError(harmless(line));
  }
}

function failure(
  code: ReceivedCode,
  message: string,
  remedy: string,
  details: object,
  exitCode: ExitCode,
): object {
  return { problem: { code, message, remedy, details }, exitCode };
}
