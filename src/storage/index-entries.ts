import { Buffer } from 'node:buffer';
import { writeHex } from '../base/bytes.ts';
import { invariant } from '../base/invariant.ts';
import { type Height, toHeight } from '../ledger/block.ts';
import { damaged } from './checksummed.ts';
import { describeKey, heightIn } from './keys.ts';

/**
 * Entries of the indexes as they are stored: one behind the other, each of one name in one block. A record of
 * the store has those of a block; or, once a run of so many blocks is full, those of the run whose names fall
 * into the same bucket. So one record holds many entries, which cost LevelDB next to nothing each, and who
 * looks for a name reads one bucket of each run.
 *
 *     the block's place in its run (1) | kind of the name (1) | its size (1) | name | size of the value (2)
 *     | value
 */
export const runBlocks = 32;
export const bucketCount = 1_024;
/** What an entry has beside its name and value; so much of it stands before the name. */
export const entryExtraBytes = 5;
const beforeName = 3;

/** What names there are; the place in this list is their byte. */
const nameKinds = ['account', 'reference', 'record'] as const;

type NameKind = (typeof nameKinds)[number];

export interface EntryName {
  readonly kind: NameKind;
  readonly bytes: Uint8Array;
}

/** A record of the store with entries in it. */
export interface EntryRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** An entry, and under which key it was found. */
interface FoundEntry {
  readonly key: Uint8Array;
  readonly height: Height;
  readonly value: Uint8Array;
}

/** The last height of the run that a block belongs to. */
export function runEnd(height: Height): Height {
  return toHeight(firstOfRun(height) + runBlocks - 1);
}

export function firstOfRun(height: Height): Height {
  return toHeight(height - (height % runBlocks));
}

/** Writes a block's entries into memory of exactly their size. */
export class EntryWriter {
  readonly #place: number;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(height: Height, size: number) {
    this.#place = height % runBlocks;
    // Not from Node's pool: it is kept until the run is full.
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  /** Then come the name, of this size, the size of the value in two bytes, and the value. */
  begin(kind: NameKind, nameSize: number): void {
    this.u8(this.#place);
    this.u8(nameKinds.indexOf(kind));
    this.u8(nameSize);
  }

  u8(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  u16(value: number): void {
    this.#at = this.#bytes.writeUInt16BE(value, this.#at);
  }

  u48(value: number): void {
    this.#at = this.#bytes.writeUIntBE(value, this.#at, 6);
  }

  hex(text: string): void {
    invariant(writeHex(this.#bytes, this.#at, text), 'keys and references are hex');
    this.#at += text.length / 2;
  }

  bytes(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  written(): Uint8Array {
    invariant(this.#at === this.#bytes.length, 'entries are as large as was said');
    return this.#bytes;
  }
}

/** Walks over entries; after each `next` that is true the fields are those of one. */
class EntryWalk {
  readonly #record: EntryRecord;
  start = 0;
  end = 0;
  place = 0;
  kind = 0;
  nameAt = 0;
  nameEnd = 0;
  valueAt = 0;

  constructor(record: EntryRecord) {
    this.#record = record;
  }

  next(): boolean {
    const { key, value: bytes } = this.#record;
    this.start = this.end;
    if (this.start === bytes.length) return false;
    this.nameAt = this.start + beforeName;
    this.nameEnd = this.nameAt + (bytes[this.start + 2] as number);
    this.valueAt = this.nameEnd + 2;
    if (!(this.valueAt <= bytes.length)) throw malformed(key);
    this.place = bytes[this.start] as number;
    this.kind = bytes[this.start + 1] as number;
    this.end = this.valueAt + (((bytes[this.nameEnd] as number) << 8) | (bytes[this.nameEnd + 1] as number));
    if (this.end > bytes.length || this.place >= runBlocks) throw malformed(key);
    return true;
  }
}

/** What stands under a name, lowest block first. Throws `storage/damaged`. */
export function entriesUnder(name: EntryName, record: EntryRecord): FoundEntry[] {
  const kind = nameKinds.indexOf(name.kind);
  const { key, value } = record;
  const first = firstOfRun(toHeight(heightIn(key)));
  const found: FoundEntry[] = [];
  const at = new EntryWalk(record);
  while (at.next()) {
    if (at.kind !== kind || !isAt(name.bytes, value, at.nameAt, at.nameEnd)) continue;
    found.push({ key, height: toHeight(first + at.place), value: value.subarray(at.valueAt, at.end) });
  }
  return found;
}

function isAt(name: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== name.length) return false;
  for (let at = 0; at < name.length; at++) if (bytes[from + at] !== name[at]) return false;
  return true;
}

/** Of which blocks the entries of a record are: a height for each. */
export function entryHeights(record: EntryRecord): Height[] {
  const first = firstOfRun(toHeight(heightIn(record.key)));
  const heights: Height[] = [];
  for (const at = new EntryWalk(record); at.next();) heights.push(toHeight(first + at.place));
  return heights;
}

export function bucketOf({ kind, bytes }: EntryName): number {
  return bucketAt(nameKinds.indexOf(kind), bytes, 0, bytes.length);
}

/**
 * FNV-1a. Who makes names that fall into one bucket makes its records longer for those who read it, and pays
 * for each.
 */
function bucketAt(kind: number, bytes: Uint8Array, from: number, to: number): number {
  let hash = Math.imul(0x811c9dc5 ^ kind, 0x01000193);
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return ((hash >>> 16) ^ hash) & (bucketCount - 1);
}

/** The entries of a run's blocks by bucket, without empty ones; in each the lowest block comes first. */
export function byBucket(
  blocks: readonly EntryRecord[],
): readonly { readonly bucket: number; readonly entries: Uint8Array }[] {
  const sizes = new Uint32Array(bucketCount);
  const buckets = new Uint16Array(countOf(blocks));
  let index = 0;
  for (const block of blocks) {
    for (const at = new EntryWalk(block); at.next(); index++) {
      const bucket = bucketAt(at.kind, block.value, at.nameAt, at.nameEnd);
      sizes[bucket] = (sizes[bucket] as number) + at.end - at.start;
      buckets[index] = bucket;
    }
  }
  /** Where the next entry of each bucket goes. */
  const next = new Uint32Array(bucketCount);
  let size = 0;
  for (let bucket = 0; bucket < bucketCount; bucket++) {
    next[bucket] = size;
    size += sizes[bucket] as number;
  }
  const sorted = Buffer.allocUnsafeSlow(size);
  index = 0;
  for (const block of blocks) {
    const { value } = block;
    for (const at = new EntryWalk(block); at.next(); index++) {
      const bucket = buckets[index] as number;
      let to = next[bucket] as number;
      for (let from = at.start; from < at.end; from++, to++) sorted[to] = value[from] as number;
      next[bucket] = to;
    }
  }
  const found: { readonly bucket: number; readonly entries: Uint8Array }[] = [];
  for (let bucket = 0; bucket < bucketCount; bucket++) {
    const [end, own] = [next[bucket] as number, sizes[bucket] as number];
    if (own > 0) found.push({ bucket, entries: sorted.subarray(end - own, end) });
  }
  return found;
}

function countOf(blocks: readonly EntryRecord[]): number {
  let count = 0;
  for (const block of blocks) for (const at = new EntryWalk(block); at.next();) count += 1;
  return count;
}

export function malformed(key: Uint8Array): Error {
  return damaged(describeKey(key), 'does not decode');
}
