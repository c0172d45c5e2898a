import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measurePiece } from '../../../src/cli/bench/micro/pieces.ts';
import { jsonOf, quorate } from '../quorate.ts';

const bounds = { verificationsPerSecond: 1_000, hashesPerSecond: 1_000_000, syncsPerSecond: 100 };

test('a piece is measured for each thing that it does, and compared with its bound', async () => {
  const work = (): number => {
    let sum = 0;
    for (let index = 0; index < 20_000; index++) sum += index % 7;
    return sum;
  };
  const head = { group: 'hash', name: 'x', bound: 'hashes' } as const;
  const { micros, perSecond, ratio } = await measurePiece({ ...head, pieces: 10, work }, bounds, 3);
  assert.ok(micros.least > 0 && micros.least <= micros.median);
  assert.ok(Math.abs(perSecond * micros.least - 1e6) < 1e-3);
  assert.ok(Math.abs(ratio - perSecond / 1e6) < 1e-9);
});

test('what was opened for a piece is closed, also when its work fails', async () => {
  let closed = 0;
  const piece = (work: () => Promise<void>): Parameters<typeof measurePiece>[0] => ({
    group: 'storage',
    name: 'x',
    bound: 'syncs',
    pieces: 1,
    open: () => ({ work, close: async () => void (closed += 1) }),
  });
  await measurePiece(
    piece(async () => {}),
    bounds,
    2,
  );
  await assert.rejects(
    measurePiece(
      piece(() => Promise.reject(new Error('no'))),
      bounds,
      2,
    ),
    /no/,
  );
  assert.equal(closed, 2);
});

test('bench micro measures every part of a node beside what the machine can do', async () => {
  const { pieces, bounds: found } = jsonOf(await quorate(['bench', 'micro', '--samples', '1', '--json'])) as {
    pieces: { group: string; perSecond: number; ratio: number }[];
    bounds: Record<string, number>;
  };
  const groups = new Set(pieces.map(({ group }) => group));
  assert.deepEqual(
    [...groups],
    ['verify', 'hash', 'codec', 'mempool', 'storage', 'tree', 'ledger', 'engine'],
  );
  assert.ok(pieces.every(({ perSecond, ratio }) => perSecond > 0 && ratio > 0));
  assert.ok(Object.values(found).every((value) => value > 0));
});
