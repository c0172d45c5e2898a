import { Problem } from './problem.ts';

/** What to do about a fault of the machine, by the name of the error (errno(3)). */
const remedies: Readonly<Record<string, string>> = {
  EACCES: 'Check who owns it and its permissions: this program runs as another user than it is meant for.',
  EPERM: 'Check who owns it, its permissions and its attributes.',
  EROFS: 'The file system is mounted read-only: mount it for writing, or choose another place.',
  ENOSPC: 'The disk is full: make room, then start again. Nothing that was reported as done is lost.',
  EDQUOT: 'The disk quota is used up: make room or raise it, then start again.',
  EMFILE: 'This process may open too few files: raise the limit ("ulimit -n", or LimitNOFILE of systemd).',
  ENFILE: 'The machine has too many files open: raise the limit of the system, or stop what opens them.',
  EIO: 'The disk failed: look at the log of the kernel, and do not trust the disk before it was checked.',
  ENOENT: 'Check the path: something in it does not exist.',
  ENOTDIR: 'Check the path: something in it is a file where a directory is meant.',
  EISDIR: 'Check the path: it is a directory where a file is meant.',
  EEXIST: 'Check the path: something is there already.',
  ENAMETOOLONG: 'Choose a shorter path.',
  ELOOP: 'Check the path: its symbolic links go round in a circle.',
  EBUSY: 'Another program uses it: stop that, or choose another path.',
  ENOMEM: 'The machine has too little memory free: stop other programs, or give it more.',
};

interface SystemError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly path?: string;
}

/**
 * The problem behind an error of the operating system, which names the file and what to do; undefined for every other error. It is no fault of
 * this program, so it must not look like one. `path` is for calls whose error does not name it.
 */
export function machineFault(error: unknown, path?: string): Problem | undefined {
  if (!isSystemError(error)) return undefined;
  const { code, syscall } = error;
  const where = error.path ?? path;
  const what = where === undefined ? 'the machine refused a call' : `${where} cannot be used`;
  return new Problem('node/machine', `${what}: ${code} (${syscall})`, {
    remedy: remedies[code] ?? `Look up what ${code} means on this system, mend it, and start again.`,
    details: { code, syscall, ...(where === undefined ? {} : { path: where }) },
    cause: error,
  });
}

function isSystemError(error: unknown): error is SystemError {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as Partial<SystemError>;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) && typeof syscall === 'string';
}
