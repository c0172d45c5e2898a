/** The part of the system that a problem's code starts with. */
export type ProblemArea =
  | 'codec'
  | 'crypto'
  | 'keys'
  | 'transaction'
  | 'block'
  | 'certificate'
  | 'genesis'
  | 'mempool'
  | 'consensus'
  | 'storage'
  | 'network'
  | 'sync'
  | 'node'
  | 'api'
  | 'config'
  | 'cli'
  | 'simulator';

export type ProblemCode = `${ProblemArea}/${string}`;

/** Facts about a problem that a program can read. All values survive JSON. */
export type ProblemDetails = Readonly<Record<string, string | number | boolean | null>>;

/**
 * A fault of somebody else: a user, a peer, a file, the machine. It says what was wrong and what to
 * do about it. Functions that judge input return `T | Problem`; a caller that cannot go on throws it.
 * A fault of our own is never a Problem: see `invariant`.
 */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly remedy: string;
  readonly details: ProblemDetails;

  constructor(
    code: ProblemCode,
    message: string,
    options: { remedy: string; details?: ProblemDetails; cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy;
    this.details = options.details ?? {};
  }
}

/** Returns the value, or throws it when it is a problem. For callers that cannot go on without it. */
export function unwrap<T>(value: T | Problem): T {
  if (value instanceof Problem) throw value;
  return value;
}
