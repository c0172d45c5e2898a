import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { chart, linearAxis, logarithmicAxis } from '../../../src/cli/bench/chart.ts';
import { type Gauge, parseMetrics, useOf } from '../../../src/cli/bench/gauges.ts';
import { timesOf } from '../../../src/cli/bench/latency.ts';
import { parseMix } from '../../../src/cli/bench/mix.ts';
import type { Measured } from '../../../src/cli/bench/run.ts';
import { keepsUp, saturation } from '../../../src/cli/bench/sweep.ts';

suite('the mix of a load', () => {
  test('is kinds with shares', () => {
    assert.deepEqual(parseMix('transfer'), ['transfer']);
    assert.deepEqual(parseMix('transfer:2, put,delete:1'), ['transfer', 'transfer', 'put', 'delete']);
  });

  for (const wrong of [
    '',
    'tranfer',
    'transfer:0',
    'transfer:101',
    'put,put',
    'put:-1',
    'put:1.5',
    'put;delete',
  ]) {
    test(`"${wrong}" is none`, () => assert.throws(() => parseMix(wrong), /There are: transfer, put/));
  }
});

suite('latencies', () => {
  test('percentiles are those of the times, to three digits', () => {
    const times = Array.from({ length: 1_000 }, (_, index) => index + 1);
    const { count, mean, p50, p90, p99, p999, max, curve } = timesOf(times.toReversed());
    assert.equal(count, 1_000);
    for (const [found, wanted] of [
      [mean, 500.5],
      [p50, 500],
      [p90, 900],
      [p99, 990],
      [p999, 999],
      [max, 1_000],
    ] as const) {
      assert.ok(Math.abs(found / wanted - 1) < 0.002, `${found}, not ${wanted}`);
    }
    assert.deepEqual(curve.at(-1)?.[0], 100);
    assert.ok(
      curve.every(([, ms], index) => ms >= (curve[index - 1]?.[1] ?? 0)),
      'it never falls',
    );
  });

  test('no times have no percentiles, and the longest has a bound', () => {
    assert.equal(timesOf([]).count, 0);
    assert.ok(timesOf([1e9]).max <= 600_000 * 1.001);
  });
});

suite('what nodes use', () => {
  const gauge = (at: number, cpuSeconds: number | null, more: Partial<Gauge> = {}): Gauge => ({
    at,
    cpuSeconds,
    residentBytes: null,
    loopP99Ms: null,
    loopMaxMs: null,
    readBytes: null,
    writtenBytes: null,
    diskBytes: null,
    ...more,
  });

  test('is read from the metrics that have no labels', () => {
    const page = '# HELP quorate_a x\nquorate_a 1.5\nquorate_b{x="y"} 3\nquorate_c 2e3\nquorate_d NaN\n';
    assert.deepEqual(
      [...parseMetrics(page)],
      [
        ['quorate_a', 1.5],
        ['quorate_c', 2_000],
      ],
    );
  });

  test('is what grew, for each transaction, and the worst moment', () => {
    const use = useOf(
      'validator-0',
      [
        gauge(0, 10, { loopMaxMs: 900, residentBytes: 9, writtenBytes: 100 }),
        gauge(1, 11, { loopMaxMs: 20, residentBytes: 5, writtenBytes: 300 }),
        gauge(2, null),
        gauge(3, 12, { loopMaxMs: 10, residentBytes: 7, writtenBytes: 500 }),
      ],
      1_000,
    );
    assert.equal(use.cpuSeconds, 2);
    assert.equal(use.cpuMicrosPerTransaction, 2_000);
    assert.equal(use.loopMaxMs, 20, 'what was before the first look does not count');
    assert.equal(use.peakResidentBytes, 7);
    assert.equal(use.writtenBytes, 400);
    assert.equal(use.diskBytes, null);
  });

  test('is unknown of a node that never answered', () => {
    assert.equal(useOf('validator-1', [gauge(0, null)], 5).cpuMicrosPerTransaction, null);
    assert.equal(useOf('validator-1', [], 5).cpuSeconds, null);
  });
});

suite('plots', () => {
  test('axes hold all values, with round marks', () => {
    const axis = linearAxis('ms', [3, 47]);
    assert.deepEqual([axis.least, axis.most], [0, 50]);
    assert.deepEqual(
      axis.marks.map(({ text }) => text),
      ['0', '10', '20', '30', '40', '50'],
    );
    const powers = logarithmicAxis('ms', [3, 470]);
    assert.deepEqual(
      powers.marks.map(({ text }) => text),
      ['1', '10', '100', '1,000'],
    );
    assert.ok(linearAxis('ms', []).most > 0, 'of nothing, too');
  });

  test('words in a chart are words, not markup', () => {
    const x = linearAxis('<x>', [1]);
    const text = chart({ title: 'a & b', x, y: x, lines: [{ name: '"<script>"', points: [[0, 1]] }] });
    assert.doesNotMatch(text, /<script>|<x>/);
    assert.match(text, /a &amp; b/);
  });
});

test('a rate is kept up when nearly all of it becomes final in its time', () => {
  const open = { kind: 'open', perSecond: 1_000 } as const;
  assert.equal(keepsUp({ pace: open, transactionsPerSecond: 985 }), true);
  assert.equal(keepsUp({ pace: open, transactionsPerSecond: 900 }), false);
  assert.equal(keepsUp({ pace: { kind: 'closed', inFlight: 1 }, transactionsPerSecond: 1 }), true);
});

test('saturation is the highest rate that was kept up, and unknown where none was', () => {
  const run = (perSecond: number, transactionsPerSecond: number): { name: string; measured: Measured } => ({
    name: 'x',
    measured: { pace: { kind: 'open', perSecond }, transactionsPerSecond } as Measured,
  });
  const closed = {
    name: 'closed',
    measured: { pace: { kind: 'closed', inFlight: 9 }, transactionsPerSecond: 900 } as Measured,
  };
  assert.equal(saturation([closed, run(100, 100), run(500, 499), run(800, 600)]), 500);
  assert.equal(saturation([closed, run(800, 600)]), undefined);
});
