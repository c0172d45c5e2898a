import { crc32 } from 'node:zlib';
import { Problem } from '../base/problem.ts';
import { describeKey, type KeyRange } from './keys.ts';
import type { ScanRange, Store, Write } from './port.ts';
import { scanPages } from './scan-pages.ts';

/**
 * Every value is stored behind a CRC-32 over its key and itself, which finds any flipped bit and any value
 * that stands under another's key. It guards against disks, not against people: what is stored decides
 * nothing that signatures must decide.
 */
const checksumBytes = 4;

/** Key and value in one buffer: for short values a copy is cheaper than a second call. */
const joined = new Uint8Array(1_024);
/** Views of its first bytes, by length: the same few lengths come up again and again. */
const beginnings: (Uint8Array | undefined)[] = [];

function checksum(key: Uint8Array, value: Uint8Array): number {
  const size = key.length + value.length;
  if (size > joined.length) return crc32(value, crc32(key));
  joined.set(key);
  joined.set(value, key.length);
  return crc32((beginnings[size] ??= joined.subarray(0, size)));
}

/** A change that stores the value with its checksum; null removes the key. */
export function checksummedWrite(key: Uint8Array, value: Uint8Array | null): Write {
  if (value === null) return { type: 'del', key };
  const stored = Buffer.allocUnsafe(checksumBytes + value.length);
  stored.writeUInt32BE(checksum(key, value));
  stored.set(value, checksumBytes);
  return { type: 'put', key, value: stored };
}

/** The value without its checksum. Throws `storage/damaged` with the key's name when they do not match. */
function verifyChecksum(key: Uint8Array, stored: Uint8Array): Uint8Array {
  const value = stored.subarray(checksumBytes);
  const matches =
    stored.length >= checksumBytes &&
    new DataView(stored.buffer, stored.byteOffset).getUint32(0) === checksum(key, value);
  if (!matches) throw damaged(describeKey(key), 'does not match its checksum');
  return value;
}

export function readChecksummed(store: Store, key: Uint8Array): Uint8Array | undefined {
  const stored = store.get(key);
  return stored === undefined ? undefined : verifyChecksum(key, stored);
}

/** Entries of a range in key order. */
export async function* scanChecksummed(
  store: Store,
  range: KeyRange,
): AsyncGenerator<[Uint8Array, Uint8Array]> {
  for await (const page of scanChecksummedPages(store, range)) yield* page;
}

/** One page of a range, verified. */
export async function scanChecksummedPage(
  store: Store,
  range: ScanRange,
): Promise<(readonly [Uint8Array, Uint8Array])[]> {
  const page = await store.scan(range);
  return page.map(([key, stored]) => [key, verifyChecksum(key, stored)] as const);
}

/** The same, a page at a time. */
export async function* scanChecksummedPages(
  store: Store,
  range: KeyRange,
): AsyncGenerator<[Uint8Array, Uint8Array][]> {
  for await (const page of scanPages(store, range)) {
    yield page.map(([key, stored]) => [key, verifyChecksum(key, stored)]);
  }
}

/** The stored data is not what was written. */
export function damaged(what: string, how: string, cause?: unknown): Problem {
  return new Problem('storage/damaged', `the database is damaged: ${what} ${how}`, {
    remedy:
      'Keep a copy of the whole data directory and check the disk. If other nodes have the chain, move the database (db/) away, leave keys/ as it is, and start again: the node fetches the chain, and a validator votes again when that is safe (in Raft mode once it was removed and added again: "quorate members remove KEY", "quorate members add KEY"). If no other node has the chain, do not move it away: nobody can give it back. Never put back an old copy of keys/: it hides what the key signed since.',
    details: { what, how },
    cause,
  });
}
