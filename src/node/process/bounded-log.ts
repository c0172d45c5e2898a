import { limits } from '../../base/limits.ts';
import type { MonotonicMs } from '../../consensus/engine.ts';
import { BoundedMap } from '../../base/bounded-map.ts';
import type { Logger, LogDetails } from './log.ts';

interface Count {
  since: MonotonicMs;
  lines: number;
  leftOut: number;
}

/**
 * A log that nobody can fill from outside: within a window only this many lines of one kind (one message)
 * about one peer, and this many of one kind in all. How many were left out is said when the kind is next
 * heard of in a later window. What is there for debugging is not bounded.
 */
export function boundedLog(log: Logger, now: () => MonotonicMs): Logger {
  const perPeer = new BoundedMap<string, Count>(limits.peersRemembered);
  const perKind = new BoundedMap<string, Count>(limits.peersRemembered);

  const countIn = (counts: BoundedMap<string, Count>, name: string): Count => {
    const count = counts.get(name) ?? { since: now(), lines: 0, leftOut: 0 };
    // Set again, so that what is quiet is forgotten first.
    counts.set(name, count);
    return count;
  };
  /** Starts a new window when the last one is over; says what was left out in it. */
  const turnOver = (count: Count, tell: (leftOut: number) => void): void => {
    if (now() - count.since < limits.logWindowMs) return;
    const { leftOut } = count;
    Object.assign(count, { since: now(), lines: 0, leftOut: 0 });
    if (leftOut > 0) tell(leftOut);
  };

  const bounded =
    (level: 'info' | 'warn' | 'error') =>
    (message: string, details?: LogDetails): void => {
      const kind = countIn(perKind, message);
      turnOver(kind, (lines) => log[level]('lines were left out', { of: message, lines }));
      const peer = details?.['peer'];
      const own = typeof peer === 'string' ? countIn(perPeer, `${message}\n${peer}`) : undefined;
      if (own !== undefined) turnOver(own, () => {});
      if (kind.lines >= limits.logPerKind || (own?.lines ?? 0) >= limits.logPerPeer) {
        kind.leftOut += 1;
        return;
      }
      kind.lines += 1;
      if (own !== undefined) own.lines += 1;
      log[level](message, details);
    };
  return {
    debug: (message, details) => log.debug(message, details),
    info: bounded('info'),
    warn: bounded('warn'),
    error: bounded('error'),
  };
}
