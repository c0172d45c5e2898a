/** Our own broken promise. Nothing catches it to go on: the node stops loudly. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/**
 * Stops the program when something that we promise does not hold. Never use it on input: a remote's
 * or a user's fault is a `Problem`.
 */
export function invariant(condition: unknown, promise: string): asserts condition {
  if (!condition) throw new InvariantError(`broken invariant: ${promise}`);
}

/** The value of a thing that cannot be undefined here, or a broken invariant that names it. */
export function defined<T>(value: T | undefined | null, what: string): T {
  invariant(value !== undefined && value !== null, `${what} is defined`);
  return value;
}

/** For the default branch of an exhaustive switch over a union of our own. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable case: ${JSON.stringify(value)}`);
}
