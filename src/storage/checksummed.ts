import { crc32 } from 'node:zlib';
import { invariant } from '../base/invariant.ts';
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

/** Memory that is used again, with views of its first bytes by length: the same few come up often. */
class Reused {
  readonly bytes = Buffer.allocUnsafeSlow(1_024);
  readonly #beginnings: (Uint8Array | undefined)[] = [];

  first(size: number): Uint8Array {
    return (this.#beginnings[size] ??= this.bytes.subarray(0, size));
  }
}

/** Key and value in one buffer: for short values a copy is cheaper than a second call. */
const joined = new Reused();
const reusedValue = new Reused();

function checksum(key: Uint8Array, value: Uint8Array): number {
  const size = key.length + value.length;
  if (size > joined.bytes.length) return crc32(value, crc32(key));
  joined.bytes.set(key);
  joined.bytes.set(value, key.length);
  return crc32(joined.first(size));
}

const reused: { type: 'put'; key: Uint8Array; value: Uint8Array } = {
  type: 'put',
  key: joined.first(0),
  value: reusedValue.first(0),
};

/**
 * The same as `checksummedWrite`, in memory that the next one overwrites: for the many short records of a
 * block, whose batch is made while the store reads it. `writeKey` is given where to write the key, and
 * returns its size.
 */
export function reusedWrite<Name>(
  writeKey: (target: Buffer, name: Name) => number,
  name: Name,
  value: Uint8Array,
): Write {
  const { bytes } = joined;
  const keySize = writeKey(bytes, name);
  invariant(keySize <= bytes.length, 'keys are short');
  const size = keySize + value.length;
  if (size > bytes.length - checksumBytes) return reusedLarge(Uint8Array.from(joined.first(keySize)), value);
  for (let from = 0, to = keySize; to < size; from++, to++) bytes[to] = value[from] as number;
  const stored = reusedValue.bytes;
  stored.writeUInt32BE(crc32(joined.first(size)));
  for (let from = keySize, to = checksumBytes; from < size; from++, to++) stored[to] = bytes[from] as number;
  reused.key = joined.first(keySize);
  reused.value = reusedValue.first(checksumBytes + value.length);
  return reused;
}

/** A change that stores the value with its checksum; null removes the key. */
export function checksummedWrite(key: Uint8Array, value: Uint8Array | null): Write {
  if (value === null) return { type: 'del', key };
  const stored = Buffer.allocUnsafe(checksumBytes + value.length);
  stored.writeUInt32BE(checksum(key, value));
  stored.set(value, checksumBytes);
  return { type: 'put', key, value: stored };
}

/** What is larger is not kept for the next one. */
const keptBytes = 512 * 1024;
let large = Buffer.allocUnsafeSlow(0);

/** The same for a value of any size: it is not copied into memory of its own, only to be copied once more. */
export function reusedLarge(key: Uint8Array, value: Uint8Array): Write {
  const size = checksumBytes + value.length;
  let stored = large;
  if (size > stored.length) {
    stored = Buffer.allocUnsafeSlow(size);
    if (size <= keptBytes) large = stored;
  }
  stored.writeUInt32BE(crc32(value, crc32(key)));
  stored.set(value, checksumBytes);
  reused.key = key;
  reused.value = stored.subarray(0, size);
  return reused;
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
