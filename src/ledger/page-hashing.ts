import { type EntryPages, hashWords } from './entry-pages.ts';
import { hashBatch, pairBatch, pairInput, pairOutput } from './pair-batch.ts';

/** Pages that are hashed together. */
const pagesAtOnce = 2_048;

/** Pairs of one level: where left and right stand, and where the hash belongs. */
interface Level {
  readonly left: number[];
  readonly right: number[];
  readonly hash: number[];
}

/**
 * The hashes of pages. A page's hash is that of the subtree of its entries, as if all the branches in it were
 * stored. The branches of many pages are hashed together, level by level, the deepest first.
 */
export class PageHashing {
  readonly #pages: EntryPages;
  readonly #waiting: number[] = [];
  readonly #places: number[] = [];
  /** Hashes: at 0 the one of an empty subtree, then those of leaves and of branches. */
  #hashes = new Int32Array(1_024 * hashWords);
  #used = hashWords;
  readonly #levels: Level[] = [];

  constructor(pages: EntryPages) {
    this.#pages = pages;
  }

  /** A new page below a branch of this depth, less one. */
  add(page: number, depth: number): void {
    this.#waiting.push(page);
    this.#places.push(this.#plan(page, 0, this.#pages.count(page), depth));
    if (this.#waiting.length === pagesAtOnce) this.finish();
  }

  /** Hashes all that were added. */
  finish(): void {
    for (let depth = this.#levels.length - 1; depth >= 0; depth--) {
      const { left, right, hash } = this.#levels[depth] as Level;
      for (let from = 0; from < hash.length; from += pairBatch) {
        const count = Math.min(pairBatch, hash.length - from);
        for (let i = 0; i < count; i++) {
          this.#gather(left[from + i] as number, 2 * i * hashWords);
          this.#gather(right[from + i] as number, (2 * i + 1) * hashWords);
        }
        hashBatch(count);
        for (let i = 0; i < count; i++) this.#scatter(i * hashWords, hash[from + i] as number);
      }
      left.length = right.length = hash.length = 0;
    }
    for (let i = 0; i < this.#waiting.length; i++) {
      this.#pages.setPageHash(this.#waiting[i] as number, this.#hashes, this.#places[i] as number);
    }
    this.#waiting.length = this.#places.length = 0;
    this.#used = hashWords;
  }

  /** The hash of the subtree of some entries of a page, at a depth. Not while others wait. */
  partOf(page: number, from: number, to: number, depth: number): Uint8Array {
    const place = this.#plan(page, from, to, depth);
    this.finish();
    return new Uint8Array(this.#hashes.slice(place, place + hashWords).buffer);
  }

  /** Where the hash of the subtree of some entries of a page will stand. */
  #plan(page: number, from: number, to: number, depth: number): number {
    if (from === to) return 0;
    if (to - from === 1) {
      const place = this.#room();
      this.#pages.leafHash(this.#pages.entry(page, from), this.#hashes, place);
      return place;
    }
    let middle = from;
    while (middle < to && this.#pages.bitOf(this.#pages.entry(page, middle), depth) === 0) middle += 1;
    const left = this.#plan(page, from, middle, depth + 1);
    const right = this.#plan(page, middle, to, depth + 1);
    const place = this.#room();
    while (this.#levels.length <= depth) this.#levels.push({ left: [], right: [], hash: [] });
    const level = this.#levels[depth] as Level;
    level.left.push(left);
    level.right.push(right);
    level.hash.push(place);
    return place;
  }

  #room(): number {
    const place = this.#used;
    this.#used += hashWords;
    if (this.#used > this.#hashes.length) {
      const larger = new Int32Array(2 * this.#hashes.length);
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    return place;
  }

  #gather(from: number, to: number): void {
    const hashes = this.#hashes;
    for (let word = 0; word < hashWords; word++) pairInput[to + word] = hashes[from + word] as number;
  }

  #scatter(from: number, to: number): void {
    const hashes = this.#hashes;
    for (let word = 0; word < hashWords; word++) hashes[to + word] = pairOutput[from + word] as number;
  }
}
