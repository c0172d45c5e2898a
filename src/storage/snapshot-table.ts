import type { Problem } from '../base/problem.ts';
import { keys } from './keys.ts';
import type { Store, Write } from './port.ts';
import { readChecksummed, checksummedWrite } from './checksummed.ts';

type Done = (problem: Problem | undefined) => void;

/**
 * A snapshot on its way here: what arrived of it is on disk, so that a fetch goes on where it stopped, also
 * after a restart. One at a time; it is gone when the snapshot is installed, or a block as high is final.
 */
export class SnapshotTable {
  readonly #store: Store;
  /** How many entries there are, the head included; what is being written counts. */
  #count: number;

  private constructor(store: Store, count: number) {
    this.#store = store;
    this.#count = count;
  }

  /** One part at a time: all of them are a whole state. */
  static open(store: Store): SnapshotTable {
    let count = 0;
    // A gap cannot come from a crash: writes are durable in order. What stands behind one is of no use.
    while (readChecksummed(store, keys.snapshot(count)) !== undefined) count += 1;
    return new SnapshotTable(store, count);
  }

  /** What says which snapshot it is; undefined when none is on its way. */
  head(): Uint8Array | undefined {
    return this.#count === 0 ? undefined : readChecksummed(this.#store, keys.snapshot(0));
  }

  get partCount(): number {
    return Math.max(0, this.#count - 1);
  }

  part(index: number): Uint8Array | undefined {
    return index < this.partCount ? readChecksummed(this.#store, keys.snapshot(index + 1)) : undefined;
  }

  /** Forgets what is there, and starts another one. */
  begin(head: Uint8Array, done: Done): void {
    const batch = [...this.clearing(), checksummedWrite(keys.snapshot(0), head)];
    this.#count = 1;
    this.#store.write(batch, done);
  }

  add(part: Uint8Array, done: Done): void {
    const write = checksummedWrite(keys.snapshot(this.#count), part);
    this.#count += 1;
    this.#store.write([write], done);
  }

  clear(done: Done): void {
    this.#store.write(this.clearing(), done);
  }

  /** The changes that forget everything, for a batch; from now on nothing is here. */
  clearing(): Write[] {
    const batch = Array.from({ length: this.#count }, (_, index) =>
      checksummedWrite(keys.snapshot(index), null),
    );
    this.#count = 0;
    return batch;
  }
}
