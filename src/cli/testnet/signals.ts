const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The first request to stop. Those after it are ignored: stopping is under way, and has its own deadline. */
export function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of stopSignals) process.on(signal, () => resolve(signal));
  });
}
