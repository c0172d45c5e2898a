import { warn } from './terminal.ts';

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Aborted at the first request to stop. Those after it are ignored: stopping is under way, and has its
 * deadline. It is the first signal that sets it, wherever the program is: one that hangs while it starts (a
 * dead mount) ends as well. A process that is still there then dies by that signal, because `process.exit`
 * waits for calls of the file system that may never return.
 */
export function stopOnSignals(deadlineMs: number): AbortSignal {
  const controller = new AbortController();
  for (const signal of stopSignals) {
    process.on(signal, () => {
      if (controller.signal.aborted) return;
      controller.abort(signal);
      setTimeout(() => dieBy(signal, deadlineMs), deadlineMs).unref();
    });
  }
  return controller.signal;
}

function dieBy(signal: (typeof stopSignals)[number], deadlineMs: number): void {
  warn(`It did not stop within ${deadlineMs / 1_000} s, and is ended by force.`);
  for (const each of stopSignals) process.removeAllListeners(each);
  process.kill(process.pid, signal);
}

/**
 * A command that is stopped while it waits calls `ending`, which prints the last words, and ends at once with
 * the exit code that it returns.
 */
export function onInterrupt(ending: () => number): void {
  for (const signal of stopSignals) process.once(signal, () => process.exit(ending()));
}

/** Resolves once it is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
