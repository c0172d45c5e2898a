import { compareBytes, concat, equalBytes } from '../base/bytes.ts';
import { hashSize } from '../crypto/pair-hash.ts';
import { type Bytes, type CellStore, growChunk } from './cell-store.ts';
import { pageBits, pageEntries, PageHeads } from './page-heads.ts';
import { copyHash, hashWords } from './pair-batch.ts';
import { bitAt, word32 } from './path-range.ts';

/** Where an entry belongs: writes the path of a key, 32 bytes, into `target` from `at` on. */
export type PathOf = (key: Uint8Array, target: Uint8Array, at: number) => void;

/**
 * In words of 32 bits. An entry: the hash of its leaf, the second 32 bits of its path, the lengths of key and
 * value, and where what does not fit stands.
 */
const entryWords = 24;
const secondWord = hashWords;
const lengthsWord = 9;
const restWord = 10;
const dataWord = 11;
/** Of key and value, one behind the other; an account has 48 bytes. */
const dataBytes = (entryWords - dataWord) * 4;
const pageWords = pageEntries * entryWords;

const chunkBits = 9;
const chunkPages = 1 << chunkBits;
const chunkMask = chunkPages - 1;

/** Names an entry: its page, and its place there. */
export type EntryRef = number;

/**
 * Up to eight entries side by side in memory, in the order of their paths: what lies at the bottom
 * of a tree is read together, and reading a far place costs more than hashing what is found there. What is
 * asked of a page before its entries stands apart (`heads`).
 * Pages are numbered from 1.
 */
export class EntryPages {
  readonly heads = new PageHeads();
  readonly #cells: CellStore;
  readonly #pathOf: PathOf;
  readonly #words: Int32Array[] = [new Int32Array(2 * pageWords)];
  /** The same memory. */
  readonly #bytes: Uint8Array[] = [];
  #fresh = 1;

  constructor(cells: CellStore, pathOf: PathOf) {
    this.#cells = cells;
    this.#pathOf = pathOf;
    this.#view(0);
  }

  get memoryBytes(): number {
    return this.#words.reduce((sum, { byteLength }) => sum + byteLength, this.heads.memoryBytes);
  }

  /** A page that was never used. */
  fresh(): number {
    const page = this.#fresh++;
    this.heads.reach(page);
    if ((page & chunkMask) * pageWords >= (this.#words[page >>> chunkBits]?.length ?? 0)) {
      growChunk(this.#words, chunkPages * pageWords, Int32Array);
      this.#view(this.#words.length - 1);
    }
    return page;
  }

  entry(page: number, index: number): EntryRef {
    return (page << pageBits) | index;
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
    const entry = this.entry(page, this.heads.addEntries(page, 1));
    const words = this.#wordsOf(entry);
    const bytes = this.#bytesOf(entry);
    const at = this.#at(entry);
    this.#pathOf(key, scratchPath, 0);
    this.heads.setPrefix(entry, word32(scratchPath, 0));
    words[at + secondWord] = word32(scratchPath, 4);
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
      this.heads.markRest(page);
    }
    hash(scratchPath, value, bytes, at * 4);
    return entry;
  }

  /** Puts copies of entries that stand side by side, here or elsewhere, behind those of a page. */
  appendCopies(page: number, from: EntryPages, first: EntryRef, count: number): void {
    const copy = this.entry(page, this.heads.addEntries(page, count));
    const source = from.#wordsOf(first);
    const start = from.#at(first);
    const target = this.#wordsOf(copy);
    const at = this.#at(copy);
    const words = count * entryWords;
    // By four: each step of a loop costs as much as the copying.
    for (let word = 0; word < words; word += 4) {
      target[at + word] = source[start + word] as number;
      target[at + word + 1] = source[start + word + 1] as number;
      target[at + word + 2] = source[start + word + 2] as number;
      target[at + word + 3] = source[start + word + 3] as number;
    }
    for (let i = 0; i < count; i++) this.heads.setPrefix(copy + i, from.heads.prefix(first + i));
    if (!from.heads.hasRest(first >>> pageBits)) return;
    for (let i = 0; i < count; i++) {
      const rest = this.#word(copy + i, restWord);
      if (rest === 0) continue;
      this.#cells.hold(rest);
      this.heads.markRest(page);
    }
  }

  /** Lets go of what the entries of a page keep elsewhere. */
  clear(page: number): void {
    if (!this.heads.hasRest(page)) return;
    for (let index = this.heads.count(page) - 1; index >= 0; index--) {
      const rest = this.#word(this.entry(page, index), restWord);
      if (rest !== 0) this.#cells.drop(rest);
    }
  }

  /** A copy of an entry's key. */
  keyOf(entry: EntryRef): Bytes {
    return this.#copy(entry, 0, this.#word(entry, lengthsWord) >>> 16);
  }

  /** A copy of an entry's value, or of its first bytes where it has more than `most`. */
  valueOf(entry: EntryRef, most = 0xffff): Bytes {
    const lengths = this.#word(entry, lengthsWord);
    return this.#copy(entry, lengths >>> 16, Math.min(lengths & 0xffff, most));
  }

  /** Copies a value that has this size, and stands here whole, to `to`; false for any other. */
  copyValue(entry: EntryRef, target: Uint8Array, to: number, size: number): boolean {
    const bytes = this.#bytesOf(entry);
    const lengths = this.#word(entry, lengthsWord);
    const from = lengths >>> 16;
    if ((lengths & 0xffff) !== size || from + size > dataBytes) return false;
    const at = (this.#at(entry) + dataWord) * 4 + from;
    for (let i = 0; i < size; i++) target[to + i] = bytes[at + i] as number;
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
    const first = this.first32(entry) - from.first32(other);
    if (first !== 0) return first;
    const second = (this.#word(entry, secondWord) >>> 0) - (from.#word(other, secondWord) >>> 0);
    if (second !== 0) return second;
    // Mostly the key itself, which need not be hashed to be known.
    if (this.#hasKeyOf(entry, from, other)) return 0;
    return compareBytes(this.pathOf(entry), from.pathOf(other));
  }

  /**
   * The first entry of a page, or the first from another on, whose path has the first 64 bits of the one at
   * `at`; 0 for none.
   */
  withPath(page: number, paths: Uint8Array, at: number, from = this.entry(page, 0)): EntryRef {
    const prefix = word32(paths, at);
    const end = this.entry(page, 0) + this.heads.count(page);
    for (let entry = from; entry < end; entry++) {
      if (this.heads.prefix(entry) !== prefix) continue;
      if (this.#word(entry, secondWord) === word32(paths, at + 4)) return entry;
    }
    return 0;
  }

  /** Whether the key of an entry is the one that stands at `start`. */
  hasKey(entry: EntryRef, keys: Uint8Array, start: number, length: number): boolean {
    if (this.#word(entry, lengthsWord) >>> 16 !== length) return false;
    if (length > dataBytes) return equalBytes(this.keyOf(entry), keys.subarray(start, start + length));
    const bytes = this.#bytesOf(entry);
    const from = (this.#at(entry) + dataWord) * 4;
    for (let i = 0; i < length; i++) if (bytes[from + i] !== keys[start + i]) return false;
    return true;
  }

  /** Both have the same key. */
  #hasKeyOf(entry: EntryRef, from: EntryPages, other: EntryRef): boolean {
    const length = this.#word(entry, lengthsWord) >>> 16;
    if (from.#word(other, lengthsWord) >>> 16 !== length) return false;
    if (length > dataBytes) return equalBytes(this.keyOf(entry), from.keyOf(other));
    const a = this.#bytesOf(entry);
    const aAt = (this.#at(entry) + dataWord) * 4;
    const b = from.#bytesOf(other);
    const bAt = (from.#at(other) + dataWord) * 4;
    for (let i = 0; i < length; i++) if (a[aAt + i] !== b[bAt + i]) return false;
    return true;
  }

  /** As `compare`, with a path. */
  compareWith(entry: EntryRef, path: Uint8Array): number {
    const first = this.first32(entry) - (word32(path, 0) >>> 0);
    if (first !== 0) return first;
    return compareBytes(this.pathOf(entry), path);
  }

  /** The first 32 bits of an entry's path as a number. */
  first32(entry: EntryRef): number {
    return this.heads.prefix(entry) >>> 0;
  }

  /** The bit of an entry's path that decides at a branch of this depth: 0 goes left. */
  bitOf(entry: EntryRef, depth: number): number {
    if (depth >= 64) return bitAt(this.pathOf(entry), depth);
    const word = depth < 32 ? this.heads.prefix(entry) : this.#word(entry, secondWord);
    return (word >>> (31 - (depth & 31))) & 1;
  }

  /** Both have the same leaf: the same key and value. */
  isSame(entry: EntryRef, from: EntryPages, other: EntryRef): boolean {
    const a = this.#wordsOf(entry);
    const aAt = this.#at(entry);
    const b = from.#wordsOf(other);
    const bAt = from.#at(other);
    for (let word = 0; word < hashWords; word++) if (a[aAt + word] !== b[bAt + word]) return false;
    return true;
  }

  /** Copies the hash of an entry's leaf to a place of others. */
  leafHash(entry: EntryRef, target: Int32Array, to: number): void {
    copyHash(this.#wordsOf(entry), this.#at(entry) >>> 3, target, to);
  }

  #view(chunk: number): void {
    const { buffer } = this.#words[chunk] as Int32Array;
    this.#bytes[chunk] = new Uint8Array(buffer);
  }

  #wordsOf(entry: EntryRef): Int32Array {
    return this.#words[entry >>> (pageBits + chunkBits)] as Int32Array;
  }

  #bytesOf(entry: EntryRef): Uint8Array {
    return this.#bytes[entry >>> (pageBits + chunkBits)] as Uint8Array;
  }

  #at(entry: EntryRef): number {
    return (entry & (chunkPages * pageEntries - 1)) * entryWords;
  }

  #word(entry: EntryRef, word: number): number {
    return this.#wordsOf(entry)[this.#at(entry) + word] as number;
  }

  /** A copy of what stands at a place of key and value. */
  #copy(entry: EntryRef, from: number, length: number): Bytes {
    const at = (this.#at(entry) + dataWord) * 4 + from;
    const here = Math.max(0, Math.min(length, dataBytes - from));
    const bytes = this.#bytesOf(entry);
    if (here === length) return bytes.slice(at, at + length);
    const copy = new Uint8Array(length);
    copy.set(bytes.subarray(at, at + here));
    const rest = this.#word(entry, restWord);
    this.#cells.read(rest, length - here, copy, here, from + here - dataBytes);
    return copy;
  }
}

const scratchPath = new Uint8Array(hashSize);
