/** Facts beside a log line; all values survive JSON. */
type NetworkLogDetails = Readonly<Record<string, string | number | boolean | null>>;

/** The part of the node's log that the network writes to. */
export interface NetworkLog {
  debug(message: string, details?: NetworkLogDetails): void;
  info(message: string, details?: NetworkLogDetails): void;
  warn(message: string, details?: NetworkLogDetails): void;
}

export const silentLog: NetworkLog = { debug: () => {}, info: () => {}, warn: () => {} };
