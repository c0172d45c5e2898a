import { compareBytes, fromHex, toHex } from '../../base/bytes.ts';
import { invariant } from '../../base/invariant.ts';
import { Problem } from '../../base/problem.ts';
import { copyOf, type ScanRange, type Store, type Write } from '../../storage/port.ts';
import type { Chance } from './chance.ts';
import type { ProcessLife } from './process-life.ts';
import type { Scheduler, VirtualMs } from './scheduler.ts';

interface DiskOptions {
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  /** How long a synced write takes, from least to most. */
  readonly latencyMs: readonly [VirtualMs, VirtualMs];
}

interface Pending {
  readonly batch: readonly Write[];
  readonly done: (problem: Problem | undefined) => void;
  readonly life: ProcessLife;
}

/**
 * A disk that outlives the process using it. Batches reach it one after the other, each whole. A crash keeps
 * a prefix of those under way, which is what a store promises whose batches are atomic and synced in order:
 * the last may be lost (a torn record), or be there although nobody was told (the acknowledgement was lost).
 */
export class VirtualDisk {
  readonly #options: DiskOptions;
  readonly #durable = new Map<string, Uint8Array>();
  readonly #queue: Pending[] = [];
  /** On disk, but the process (paused) was not told yet, and so does not see it yet. */
  readonly #landed: Pending[] = [];
  #stalledUntil: VirtualMs = 0;
  #slowUpTo: VirtualMs | null = null;
  #failing = false;
  #hasFailed = false;
  #busy = false;
  #everWritten = 0;

  constructor(options: DiskOptions) {
    this.#options = options;
  }

  /** Batches that are on it or were, whatever became of it since. */
  get written(): number {
    return this.#everWritten;
  }

  /** Batches that were handed over and not acknowledged. */
  get unsynced(): number {
    return this.#queue.length;
  }

  get bytes(): number {
    let total = 0;
    for (const [key, value] of this.#durable) total += key.length / 2 + value.length;
    return total;
  }

  /** What is on it under a key at this moment, for whoever looks from outside. */
  peek(key: Uint8Array): Uint8Array | undefined {
    return this.#durable.get(toHex(key));
  }

  /** Whether a write that was handed over, and is not on it yet, takes the key away. */
  isGoing(key: Uint8Array): boolean {
    const name = toHex(key);
    return [...this.#landed, ...this.#queue].some(({ batch }) =>
      batch.some((write) => write.type === 'del' && toHex(write.key) === name),
    );
  }

  /** Opens the store for one process. */
  open(life: ProcessLife): Store {
    this.#failing = false;
    this.#hasFailed = false;
    let closed = false;
    return {
      get: (key) => {
        invariant(!closed, 'an open store is read');
        return this.#durable.get(toHex(key))?.slice();
      },
      write: (batch, done) => {
        invariant(!closed, 'an open store is written');
        const kept = copyOf(batch);
        invariant(
          kept.every(({ key }) => (key[0] ?? 0) !== 0),
          'no key starts with byte 0',
        );
        this.#queue.push({ batch: kept, done, life });
        this.#work();
      },
      scan: async (range) => {
        invariant(!closed, 'an open store is read');
        return this.#scan(range);
      },
      // What was removed left no trace.
      compact: () => Promise.resolve(),
      close: () => {
        closed = true;
        return new Promise((resolve) => this.#whenIdle(resolve));
      },
    };
  }

  /** Once everything that was taken is on disk, and whoever gave it was told. */
  #whenIdle(then: () => void): void {
    if (this.#queue.length === 0 && this.#landed.length === 0) then();
    else this.#options.scheduler.after(1, () => this.#whenIdle(then));
  }

  /** Nothing is written until then; what is handed over waits. */
  stall(duration: VirtualMs): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, this.#options.scheduler.now + duration);
  }

  /** Each write takes up to this long; null for as long as before. */
  slow(upToMs: VirtualMs | null): void {
    this.#slowUpTo = upToMs;
  }

  /** The next sync fails, and by the port's rule everything after it. */
  fail(): void {
    this.#failing = true;
  }

  /**
   * The process is gone. Of the batches under way some made it, in order, or none; returns how
   * many did not.
   */
  crash(made: 'some' | 'none' = 'some'): number {
    // After a failed sync nothing more was taken: what came behind it must not be there without it.
    const kept = this.#hasFailed || made === 'none' ? 0 : this.#options.chance.between(0, this.#queue.length);
    const lost = this.#queue.length - kept;
    for (const { batch } of this.#landed.splice(0)) this.#apply(batch);
    for (const { batch } of this.#queue.splice(0).slice(0, kept)) this.#apply(batch);
    this.#busy = false;
    return lost;
  }

  /** All data is gone, as after replacing the disk. */
  wipe(): void {
    this.#durable.clear();
    this.#queue.length = 0;
    this.#landed.length = 0;
  }

  #work(): void {
    const next = this.#queue[0];
    if (this.#busy || next === undefined) return;
    this.#busy = true;
    const { scheduler, chance, latencyMs } = this.#options;
    const [least, most] = latencyMs;
    scheduler.after(chance.between(least, this.#slowUpTo ?? most), () => this.#finish(next));
  }

  #finish(entry: Pending): void {
    if (this.#queue[0] !== entry) return;
    const { scheduler } = this.#options;
    if (scheduler.now < this.#stalledUntil) {
      scheduler.at(this.#stalledUntil, () => this.#finish(entry));
      return;
    }
    this.#busy = false;
    this.#queue.shift();
    if (this.#failing) {
      this.#hasFailed = true;
      entry.life.enter(() => entry.done(syncFailed()));
    } else {
      this.#landed.push(entry);
      entry.life.enter(() => {
        this.#landed.shift();
        this.#apply(entry.batch);
        entry.done(undefined);
      });
    }
    this.#work();
  }

  #apply(batch: readonly Write[]): void {
    this.#everWritten += 1;
    for (const write of batch) {
      if (write.type === 'put') this.#durable.set(toHex(write.key), write.value);
      else this.#durable.delete(toHex(write.key));
    }
  }

  #scan({ from, to, limit, reverse }: ScanRange): [Uint8Array, Uint8Array][] {
    const [low, high] = [toHex(from), toHex(to)];
    const found: [Uint8Array, Uint8Array][] = [];
    for (const [key, value] of this.#durable) {
      if (key >= low && key < high) found.push([fromHex(key), value.slice()]);
    }
    found.sort(([a], [b]) => (reverse === true ? compareBytes(b, a) : compareBytes(a, b)));
    return found.slice(0, limit);
  }
}

function syncFailed(): Problem {
  return new Problem('storage/write-failed', 'the disk reported an error on sync', {
    remedy: 'Check the disk and its free space, then start the node again.',
  });
}
