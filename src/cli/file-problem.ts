import { machineRemedy, nameOfFault } from '../base/machine-fault.ts';
import type { CodeOf } from '../base/problem-codes.ts';
import { Problem } from '../base/problem.ts';

/**
 * Why a file that the command line names cannot be used. Errors that are not the machine's are returned as
 * they are.
 */
export function fileProblem(
  path: string,
  cause: unknown,
  option?: string,
  code: CodeOf<'cli'> = 'cli/file',
): unknown {
  // A fault of the machine may be a problem by now, which knows nothing of the option.
  const error = cause instanceof Problem && cause.code === 'node/machine' ? cause.cause : cause;
  const fault = nameOfFault(error);
  if (fault === undefined) return cause;
  const where = option === undefined ? '' : option.startsWith('--') ? `Check ${option}. ` : `${option} `;
  return new Problem(code, `${path} cannot be used: ${(error as Error).message}`, {
    remedy: `${where}${machineRemedy(fault)}`,
    details: { path, code: fault },
    cause: error,
  });
}
