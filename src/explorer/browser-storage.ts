import { Problem } from '../base/problem.ts';

/** Uses what the browser keeps. It may refuse: in a private window, on a full disk, by its owner’s rule. */
export function keeping<T>(lost: string, use: () => T): T | Problem {
  try {
    return use();
  } catch (cause) {
    return notStored(lost, cause);
  }
}

export function notStored(lost: string, cause: unknown): Problem {
  return new Problem('explorer/storage', `this browser keeps nothing for this page: ${lost}`, {
    remedy:
      'Use a window that is not private, and allow this address to store data; or do the same with "quorate" in a terminal.',
    details: {},
    cause,
  });
}
