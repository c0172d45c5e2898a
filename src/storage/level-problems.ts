import { machineFaultIn, machineRemedy, nameOfFault } from '../base/machine-fault.ts';
import { Problem } from '../base/problem.ts';
import { damaged } from './checksummed.ts';
import { inaccessible } from './store-directory.ts';

/** Why LevelDB did not open. */
export function openingProblem(directory: string, failure: unknown): Problem {
  const cause = failure instanceof Error ? (failure.cause ?? failure) : failure;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const message = cause instanceof Error ? cause.message : String(cause);
  // Where the file system cannot lock, LevelDB calls it locked as well.
  if (machineFaultIn(message) !== undefined) return inaccessible(directory, cause);
  if (code === 'LEVEL_LOCKED') return inUse(directory, cause);
  return damaged(`the store in ${directory}`, `cannot be opened (${message})`, cause);
}

/** Another process, or this one, has it open. */
export function inUse(directory: string, cause: unknown): Problem {
  return new Problem('storage/in-use', `the store in ${directory} is in use by another process`, {
    remedy: 'Stop the other node, or give this one its own data directory. Two nodes must never share a key.',
    details: { directory },
    cause,
  });
}

/** What the machine refuses (too few files, a disk that fails) says nothing of what is written there. */
export function readProblem(cause: unknown): Problem {
  const fault = machineFaultIn(messageOf(cause));
  if (fault === undefined)
    return damaged('a file of the database', `cannot be read (${messageOf(cause)})`, cause);
  return new Problem('storage/read-failed', `the database could not be read: ${messageOf(cause)}`, {
    remedy: `${machineRemedy(fault)} Then start the node again.`,
    cause,
  });
}

/** What of the machine makes writing fail, as far as it can be told. */
export function writeProblem(cause: unknown): Problem {
  const fault = nameOfFault(cause) ?? machineFaultIn(messageOf(cause));
  return new Problem('storage/write-failed', `the database could not be written: ${messageOf(cause)}`, {
    remedy: `${fault === undefined ? 'Look at the disk and its free space.' : machineRemedy(fault)} Then start the node again: it takes up where the last finished write left it.`,
    cause,
  });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
