import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '../../base/limits.ts';
import type { MonotonicMs } from '../../consensus/engine.ts';

/** What this process takes of the machine. */
export class Usage {
  readonly #directory: string;
  #diskBytes: number | null = null;
  #lookedAt: MonotonicMs = -Infinity;

  /** `directory` holds the database. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The database's size is that of the last look, which is some seconds old; null before the first. */
  now(now: MonotonicMs): {
    readonly memoryBytes: number;
    readonly heapBytes: number;
    readonly diskBytes: number | null;
  } {
    if (now - this.#lookedAt >= limits.diskUsageMs) {
      this.#lookedAt = now;
      void this.look();
    }
    const { rss, heapUsed } = process.memoryUsage();
    return { memoryBytes: rss, heapBytes: heapUsed, diskBytes: this.#diskBytes };
  }

  async look(): Promise<void> {
    try {
      const names = await readdir(this.#directory, { recursive: true });
      let bytes = 0;
      for (const name of names) bytes += await sizeOf(join(this.#directory, name));
      this.#diskBytes = bytes;
    } catch {
      // What the disk says wrong, the store says with its remedy.
      this.#diskBytes = null;
    }
  }
}

/** The database deletes files while they are counted. */
async function sizeOf(path: string): Promise<number> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : 0;
  } catch {
    return 0;
  }
}
