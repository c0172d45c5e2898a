import { pino } from 'pino';

/** Facts beside a log line; all values survive JSON. */
export type LogDetails = Readonly<Record<string, string | number | boolean | null>>;

export interface Logger {
  debug(message: string, details?: LogDetails): void;
  info(message: string, details?: LogDetails): void;
  warn(message: string, details?: LogDetails): void;
  error(message: string, details?: LogDetails): void;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export const silentLog: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Lines of JSON on standard error: standard output belongs to whoever started the node. */
export function jsonLog(level: LogLevel, name: string): Logger {
  const logger = pino({ level, name, base: { name } }, pino.destination({ dest: 2, sync: true }));
  return {
    debug: (message, details) => logger.debug(details ?? {}, message),
    info: (message, details) => logger.info(details ?? {}, message),
    warn: (message, details) => logger.warn(details ?? {}, message),
    error: (message, details) => logger.error(details ?? {}, message),
  };
}
