const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Aborted at the first request to stop. Those after it are ignored: stopping is under way, and has its own deadline. */
export function stopOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of stopSignals) process.on(signal, () => controller.abort(signal));
  return controller.signal;
}

/** Resolves once it is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
