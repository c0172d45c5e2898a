import { hashSize } from '../crypto/pair-hash.ts';
import type { EntryRef, PathOf } from './entry-pages.ts';
import type { NodeRef, TreeNodes } from './tree-nodes.ts';

/**
 * Looks up many keys of one length together, a step of all at a time: what lies far away is waited for
 * together, and not one after the other. It finds values of one size; what it does not find may be there all
 * the same, and is for `StateTree.get`.
 */
export class TreeLookups {
  readonly #pathOf: PathOf;
  readonly #keyBytes: number;
  readonly #valueBytes: number;
  readonly #keys: Uint8Array;
  readonly #paths: Uint8Array;
  /** Where each stands on its way down, and then the entry; 0 where none was found. */
  readonly #places: Int32Array;
  /** What was found, side by side; of a key that was not, anything. */
  readonly values: Uint8Array;
  #count = 0;

  /** For so many at once. */
  constructor(
    pathOf: PathOf,
    most: number,
    size: { readonly keyBytes: number; readonly valueBytes: number },
  ) {
    this.#pathOf = pathOf;
    this.#keyBytes = size.keyBytes;
    this.#valueBytes = size.valueBytes;
    this.#keys = new Uint8Array(most * size.keyBytes);
    this.#paths = new Uint8Array(most * hashSize);
    this.#places = new Int32Array(most);
    this.values = new Uint8Array(most * size.valueBytes);
  }

  get isFull(): boolean {
    return this.#count === this.#places.length;
  }

  /** Copies a key. */
  add(key: Uint8Array): void {
    const at = this.#count * this.#keyBytes;
    for (let i = 0; i < key.length; i++) this.#keys[at + i] = key[i] as number;
    this.#pathOf(key, this.#paths, this.#count * hashSize);
    this.#count += 1;
  }

  /** Copies the values of those that were added; the next that is added is the first of others. */
  run(nodes: TreeNodes | undefined, root: NodeRef): void {
    const count = this.#count;
    const places = this.#places;
    this.#count = 0;
    places.fill(nodes === undefined ? 0 : root, 0, count);
    if (nodes === undefined) return;
    nodes.goDown(places, count, this.#paths);
    const { pages } = nodes;
    for (let i = 0; i < count; i++) {
      places[i] = pages.withPath(-(places[i] as NodeRef), this.#paths, i * hashSize);
    }
    for (let i = 0; i < count; i++) {
      const entry = places[i] as EntryRef;
      const key = i * this.#keyBytes;
      const isIt =
        entry !== 0 &&
        pages.hasKey(entry, this.#keys, key, this.#keyBytes) &&
        pages.copyValue(entry, this.values, i * this.#valueBytes, this.#valueBytes);
      if (!isIt) places[i] = 0;
    }
  }

  /** Whether the value was found, by the place at which its key was added. */
  isFound(index: number): boolean {
    return this.#places[index] !== 0;
  }
}
