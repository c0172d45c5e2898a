import { endLine, forPrograms, notice, showLine, styledError } from './terminal.ts';

const redrawMs = 100;

/**
 * Runs something long, and shows on a terminal's standard error that it goes on and for how
 * long. Elsewhere it is silent, and so it is for programs.
 */
export async function whileWaiting<T>(what: string, work: () => Promise<T>): Promise<T> {
  if (!process.stderr.isTTY || forPrograms) return work();
  const start = performance.now();
  const draw = (): void => {
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    showLine(styledError('dim', `${what} (${seconds} s)`));
  };
  const timer = setInterval(draw, redrawMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    endLine();
  }
}

/**
 * A line that replaces itself on a terminal, and appears at most once a second elsewhere; never for programs.
 */
export class ProgressLine {
  #last = Number.NEGATIVE_INFINITY;

  show(text: string): void {
    if (forPrograms) return;
    const every = process.stderr.isTTY ? redrawMs : 1_000;
    const now = performance.now();
    if (now - this.#last < every) return;
    this.#last = now;
    if (process.stderr.isTTY) showLine(text);
    else notice(text);
  }

  end(): void {
    endLine();
  }
}
