import { Problem, type ProblemDetails } from './problem.ts';

/** What to do about a fault of the machine, by the name of the error (errno(3)). */
export const machineRemedies: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Another program listens there: stop it, or choose another port.',
  EADDRNOTAVAIL: 'That is no address of this machine: choose one that is ("ip address" lists them).',
  EAFNOSUPPORT: 'This machine does not speak that kind of address (IPv6 may be off): choose another.',
  EAI_AGAIN: 'The name service of this machine does not answer: look at it, or write an address.',
  ENOTFOUND: 'That name is not known here: correct it, or write an address.',
  EAGAIN: 'The machine may start no more processes or threads: raise the limit ("ulimit -u"), or stop some.',
  EFBIG:
    'The file would be larger than this process or the file system allows: raise the limit ("ulimit -f").',
  EINVAL: 'The file or the file system cannot do what is asked of it: choose a plain file on a local disk.',
  ENODEV: 'The device behind it is gone: look at the log of the kernel.',
  ENOTEMPTY: 'The directory is not empty: choose another, or move away what is in it.',
  ENXIO: 'The device behind it is gone: look at the log of the kernel.',
  ESTALE: 'The network file system lost the file: mount it again, and prefer a local disk.',
  ETXTBSY: 'Another program uses it: stop that, or choose another path.',
  EACCES:
    'Check who owns it, its permissions, and the umask that it was made under: this program may run as another user than it is meant for.',
  EPERM: 'Check who owns it, its permissions and its attributes.',
  ENOLCK:
    'The file system gives no locks: mount it with them (NFS needs its lock service), or choose a local disk.',
  EROFS: 'The file system is mounted read-only: mount it for writing, or choose another place.',
  ENOSPC: 'The disk is full: make room. Nothing that was reported as done is lost.',
  EDQUOT: 'The disk quota is used up: make room or raise it.',
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

/** How libraries of C say it (strerror(3)), where they hand on no more than the words. */
const words: Readonly<Record<string, string>> = {
  'permission denied': 'EACCES',
  'operation not permitted': 'EPERM',
  'read-only file system': 'EROFS',
  'no space left on device': 'ENOSPC',
  'disk quota exceeded': 'EDQUOT',
  'too many open files in system': 'ENFILE',
  'too many open files': 'EMFILE',
  'input/output error': 'EIO',
  'is a directory': 'EISDIR',
  'not a directory': 'ENOTDIR',
  'file name too long': 'ENAMETOOLONG',
  'too many levels of symbolic links': 'ELOOP',
  'device or resource busy': 'EBUSY',
  'cannot allocate memory': 'ENOMEM',
  'array buffer allocation failed': 'ENOMEM',
  'file too large': 'EFBIG',
  'stale file handle': 'ESTALE',
  'no such device': 'ENODEV',
  'no locks available': 'ENOLCK',
};

/** The name of the error whose words stand in a library's message; undefined when none do. */
export function machineFaultIn(message: string): string | undefined {
  const text = message.toLowerCase();
  const found = Object.keys(words).find((phrase) => text.includes(phrase));
  return found === undefined ? undefined : words[found];
}

/** The name of an error of the operating system, such as ENOSPC; undefined for every other error. */
export function nameOfFault(error: unknown): string | undefined {
  return isSystemError(error) ? error.code : undefined;
}

/** What to do about an error of that name. */
export function machineRemedy(code: string): string {
  return machineRemedies[code] ?? `Look up what ${code} means on this system, and mend it.`;
}

interface SystemError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly path?: string;
}

/**
 * The problem behind an error of the operating system, or behind one that was caused by it, which names the
 * file and what to do; undefined for every other error. It is no fault of this program, so it must not look
 * like one. `path` is for calls whose error does not name it.
 */
export function machineFault(error: unknown, path?: string): Problem | undefined {
  if (!isSystemError(error)) {
    const name = nameInWords(error);
    if (name !== undefined) return refused((error as Error).message, name, {}, error);
    const { cause } = error instanceof Error ? error : {};
    return cause === undefined ? undefined : machineFault(cause, path);
  }
  const { code, syscall } = error;
  if (syscall === 'uv_cwd') return currentDirectoryGone(code, error);
  const where = error.path ?? path;
  const what = where === undefined ? 'the machine refused a call' : `${where} cannot be used`;
  const details = { syscall, ...(where === undefined ? {} : { path: where }) };
  return refused(`${what}: ${code} (${syscall})`, code, details, error);
}

/** The one in which a program was started; relative paths mean nothing any more. */
function currentDirectoryGone(code: string, cause: unknown): Problem {
  return new Problem('node/machine', `the current directory cannot be used: ${code}`, {
    remedy: 'It was removed or may not be entered: change to another one, and run this again.',
    details: { code },
    cause,
  });
}

function refused(what: string, code: string, details: ProblemDetails, cause: unknown): Problem {
  return new Problem('node/machine', what, {
    remedy: machineRemedy(code),
    details: { code, ...details },
    cause,
  });
}

/** What a process runs out of wherever it happens to be, so that any library may be the one to say so. */
const exhausted: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC', 'EDQUOT', 'EIO']);

/** The name of the error behind one of the runtime or of a library, which gives words only. */
function nameInWords(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { readonly code?: unknown };
  // A thread that could not be made; elsewhere EAGAIN is for whoever reads or writes.
  if (code === 'ERR_WORKER_INIT_FAILED' && error.message === 'EAGAIN') return 'EAGAIN';
  if (code === 'ERR_WORKER_OUT_OF_MEMORY' || code === 'ERR_MEMORY_ALLOCATION_FAILED') return 'ENOMEM';
  const name = /\bE[A-Z]{3,}\b/.exec(error.message)?.[0] ?? machineFaultIn(error.message);
  return name !== undefined && exhausted.has(name) ? name : undefined;
}

function isSystemError(error: unknown): error is SystemError {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as Partial<SystemError>;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) && typeof syscall === 'string';
}
