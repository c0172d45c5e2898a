import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../src/base/bytes.ts';
import { namedIn } from '../../src/storage/level-files.ts';
import { crc32c } from '../../src/storage/write-ahead-log.ts';

/** A log of whole records, by LevelDB's page of its format. */
function manifestOf(edits: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from(
    edits.flatMap((edit) => {
      const sum = crc32c(Uint8Array.of(1, ...edit));
      const masked = (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
      const checksum = [masked & 255, (masked >>> 8) & 255, (masked >>> 16) & 255, masked >>> 24];
      return [...checksum, edit.length & 255, edit.length >> 8, 1, ...edit];
    }),
  );
}

const text = (word: string): number[] => [word.length, ...utf8(word)];
const added = (level: number, number: number, size: readonly number[]): number[] => [
  7,
  level,
  number,
  ...size,
  ...text('first'),
  ...text('last'),
];

test('a MANIFEST names the last log, and every table that was added and not removed, with its size', () => {
  const edits = [
    [1, ...text('leveldb.BytewiseComparator'), 2, 3, 9, 0, 3, 4, 4, 7],
    [2, 6, ...added(0, 5, [0x80, 0x01]), ...added(0, 7, [9])],
    // One moves to another level, one is removed, and a compaction goes on from a key.
    [5, 0, ...text('key'), 6, 0, 5, ...added(2, 5, [0x80, 0x01]), 6, 0, 7],
    [2, 0xac, 0x02, ...added(1, 8, [0xff, 0xff, 0xff, 0xff, 0xff, 0x0f])],
  ];
  assert.deepEqual(namedIn(manifestOf(edits)), {
    log: 300,
    lastSequence: 7,
    tables: new Map([
      [5, 128],
      [8, 2 ** 39 - 1],
    ]),
  });
  // An edit that is torn was never made.
  const torn = manifestOf(edits).slice(0, -1);
  assert.deepEqual(namedIn(torn), { log: 6, lastSequence: 7, tables: new Map([[5, 128]]) });
  assert.deepEqual(namedIn(new Uint8Array()), { log: 0, lastSequence: 0, tables: new Map() });
});

test('an edit of a kind that is not known is left to LevelDB', () => {
  for (const edit of [[8], [2], [7, 0, 1, 5, 200, 1], [1, 3, 65]]) {
    assert.equal(namedIn(manifestOf([edit])), undefined, edit.join(' '));
  }
});
