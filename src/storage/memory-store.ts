import { invariant } from '../base/invariant.ts';
import type { Problem } from '../base/problem.ts';
import type { ScanRange, Store, Write } from './port.ts';

/** What a memory store holds, by key. It outlives the store that wrote it, as a disk would. */
export type MemoryEntries = Map<string, Uint8Array>;

/**
 * The store without a disk: for tests, and for tools that keep nothing. Its promises are those of the port.
 */
export class MemoryStore implements Store {
  readonly #defer: (finish: () => void) => void;
  readonly #entries: MemoryEntries;
  /** What was removed left no trace. */
  readonly compact: Store['compact'] = () => Promise.resolve();
  #unfinished = 0;
  #closed = false;
  #onIdle: (() => void)[] = [];

  /**
   * `defer` calls its argument later, once, in the order of the calls. Give `entries` to open what another
   * store wrote.
   */
  constructor(defer: (finish: () => void) => void, entries: MemoryEntries = new Map()) {
    this.#defer = defer;
    this.#entries = entries;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    invariant(!this.#closed, 'an open store is read');
    return this.#entries.get(textOf(key))?.slice();
  }

  write(batch: Iterable<Write>, done: (problem: Problem | undefined) => void): void {
    invariant(!this.#closed, 'an open store is written');
    const changes = Array.from(batch, (change) => {
      invariant((change.key[0] ?? 0) !== 0, 'no key starts with byte 0');
      const value = change.type === 'put' ? Uint8Array.from(change.value) : undefined;
      return [textOf(change.key), value] as const;
    });
    this.#unfinished += 1;
    this.#defer(() => {
      for (const [key, value] of changes) {
        if (value === undefined) this.#entries.delete(key);
        else this.#entries.set(key, value);
      }
      this.#unfinished -= 1;
      done(undefined);
      if (this.#unfinished === 0) for (const onIdle of this.#onIdle.splice(0)) onIdle();
    });
  }

  async scan(range: ScanRange): Promise<[Uint8Array, Uint8Array][]> {
    invariant(!this.#closed, 'an open store is read');
    const from = textOf(range.from);
    const to = textOf(range.to);
    const found = [...this.#entries.keys()].filter((key) => key >= from && key < to).sort();
    if (range.reverse === true) found.reverse();
    return found
      .slice(0, range.limit)
      .map((key) => [
        Uint8Array.from(Buffer.from(key, 'latin1')),
        this.#entries.get(key)?.slice() ?? new Uint8Array(),
      ]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#unfinished > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }
}

/** One character per byte: texts of this form sort as the bytes do. */
function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}
