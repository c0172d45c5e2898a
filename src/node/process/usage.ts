import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../../base/limits.ts';
import type { MonotonicMs } from '../../consensus/engine.ts';

/** What this process takes of the machine. */
export class Usage {
  readonly #directory: string;
  readonly #rest: () => Promise<void>;
  #diskBytes: number | null = null;
  /** When the last look began; the next one waits until it has ended, too. */
  #lookedAt: MonotonicMs = -Infinity;
  #isLooking = false;

  /** `directory` holds the database; `rest` is called between two parts of a look. */
  constructor(
    directory: string,
    rest = (): Promise<void> => sleep(limits.sampleMs, undefined, { ref: false }),
  ) {
    this.#directory = directory;
    this.#rest = rest;
  }

  /**
   * The database's size is that of the last look: some seconds old, and older where it has many files. Null
   * before the first.
   */
  now(now: MonotonicMs): {
    readonly memoryBytes: number;
    readonly heapBytes: number;
    readonly diskBytes: number | null;
  } {
    if (!this.#isLooking && now - this.#lookedAt >= limits.diskUsageMs) {
      this.#lookedAt = now;
      void this.look();
    }
    const { rss, heapUsed } = process.memoryUsage();
    return { memoryBytes: rss, heapBytes: heapUsed, diskBytes: this.#diskBytes };
  }

  async look(): Promise<void> {
    this.#isLooking = true;
    try {
      let [bytes, files] = [0, 0];
      for await (const entry of await opendir(this.#directory, { recursive: true })) {
        if (!entry.isFile()) continue;
        bytes += await sizeOf(join(entry.parentPath, entry.name));
        files += 1;
        if (files % limits.diskUsageFiles === 0) await this.#rest();
      }
      this.#diskBytes = bytes;
    } catch {
      // What the disk says wrong, the store says with its remedy.
      this.#diskBytes = null;
    }
    this.#isLooking = false;
  }
}

/** The database deletes files while they are counted. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}
