import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { normalAfter } from '../../../src/cli/bench/hangover.ts';
import { hangoverRows, rowText, underRows } from '../../../src/cli/bench/incident-rows.ts';
import { parseCases } from '../../../src/cli/bench/under-cases.ts';
import { strategies } from '../../../src/cli/byzantine-strategies.ts';

suite('cases of trouble', () => {
  test('are all lies, a crash and two floods; those who lie are to cost a fifth, floods a half', () => {
    const all = parseCases('all');
    assert.deepEqual(
      all.map(({ name }) => name),
      [...strategies, 'crash', 'client-flood', 'stranger-flood'],
    );
    assert.deepEqual([...new Set(all.map(({ wanted }) => wanted))], [0.8, 0.5]);
    assert.deepEqual(
      parseCases('slow, crash').map(({ name }) => name),
      ['slow', 'crash'],
    );
    for (const wrong of ['', 'al', 'slow,,crash', 'twin']) assert.throws(() => parseCases(wrong), /some of/);
  });

  test('stand beside the clean rate', () => {
    const row = {
      name: 'slow',
      does: 'primary: waits',
      perSecond: 50,
      settledPerSecond: 90,
      share: 0.9,
      wanted: 0.8,
      p99Ms: 12.34,
      views: 2,
      viewsMeasured: 1,
      lies: 7,
      isReached: true,
      breaches: [],
      problem: null,
    };
    const failed = { ...row, perSecond: null, share: null, problem: 'nothing became final for 30 s' };
    const { rows } = underRows({
      clean: { transactionsPerSecond: 100, latency: { p99: 5 } },
      rows: [row, failed, { ...row, isReached: false, breaches: ['two blocks at height 3'] }],
    });
    assert.deepEqual(rows[1], [
      'slow',
      'primary: waits',
      '50',
      '90',
      '90 %',
      '80 %',
      '12',
      '2, 1 measured',
      '7',
      'reached',
    ]);
    assert.deepEqual(rows[2]?.slice(2, 5), ['–', '90', '–']);
    assert.equal(rows[2]?.at(-1), failed.problem);
    assert.equal(rowText(row), 'slow: 90 % of the clean rate, wanted 80 %: reached');
    assert.equal(rowText(failed), 'slow: nothing became final for 30 s');
    assert.equal(rows[3]?.at(-1), 'two blocks at height 3');
  });
});

suite('after a stall', () => {
  const slice = (at: number, ms: number): { at: number; waits: number[] } => ({ at, waits: [ms, ms] });
  const scene = { continuedAt: 10_000, before: 100 };

  test('the p99 is normal from the last half second on that is not', () => {
    const slices = [slice(9_500, 100), slice(10_000, 900), slice(10_500, 150), slice(11_000, 400)];
    const calm = [slice(11_500, 120), slice(12_000, 199), slice(12_500, 90)];
    assert.equal(normalAfter([...slices, ...calm], scene), 1.5);
  });

  test('it is never normal when the last one is not, and at once when all are', () => {
    assert.equal(normalAfter([slice(9_500, 100), slice(10_000, 900)], scene), null);
    assert.equal(normalAfter([slice(9_500, 100), slice(10_000, 110), slice(10_500, 120)], scene), 0);
  });

  test('a row says what could not be', () => {
    const found = {
      stallSeconds: 30,
      stopped: ['validator-0'],
      perSecond: 100,
      capacity: 90,
      backlog: 3_000,
      goneAfterSeconds: 4.21,
      leastSeconds: Number.POSITIVE_INFINITY,
      p99BeforeMs: 80,
      normalAfterSeconds: null,
      views: 1,
    };
    assert.deepEqual(hangoverRows(found).rows[0]?.slice(4), [
      '3,000',
      '4.2 s',
      'never',
      '80 ms',
      'not in time',
      '1',
    ]);
  });
});
