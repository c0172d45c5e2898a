import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { utf8 } from '../../src/base/bytes.ts';
import { nextBelow, nextUint32, seedRandom } from '../../src/base/random.ts';
import { blockBytes, crc32c, LogWalk } from '../../src/storage/write-ahead-log.ts';

/** A log as LevelDB writes it, by the format's page: so that the reader is not tested against itself. */
class LogWriter {
  #bytes: number[] = [];
  /** Where each batch begins. */
  readonly starts: number[] = [];

  append(batch: Uint8Array): void {
    let left = batch;
    let first = true;
    do {
      const room = blockBytes - (this.#bytes.length % blockBytes);
      if (room < 7) {
        this.#bytes.push(...new Uint8Array(room));
        continue;
      }
      if (first) this.starts.push(this.#bytes.length);
      const data = left.subarray(0, room - 7);
      left = left.subarray(data.length);
      const kind = left.length === 0 ? (first ? 1 : 4) : first ? 2 : 3;
      const sum = crc32c(Uint8Array.of(kind, ...data));
      const masked = (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
      this.#bytes.push(masked & 255, (masked >>> 8) & 255, (masked >>> 16) & 255, masked >>> 24);
      this.#bytes.push(data.length & 255, data.length >> 8, kind, ...data);
      first = false;
    } while (left.length > 0 || first);
  }

  log(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

function logOf(sizes: readonly number[]): { log: Uint8Array; starts: readonly number[] } {
  const random = seedRandom(5);
  const writer = new LogWriter();
  for (const size of sizes) writer.append(Uint8Array.from({ length: size }, () => nextUint32(random) & 255));
  return { log: writer.log(), starts: writer.starts };
}

function firstDamage(log: Uint8Array): number | undefined {
  const walk = new LogWalk();
  for (let at = 0; at < log.length; at += blockBytes) walk.records(log.subarray(at, at + blockBytes));
  return walk.damage;
}

/** Small batches, some that cross blocks, one that leaves six bytes at a block's end. */
const sizes = [10, 200, 0, 40_000, 1, 24_000, 100, 70_000, 500, 30];

describe('write-ahead log', () => {
  test('CRC-32C knows the vectors of RFC 3720', () => {
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
    assert.equal(crc32c(utf8('123456789')), 0xe3069283);
  });

  test('a whole log, and an empty one, are whole', () => {
    assert.equal(firstDamage(logOf(sizes).log), undefined);
    assert.equal(firstDamage(new Uint8Array()), undefined);
  });

  test('a log that ends with six bytes of filling is whole', () => {
    const { log } = logOf([blockBytes - 7 - 6, 50]);
    assert.equal(firstDamage(log), undefined);
  });

  test('any flipped bit before the last batch is found, at the start of its record', () => {
    const { log, starts } = logOf(sizes);
    const last = starts.at(-1) as number;
    const random = seedRandom(6);
    for (let round = 0; round < 150; round++) {
      const at = nextBelow(random, last);
      const flipped = Uint8Array.from(log);
      flipped[at] = (flipped[at] as number) ^ (1 << nextBelow(random, 8));
      const found = firstDamage(flipped);
      const inFilling = found === undefined && log[at] === 0 && at % blockBytes >= blockBytes - 6;
      assert.ok(inFilling || (found !== undefined && found <= at), `bit at ${at}: ${found}`);
    }
  });

  test('a last batch that is torn, short or zero is what a crash leaves, and no damage', () => {
    for (const count of [1, 4, 8, sizes.length]) {
      const { log, starts } = logOf(sizes.slice(0, count));
      const last = starts.at(-1) as number;
      for (const end of [last, last + 3, last + 7, last + 9, log.length - 1]) {
        assert.equal(firstDamage(log.slice(0, end)), undefined, `${count} batches, cut at ${end}`);
        const zeroed = Uint8Array.from(log).fill(0, end);
        assert.equal(firstDamage(zeroed), undefined, `${count} batches, zeros from ${end}`);
      }
    }
  });

  test('a last batch with a hole, and its own later parts after it, is torn too', () => {
    const { log, starts } = logOf([10, 100_000]);
    const last = starts.at(-1) as number;
    assert.equal(firstDamage(Uint8Array.from(log).fill(0, last + 40, last + 4_000)), undefined);
  });

  test('a hole with another batch after it is damage', () => {
    const { log, starts } = logOf(sizes);
    const third = starts[3] as number;
    assert.equal(firstDamage(Uint8Array.from(log).fill(0, third, third + 40_000)), third);
  });
});
