import type { ProblemCode, ReceivedCode } from './problem-codes.ts';

/** Facts about a problem that a program can read. All values survive JSON. */
export type ProblemDetails = Readonly<Record<string, string | number | boolean | null>>;

interface ProblemOptions {
  /** What to do about it: a sentence after which whoever follows it is better off. */
  readonly remedy: string;
  readonly details?: ProblemDetails;
  readonly cause?: unknown;
}

/**
 * A fault of somebody else: a user, a peer, a file, the machine. It says what was wrong and what to
 * do about it. Functions that judge input return `T | Problem`; a caller that cannot go on throws it.
 * A fault of our own is never a Problem: see `invariant`.
 */
export class Problem extends Error {
  override readonly name = 'Problem';
  /** One of `problemCodes`, unless another version of the program said it: see `Problem.received`. */
  readonly code: ReceivedCode;
  readonly remedy: string;
  readonly details: ProblemDetails;

  constructor(code: ProblemCode, message: string, options: ProblemOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy;
    this.details = options.details ?? {};
  }

  /** All of it that others may see; by itself `JSON.stringify` leaves out an error's message. */
  toJSON(): object {
    const { code, message, remedy, details } = this;
    return { code, message, remedy, details };
  }

  /**
   * A problem that another process told of. Its code is kept as it is, so that an older client can
   * name what a newer node says.
   */
  static received(code: string, message: string, options: ProblemOptions): Problem {
    return new Problem(code as ProblemCode, message, options);
  }

  /** The same problem, said by one who knows more about it. */
  restated(message: string, options: ProblemOptions): Problem {
    return new Problem(this.code as ProblemCode, message, options);
  }
}

/** Returns the value, or throws it when it is a problem. For callers that cannot go on without it. */
export function unwrap<T>(value: T | Problem): T {
  if (value instanceof Problem) throw value;
  return value;
}
