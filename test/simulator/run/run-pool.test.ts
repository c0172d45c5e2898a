import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runPool } from '../../../src/simulator/run/run-pool.ts';

/** A worker that comes to the end of no run. */
const endless = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', () => { for (;;); });
  `)}`,
);

test('a run that never ends is a failure with a reason, and the next ones are made all the same', async () => {
  const { runs, failures } = await runPool({
    engine: 'pbft',
    firstSeed: 2,
    lastSeed: 4,
    jobs: 1,
    signatures: 'fast',
    patienceMs: 1,
    worker: endless,
  });
  assert.equal(runs, 3);
  assert.deepEqual(
    failures.map(({ seed, outcome }) => [seed, outcome]),
    [
      [2, 'stuck'],
      [3, 'stuck'],
      [4, 'stuck'],
    ],
  );
  assert.match(failures[0]?.breach?.message ?? '', /did not come to its end within 1 ms/);
});
