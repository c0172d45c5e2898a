/**
 * What the process tells a script when it ends. Part of the interface: a number never changes its meaning.
 */
export const exitCodes = {
  ok: 0,
  /** The request was understood and refused, or an input that it needs is wrong. */
  problem: 1,
  /** The command line is wrong; nothing was tried. */
  usage: 2,
  /** The node cannot be reached, or asks to be tried again later. */
  retryable: 3,
  /** The deadline passed. The outcome may still come; ask again. */
  timeout: 4,
  /** What was asked for does not exist. */
  notFound: 5,
  /** The transaction is final, and it failed: it changed nothing but its fee and nonce. */
  failed: 6,
  /** A fault of this program. */
  internal: 70,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The table in `quorate --help`. */
export const exitCodesHelp = `
Exit codes:
  0   it worked
  1   refused, or something that was needed is wrong (the message says what)
  2   the command line is wrong; nothing was tried
  3   the node cannot be reached, or asks to be tried again later
  4   the deadline passed; the outcome may still come
  5   what was asked for does not exist
  6   the transaction is final and it failed (only with --wait)
  70  a fault of this program

With --json both outputs hold nothing but JSON. Standard output has the answer: one value, or one
a line where a command goes on. On standard error each line has a "problem" or a "warning".
`;
