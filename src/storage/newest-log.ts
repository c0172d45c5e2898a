import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from './sync-directory.ts';

/** The names of LevelDB's write-ahead logs, in the order in which they were begun. */
export async function logNamesIn(directory: string): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => /^\d+\.log$/.test(name));
  // Of six digits or more.
  return names.sort((one, other) => Number.parseInt(one, 10) - Number.parseInt(other, 10));
}

/**
 * The log that LevelDB writes into. Where one is full it begins another, and syncs what it writes there, but
 * not the name before there is a table of what the full one held. A file system that does not take the name
 * along with the file could lose the whole log in a power failure, and nobody would miss it.
 */
export class NewestLog {
  readonly #directory: string;
  #path = '';
  #size = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Finds the newest log, and makes its name durable. Throws what the system says. */
  async follow(): Promise<void> {
    // One that is begun after this is not written into before this ends.
    const name = (await logNamesIn(this.#directory)).at(-1);
    this.#path = join(this.#directory, name ?? '');
    this.#size = this.#sizeNow();
    await syncDirectory(this.#directory);
  }

  /** To be called when a batch was synced: when this has ended, the name of its log is durable, too. */
  async settle(): Promise<void> {
    const before = this.#size;
    this.#size = this.#sizeNow();
    // A batch makes its log longer: when it is another one, this one stays as it was, or is gone.
    if (this.#size <= before) await this.follow();
  }

  #sizeNow(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
  }
}
