import type { PersistRequest } from './chain-requests.ts';
import { checksummedWrite, scanChecksummed } from './checksummed.ts';
import { keys, rangeOf, restOf } from './keys.ts';
import type { Store, Write } from './port.ts';

/**
 * The consensus log: what this node's engine and signer must remember, each record under its own key. It
 * follows the finished writes.
 */
export class LogTable {
  readonly #records: Map<string, Uint8Array>;

  private constructor(records: Map<string, Uint8Array>) {
    this.#records = records;
  }

  static async open(store: Store): Promise<LogTable> {
    const records = new Map<string, Uint8Array>();
    for await (const [key, value] of scanChecksummed(store, rangeOf('log'))) {
      records.set(Buffer.from(restOf(key)).toString('utf8'), value);
    }
    return new LogTable(records);
  }

  get records(): ReadonlyMap<string, Uint8Array> {
    return this.#records;
  }

  /** The size of all that is in it. */
  get bytes(): number {
    let bytes = 0;
    for (const [key, value] of this.#records) bytes += key.length + value.length;
    return bytes;
  }

  /** These changes are on disk. */
  written(records: PersistRequest['records']): void {
    for (const { key, value } of records) {
      if (value === null) this.#records.delete(key);
      else this.#records.set(key, value);
    }
  }
}

export function logWrites(records: PersistRequest['records']): Write[] {
  return records.map(({ key, value }) => checksummedWrite(keys.log(key), value));
}

/** The changes that remove these keys. */
export function removed(logKeys: readonly string[]): PersistRequest['records'] {
  return logKeys.map((key) => ({ key, value: null }));
}
