import { grown, nextRoom } from './cell-store.ts';
import { copyHash, hashWords } from './pair-batch.ts';

/** Entries of one page. More take less memory for themselves, and more time for each that changes. */
export const pageBits = 3;
export const pageEntries = 1 << pageBits;

/** Of a page that keeps something elsewhere: above all counts. */
const restMark = 0x80;

const firstPages = 2;

/**
 * What is asked of pages on the way to their entries, side by side and apart from those: so it stays near the
 * processor, which the entries of a large state do not.
 */
export class PageHeads {
  #counts = new Uint8Array(firstPages);
  #holders = new Int32Array(firstPages);
  #hashes = new Int32Array(firstPages * hashWords);
  /** By entry: the first 32 bits of its path. */
  #prefixes = new Int32Array(firstPages * pageEntries);

  get memoryBytes(): number {
    const pieces = [this.#counts, this.#holders, this.#hashes, this.#prefixes];
    return pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** There is memory for this page. */
  reach(page: number): void {
    if (page < this.#counts.length) return;
    const room = nextRoom(page);
    this.#counts = grown(this.#counts, Uint8Array, room);
    this.#holders = grown(this.#holders, Int32Array, room);
    this.#hashes = grown(this.#hashes, Int32Array, hashWords * room);
    this.#prefixes = grown(this.#prefixes, Int32Array, pageEntries * room);
  }

  /** Empties a page, whoever had it, and makes the caller its only holder. */
  reset(page: number): void {
    this.#counts[page] = 0;
    this.#holders[page] = 1;
  }

  count(page: number): number {
    return (this.#counts[page] as number) & ~restMark;
  }

  /** Counts so many entries more, and returns the place of the first. */
  addEntries(page: number, more: number): number {
    const count = this.#counts[page] as number;
    this.#counts[page] = count + more;
    return count & ~restMark;
  }

  /** From now on, until it is emptied. */
  markRest(page: number): void {
    this.#counts[page] = (this.#counts[page] as number) | restMark;
  }

  hasRest(page: number): boolean {
    return (this.#counts[page] as number) >= restMark;
  }

  /** Changes how many hold a page, and returns how many do. */
  addHolders(page: number, difference: number): number {
    return (this.#holders[page] = (this.#holders[page] as number) + difference);
  }

  prefix(entry: number): number {
    return this.#prefixes[entry] as number;
  }

  setPrefix(entry: number, prefix: number): void {
    this.#prefixes[entry] = prefix;
  }

  /** Copies the hash of a page to a place of others. */
  copyHash(page: number, target: Int32Array, to: number): void {
    copyHash(this.#hashes, page, target, to);
  }

  setHash(page: number, source: Int32Array, from: number): void {
    copyHash(source, from, this.#hashes, page);
  }
}
