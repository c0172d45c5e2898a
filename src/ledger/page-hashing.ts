import { pairBytes } from '../crypto/pair-hash.ts';
import { grown } from './cell-store.ts';
import type { EntryPages } from './entry-pages.ts';
import { copyHash, hashBatch, hashWords, pairBatch, pairOutput } from './pair-batch.ts';

/** Pages that are hashed together. */
const pagesAtOnce = 2_048;
const firstPairs = 64;

/**
 * Pairs of one level, side by side as they are hashed, and where the hash of each belongs: in which half of a
 * pair of the level above, or below zero, to which of those
 * that wait (-1 to the first).
 */
class Level {
  hashes = new Int32Array(firstPairs * 2 * hashWords);
  bytes = new Uint8Array(this.hashes.buffer);
  targets = new Int32Array(firstPairs);
  count = 0;

  /** Returns which pair it is. Both of its halves have to be written. */
  add(target: number): number {
    const pair = this.count++;
    if (pair === this.targets.length) this.#grow();
    this.targets[pair] = target;
    return pair;
  }

  #grow(): void {
    this.hashes = grown(this.hashes, Int32Array, 2 * this.hashes.length);
    this.bytes = new Uint8Array(this.hashes.buffer);
    this.targets = grown(this.targets, Int32Array, 2 * this.targets.length);
  }
}

/**
 * The hashes of pages. A page's hash is that of the subtree of its entries, as if all the branches in it were
 * stored. The branches of many pages are hashed together, level by level, the deepest first.
 */
export class PageHashing {
  readonly #pages: EntryPages;
  /**
   * One page after the other, and their hashes. A page that was given up meanwhile and used again waits
   * twice, and what it is now comes later.
   */
  readonly #waiting = new Int32Array(pagesAtOnce);
  readonly #hashes = new Int32Array(pagesAtOnce * hashWords);
  #waits = 0;
  readonly #levels: Level[] = [];

  constructor(pages: EntryPages) {
    this.#pages = pages;
  }

  /** A new page below a branch of this depth, less one. */
  add(page: number, depth: number): void {
    this.#waiting[this.#plan(page, 0, this.#pages.heads.count(page), depth)] = page;
    if (this.#waits === pagesAtOnce) this.finish();
  }

  /** Hashes all that were added. */
  finish(): void {
    this.#hash();
    for (let i = 0; i < this.#waits; i++) {
      this.#pages.heads.setHash(this.#waiting[i] as number, this.#hashes, i);
    }
    this.#waits = 0;
  }

  /** The hash of the subtree of some entries of a page, at a depth. Not while others wait. */
  partOf(page: number, from: number, to: number, depth: number): Uint8Array {
    const place = this.#plan(page, from, to, depth) * hashWords;
    this.#hash();
    this.#waits = 0;
    return new Uint8Array(this.#hashes.slice(place, place + hashWords).buffer);
  }

  #hash(): void {
    for (let depth = this.#levels.length - 1; depth >= 0; depth--) {
      const level = this.#levels[depth] as Level;
      const above = this.#levels[depth - 1];
      for (let from = 0; from < level.count; from += pairBatch) {
        const count = Math.min(pairBatch, level.count - from);
        hashBatch(count, level.bytes.subarray(from * pairBytes));
        for (let i = 0; i < count; i++) {
          const target = level.targets[from + i] as number;
          if (target < 0 || above === undefined) copyHash(pairOutput, i, this.#hashes, -target - 1);
          else copyHash(pairOutput, i, above.hashes, target);
        }
      }
      level.count = 0;
    }
  }

  /** Where the hash of the subtree of some entries of a page will stand. */
  #plan(page: number, from: number, to: number, depth: number): number {
    const place = this.#waits++;
    if (to - from > 1) this.#planBranch(page, from, to, depth, -place - 1);
    else this.#writeLeaf(page, from, to, this.#hashes, place);
    return place;
  }

  /** A branch over at least two entries. */
  #planBranch(page: number, from: number, to: number, depth: number, target: number): void {
    const first = this.#pages.entry(page, 0);
    let middle = from;
    while (middle < to && this.#pages.bitOf(first + middle, depth) === 0) middle += 1;
    while (this.#levels.length <= depth) this.#levels.push(new Level());
    const left = 2 * (this.#levels[depth] as Level).add(target);
    this.#planHalf(page, from, middle, depth, left);
    this.#planHalf(page, middle, to, depth, left + 1);
  }

  #planHalf(page: number, from: number, to: number, depth: number, half: number): void {
    if (to - from > 1) this.#planBranch(page, from, to, depth + 1, half);
    else this.#writeLeaf(page, from, to, (this.#levels[depth] as Level).hashes, half);
  }

  /** The hash of one entry, or of none. */
  #writeLeaf(page: number, from: number, to: number, hashes: Int32Array, place: number): void {
    if (from < to) this.#pages.leafHash(this.#pages.entry(page, from), hashes, place);
    else copyHash(noHash, 0, hashes, place);
  }
}

const noHash = new Int32Array(hashWords);
