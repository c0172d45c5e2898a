import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { concat } from '../base/bytes.ts';
import { Problem } from '../base/problem.ts';
import { damaged } from './checksummed.ts';
import { inaccessible } from './store-directory.ts';

/**
 * A check of LevelDB's write-ahead log before LevelDB opens it. LevelDB drops a damaged record without a word
 * and goes on with the next, or with nothing when the file is gone: a validator would forget a vote that it
 * cast. Only the last batch may be torn, because each is synced before the next is written; a torn one was
 * never acknowledged.
 *
 * The format (leveldb/doc/log_format.md): blocks of 32 KiB; in them records of checksum (4, little-endian),
 * length (2), type (1) and data, none of which crosses a block; a batch is one full record, or a first,
 * middle ones and a last.
 */
const blockBytes = 32 * 1024;
const headerBytes = 7;

const kinds = { full: 1, first: 2, last: 4 } as const;

/** Undefined when nothing but the last batch can be missing. */
export async function checkWriteAheadLogs(directory: string): Promise<Problem | undefined> {
  const names = (await readdir(directory)).filter((name) => /^\d+\.log$/.test(name)).sort();
  if (names.length === 0) return damaged(`the write-ahead log (*.log) in ${directory}`, 'is missing');
  for (const name of names) {
    const path = join(directory, name);
    const log = await readFile(path).catch((cause: unknown) => unreadable(directory, cause));
    if (log instanceof Problem) return log;
    // Only a process that has the store open removes a log; that it has is found next.
    if (log === undefined) continue;
    const offset = firstDamage(log);
    if (offset !== undefined) return damaged(`the write-ahead log ${path}`, `is wrong at byte ${offset}`);
  }
  return undefined;
}

function unreadable(directory: string, cause: unknown): Problem | undefined {
  const gone = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
  return gone ? undefined : inaccessible(directory, cause);
}

/** Where the first damaged record is that has a batch after it. */
export function firstDamage(log: Uint8Array): number | undefined {
  for (const { at, size } of recordsIn(log)) {
    if (size === undefined) return batchStartsAfter(log, at) ? at : undefined;
  }
  return undefined;
}

/** The whole batches up to the first that is torn or damaged, without the headers of their records. */
export function* batchesIn(log: Uint8Array): Generator<Uint8Array> {
  let parts: Uint8Array[] = [];
  for (const { at, size } of recordsIn(log)) {
    if (size === undefined) return;
    const kind = log[at + 6] as number;
    if (kind === kinds.full || kind === kinds.first) parts = [];
    parts.push(log.subarray(at + headerBytes, at + size));
    if (kind === kinds.full || kind === kinds.last) yield concat(...parts);
  }
}

/** One after the other; the first that is no valid record has no size, and is the last. */
function* recordsIn(log: Uint8Array): Generator<{ readonly at: number; readonly size: number | undefined }> {
  const view = viewOf(log);
  for (let at = 0; at < log.length;) {
    const roomInBlock = blockBytes - (at % blockBytes);
    if (roomInBlock < headerBytes) {
      at += roomInBlock;
      continue;
    }
    const size = recordAt(log, view, at);
    yield { at, size };
    if (size === undefined) return;
    at += size;
  }
}

const viewOf = (log: Uint8Array): DataView => new DataView(log.buffer, log.byteOffset, log.byteLength);

/** Size of the valid record here, header included. */
function recordAt(log: Uint8Array, view: DataView, at: number): number | undefined {
  if (at + headerBytes > log.length) return undefined;
  const kind = log[at + 6] as number;
  const end = at + headerBytes + view.getUint16(at + 4, true);
  const blockEnd = at - (at % blockBytes) + blockBytes;
  if (kind < kinds.full || kind > kinds.last || end > Math.min(blockEnd, log.length)) return undefined;
  return unmask(view.getUint32(at, true)) === crc32c(log.subarray(at + 6, end)) ? end - at : undefined;
}

function batchStartsAfter(log: Uint8Array, damagedAt: number): boolean {
  const view = viewOf(log);
  for (let at = damagedAt + 1; at + headerBytes <= log.length; at++) {
    const kind = log[at + 6];
    if ((kind === kinds.full || kind === kinds.first) && recordAt(log, view, at) !== undefined) return true;
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
