import { compareBytes, concat, equalBytes } from '../base/bytes.ts';
import { hashSize } from '../crypto/pair-hash.ts';
import { type Bytes, type CellStore, growChunk } from './cell-store.ts';
import { bitAt, word32 } from './path-range.ts';

/** Where an entry belongs: writes the path of a key, 32 bytes, into `target` from `at` on. */
export type PathOf = (key: Uint8Array, target: Uint8Array, at: number) => void;

/** Entries of one page. More take less memory for themselves, and more time for each that changes. */
const pageBits = 3;
export const pageEntries = 1 << pageBits;

/** In words of 32 bits. A page: its hash, its holders, how many entries it has. */
const headerWords = 12;
const holdersWord = 8;
const countWord = 9;
/**
 * An entry: the hash of its leaf, the first 64 bits of its path, the lengths of key and value, and where
 * what does not fit stands.
 */
const entryWords = 24;
const prefixWord = 8;
const lengthsWord = 10;
const restWord = 11;
const dataWord = 12;
/** Of key and value, one behind the other; an account has 47 bytes. */
const dataBytes = (entryWords - dataWord) * 4;
export const hashWords = 8;
const pageWords = headerWords + pageEntries * entryWords;

const chunkBits = 9;
const chunkPages = 1 << chunkBits;
const chunkMask = chunkPages - 1;

/** Names an entry: its page, and its place there. */
export type EntryRef = number;

/**
 * Up to eight entries side by side in memory, in the order of their paths: what lies at the bottom
 * of a tree is read together, and reading a far place costs more than hashing what is found there.
 * Pages are numbered from 1.
 */
export class EntryPages {
  readonly #cells: CellStore;
  readonly #pathOf: PathOf;
  readonly #words: Int32Array[] = [new Int32Array(2 * pageWords)];
  readonly #bytes: Uint8Array[] = [];
  #fresh = 1;

  constructor(cells: CellStore, pathOf: PathOf) {
    this.#cells = cells;
    this.#pathOf = pathOf;
    this.#bytes.push(new Uint8Array((this.#words[0] as Int32Array).buffer));
  }

  get memoryBytes(): number {
    return this.#words.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** A page that was never used. */
  fresh(): number {
    const page = this.#fresh++;
    if ((page & chunkMask) * pageWords >= (this.#words[page >>> chunkBits]?.length ?? 0)) {
      growChunk(this.#words, chunkPages * pageWords, (length) => new Int32Array(length));
      const last = this.#words.length - 1;
      this.#bytes[last] = new Uint8Array((this.#words[last] as Int32Array).buffer);
    }
    return page;
  }

  entry(page: number, index: number): EntryRef {
    return (page << pageBits) | index;
  }

  count(page: number): number {
    const words = this.#words[page >>> chunkBits] as Int32Array;
    return words[(page & chunkMask) * pageWords + countWord] as number;
  }

  /** Empties a page, whoever had it, and makes the caller its only holder. */
  reset(page: number): void {
    const [words, at] = [this.#words[page >>> chunkBits] as Int32Array, (page & chunkMask) * pageWords];
    words[at + holdersWord] = 1;
    words[at + countWord] = 0;
  }

  /** Changes how many hold a page, and returns how many do. */
  addHolders(page: number, difference: number): number {
    const words = this.#words[page >>> chunkBits] as Int32Array;
    const at = (page & chunkMask) * pageWords + holdersWord;
    return (words[at] = (words[at] as number) + difference);
  }

  /**
   * Puts a new entry behind those of a page; `hash` gets its path and value, and writes its leaf's hash. The
   * entry and its copies hold the root of a tree of its own in the caller's place, unless it is 0.
   */
  append(
    page: number,
    key: Uint8Array,
    value: Uint8Array,
    hash: (path: Uint8Array, value: Uint8Array, target: Uint8Array, at: number) => void,
    subtree = 0,
  ): EntryRef {
    const entry = this.#next(page);
    const [words, bytes, at] = [this.#wordsOf(entry), this.#bytesOf(entry), this.#at(entry)];
    this.#pathOf(key, scratchPath, 0);
    words[at + prefixWord] = word32(scratchPath, 0);
    words[at + prefixWord + 1] = word32(scratchPath, 4);
    words[at + lengthsWord] = (key.length << 16) | value.length;
    const from = (at + dataWord) * 4;
    const size = key.length + value.length;
    if (size <= dataBytes && subtree === 0) {
      for (let i = 0; i < key.length; i++) bytes[from + i] = key[i] as number;
      for (let i = 0; i < value.length; i++) bytes[from + key.length + i] = value[i] as number;
      words[at + restWord] = 0;
    } else {
      const data = concat(key, value);
      bytes.set(data.subarray(0, dataBytes), from);
      // An entry that keeps nothing elsewhere but the root of its tree stores its last byte there as well.
      words[at + restWord] = this.#cells.write(data.subarray(Math.min(dataBytes, size - 1)), subtree);
    }
    hash(scratchPath, value, bytes, at * 4);
    return entry;
  }

  /** Puts a copy of an entry of these or other pages behind those of a page. */
  appendCopy(page: number, from: EntryPages, entry: EntryRef): void {
    const [source, start] = [from.#wordsOf(entry), from.#at(entry)];
    const copy = this.#next(page);
    const [target, at] = [this.#wordsOf(copy), this.#at(copy)];
    for (let word = 0; word < entryWords; word++) target[at + word] = source[start + word] as number;
    const rest = target[at + restWord] as number;
    if (rest !== 0) this.#cells.hold(rest);
  }

  /** Lets go of what the entries of a page keep elsewhere. */
  clear(page: number): void {
    for (let index = this.count(page) - 1; index >= 0; index--) {
      const rest = this.#word(this.entry(page, index), restWord);
      if (rest !== 0) this.#cells.drop(rest);
    }
  }

  /** A copy of an entry's key. */
  keyOf(entry: EntryRef): Bytes {
    return this.#view(entry, 0, this.#word(entry, lengthsWord) >>> 16).slice();
  }

  /** A copy of an entry's value. */
  valueOf(entry: EntryRef): Bytes {
    const lengths = this.#word(entry, lengthsWord);
    return this.#view(entry, lengths >>> 16, lengths & 0xffff).slice();
  }

  /** Copies a value that has the size of `target`, and stands here whole; false for any other. */
  copyValue(entry: EntryRef, target: Uint8Array): boolean {
    const [bytes, lengths] = [this.#bytesOf(entry), this.#word(entry, lengthsWord)];
    const from = lengths >>> 16;
    if ((lengths & 0xffff) !== target.length || from + target.length > dataBytes) return false;
    const at = (this.#at(entry) + dataWord) * 4 + from;
    for (let i = 0; i < target.length; i++) target[i] = bytes[at + i] as number;
    return true;
  }

  /** The root of the tree that an entry has of its own; 0 where it has none, or an empty one. */
  subtreeOf(entry: EntryRef): number {
    const rest = this.#word(entry, restWord);
    return rest === 0 ? 0 : this.#cells.carriedBy(rest);
  }

  /** A copy of an entry's path. */
  pathOf(entry: EntryRef): Bytes {
    const path = new Uint8Array(hashSize);
    this.#pathOf(this.keyOf(entry), path, 0);
    return path;
  }

  /** Below, at or above zero as this entry comes before another, has its key, or comes behind it. */
  compare(entry: EntryRef, from: EntryPages, other: EntryRef): number {
    const [a, aAt, b, bAt] = [this.#wordsOf(entry), this.#at(entry), from.#wordsOf(other), from.#at(other)];
    for (let word = prefixWord; word < prefixWord + 2; word++) {
      const difference = ((a[aAt + word] as number) >>> 0) - ((b[bAt + word] as number) >>> 0);
      if (difference !== 0) return difference;
    }
    // Mostly the key itself, which need not be hashed to be known.
    if (this.#hasKeyOf(entry, from, other)) return 0;
    return compareBytes(this.pathOf(entry), from.pathOf(other));
  }

  /** Whether this is the entry of a key, whose path is given as well. */
  isAt(entry: EntryRef, path: Uint8Array, key: Uint8Array): boolean {
    const [words, at] = [this.#wordsOf(entry), this.#at(entry)];
    return (
      words[at + prefixWord] === word32(path, 0) &&
      words[at + prefixWord + 1] === word32(path, 4) &&
      this.hasKey(entry, key)
    );
  }

  hasKey(entry: EntryRef, key: Uint8Array): boolean {
    if (this.#word(entry, lengthsWord) >>> 16 !== key.length) return false;
    if (key.length > dataBytes) return equalBytes(this.keyOf(entry), key);
    const [bytes, from] = [this.#bytesOf(entry), (this.#at(entry) + dataWord) * 4];
    for (let i = 0; i < key.length; i++) if (bytes[from + i] !== key[i]) return false;
    return true;
  }

  /** Both have the same key. */
  #hasKeyOf(entry: EntryRef, from: EntryPages, other: EntryRef): boolean {
    const length = this.#word(entry, lengthsWord) >>> 16;
    if (from.#word(other, lengthsWord) >>> 16 !== length) return false;
    if (length > dataBytes) return equalBytes(this.keyOf(entry), from.keyOf(other));
    const [a, aAt] = [this.#bytesOf(entry), (this.#at(entry) + dataWord) * 4];
    const [b, bAt] = [from.#bytesOf(other), (from.#at(other) + dataWord) * 4];
    for (let i = 0; i < length; i++) if (a[aAt + i] !== b[bAt + i]) return false;
    return true;
  }

  /** As `compare`, with a path. */
  compareWith(entry: EntryRef, path: Uint8Array): number {
    for (let word = 0; word < 2; word++) {
      const difference = (this.#word(entry, prefixWord + word) >>> 0) - (word32(path, 4 * word) >>> 0);
      if (difference !== 0) return difference;
    }
    return compareBytes(this.pathOf(entry), path);
  }

  /** The first 32 bits of an entry's path as a number. */
  first32(entry: EntryRef): number {
    return this.#word(entry, prefixWord) >>> 0;
  }

  /** The bit of an entry's path that decides at a branch of this depth: 0 goes left. */
  bitOf(entry: EntryRef, depth: number): number {
    if (depth >= 64) return bitAt(this.pathOf(entry), depth);
    return (this.#word(entry, prefixWord + (depth >>> 5)) >>> (31 - (depth & 31))) & 1;
  }

  /** Both have the same leaf: the same key and value. */
  isSame(entry: EntryRef, from: EntryPages, other: EntryRef): boolean {
    const [a, aAt, b, bAt] = [this.#wordsOf(entry), this.#at(entry), from.#wordsOf(other), from.#at(other)];
    for (let word = 0; word < hashWords; word++) if (a[aAt + word] !== b[bAt + word]) return false;
    return true;
  }

  /** Copies the hash of an entry's leaf, as words. */
  leafHash(entry: EntryRef, target: Int32Array, at: number): void {
    const [words, from] = [this.#wordsOf(entry), this.#at(entry)];
    for (let word = 0; word < hashWords; word++) target[at + word] = words[from + word] as number;
  }

  /** Copies the hash of a page, as words. */
  pageHash(page: number, target: Int32Array, at: number): void {
    const words = this.#words[page >>> chunkBits] as Int32Array;
    const from = (page & chunkMask) * pageWords;
    for (let word = 0; word < hashWords; word++) target[at + word] = words[from + word] as number;
  }

  setPageHash(page: number, source: Int32Array, from: number): void {
    const [words, at] = [this.#words[page >>> chunkBits] as Int32Array, (page & chunkMask) * pageWords];
    for (let word = 0; word < hashWords; word++) words[at + word] = source[from + word] as number;
  }

  #next(page: number): EntryRef {
    const words = this.#words[page >>> chunkBits] as Int32Array;
    const at = (page & chunkMask) * pageWords + countWord;
    const count = words[at] as number;
    words[at] = count + 1;
    return this.entry(page, count);
  }

  #wordsOf(entry: EntryRef): Int32Array {
    return this.#words[entry >>> (pageBits + chunkBits)] as Int32Array;
  }

  #bytesOf(entry: EntryRef): Uint8Array {
    return this.#bytes[entry >>> (pageBits + chunkBits)] as Uint8Array;
  }

  #at(entry: EntryRef): number {
    const page = (entry >>> pageBits) & chunkMask;
    return page * pageWords + headerWords + (entry & (pageEntries - 1)) * entryWords;
  }

  #word(entry: EntryRef, word: number): number {
    return this.#wordsOf(entry)[this.#at(entry) + word] as number;
  }

  #view(entry: EntryRef, from: number, length: number): Uint8Array {
    const [bytes, at] = [this.#bytesOf(entry), (this.#at(entry) + dataWord) * 4];
    if (from + length <= dataBytes) return bytes.subarray(at + from, at + from + length);
    const data = new Uint8Array(from + length);
    data.set(bytes.subarray(at, at + dataBytes));
    this.#cells.read(this.#word(entry, restWord), data.length - dataBytes, data, dataBytes);
    return data.subarray(from);
  }
}

const scratchPath = new Uint8Array(hashSize);
