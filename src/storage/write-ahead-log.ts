import { concat } from '../base/bytes.ts';

/**
 * The format of LevelDB's logs, its write-ahead log and its MANIFEST (leveldb/doc/log_format.md): blocks of
 * 32 KiB; in them records of checksum (4, little-endian), length (2), type (1) and data, none of which
 * crosses a block; a batch is one full record, or a first, middle ones and a last.
 */
export const blockBytes = 32 * 1024;
const headerBytes = 7;

const kinds = { full: 1, first: 2, last: 4 } as const;

/** A batch, or a part of one. */
export interface BlockRecord {
  readonly kind: number;
  readonly data: Uint8Array;
}

/**
 * Goes through a log, block by block: up to the first record that is torn or damaged, and from there on only
 * to see whether a batch begins behind it.
 */
export class LogWalk {
  /** Where the next block begins. */
  #at = 0;
  #tornAt: number | undefined;
  #isDamaged = false;

  /** Where the first damaged record is that has a batch after it. */
  get damage(): number | undefined {
    return this.#isDamaged ? this.#tornAt : undefined;
  }

  /** The whole records of the next block; only the last one may be short. */
  records(block: Uint8Array): BlockRecord[] {
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    const records: BlockRecord[] = [];
    let at = 0;
    while (this.#tornAt === undefined && at < block.length && blockBytes - at >= headerBytes) {
      const end = recordEnd(block, view, at);
      if (end === undefined) this.#tornAt = this.#at + at;
      else records.push({ kind: block[at + 6] as number, data: block.subarray(at + headerBytes, end) });
      at = end ?? at + 1;
    }
    if (this.#tornAt !== undefined) this.#isDamaged ||= batchStartsIn(block, view, at);
    this.#at += block.length;
    return records;
  }
}

/** Puts the records of batches together; of each batch at least the first `neededBytes`. */
export class BatchParts {
  readonly #neededBytes: number;
  #parts: Uint8Array[] = [];
  #size = 0;

  constructor(neededBytes = Infinity) {
    this.#neededBytes = neededBytes;
  }

  /** The parts of the batch that ends with this record. */
  add({ kind, data }: BlockRecord): readonly Uint8Array[] | undefined {
    if (kind === kinds.full || kind === kinds.first) {
      this.#parts = [];
      this.#size = 0;
    }
    if (this.#size < this.#neededBytes) this.#parts.push(data);
    this.#size += data.length;
    return kind === kinds.full || kind === kinds.last ? this.#parts : undefined;
  }
}

/** The whole batches up to the first that is torn or damaged, without the headers of their records. */
export function* batchesIn(log: Uint8Array): Generator<Uint8Array> {
  const walk = new LogWalk();
  const parts = new BatchParts();
  for (let at = 0; at < log.length; at += blockBytes) {
    for (const record of walk.records(log.subarray(at, at + blockBytes))) {
      const batch = parts.add(record);
      if (batch !== undefined) yield concat(...batch);
    }
  }
}

/** Where the valid record ends that begins here. */
function recordEnd(block: Uint8Array, view: DataView, at: number): number | undefined {
  if (at + headerBytes > block.length) return undefined;
  const kind = block[at + 6] as number;
  const end = at + headerBytes + view.getUint16(at + 4, true);
  if (kind < kinds.full || kind > kinds.last || end > block.length) return undefined;
  return unmask(view.getUint32(at, true)) === crc32c(block.subarray(at + 6, end)) ? end : undefined;
}

function batchStartsIn(block: Uint8Array, view: DataView, from: number): boolean {
  for (let at = from; at + headerBytes <= block.length; at++) {
    const kind = block[at + 6];
    if ((kind === kinds.full || kind === kinds.first) && recordEnd(block, view, at) !== undefined)
      return true;
  }
  return false;
}

/**
 * LevelDB stores checksums rotated and shifted, so that a checksum of data with checksums in it stays good.
 */
function unmask(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}

/** CRC-32C (Castagnoli; RFC 3720, appendix B.4). */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0x82f63b78 : 0);
  return remainder;
});

export function crc32c(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (table[(sum ^ byte) & 0xff] as number) ^ (sum >>> 8);
  return ~sum >>> 0;
}
