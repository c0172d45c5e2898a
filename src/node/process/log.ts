import { pino } from 'pino';
import { limits } from '../../base/limits.ts';

/** Facts beside a log line; all values survive JSON. */
export type LogDetails = Readonly<Record<string, string | number | boolean | null>>;

export interface Logger {
  debug(message: string, details?: LogDetails): void;
  info(message: string, details?: LogDetails): void;
  warn(message: string, details?: LogDetails): void;
  error(message: string, details?: LogDetails): void;
}

type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export const silentLog: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Lines of JSON on standard error: standard output belongs to whoever started the node. */
export function jsonLog(level: LogLevel, name: string): Logger {
  // A disk that is full of log, or a reader that is gone, stops no node: what cannot be written now is kept
  // up to a bound, then left out.
  const output = pino.destination({ dest: 2, sync: true, maxLength: limits.logUnwrittenBytes });
  output.on('error', () => {});
  const logger = pino({ level, name, base: { name } }, output);
  return {
    debug: (message, details) => logger.debug(details ?? {}, message),
    info: (message, details) => logger.info(details ?? {}, message),
    warn: (message, details) => logger.warn(details ?? {}, message),
    error: (message, details) => logger.error(details ?? {}, message),
  };
}
