import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import type { PublicKey } from '../../../src/crypto/signature.ts';
import { type Height, toHeight, toView } from '../../../src/ledger/block.ts';
import { Usage } from '../../../src/node/process/usage.ts';
import { Ring } from '../../../src/node/telemetry/ring.ts';
import { type Moment, Samples } from '../../../src/node/telemetry/samples.ts';
import { Spread } from '../../../src/node/telemetry/spread.ts';
import { VoteWatch } from '../../../src/node/telemetry/vote-watch.ts';
import { temporaryDirectory } from '../../cli/quorate.ts';
import { eventually } from '../../support/eventually.ts';

const [a, b, c] = ['a1', 'b2', 'c3'].map((byte) => byte.repeat(32)) as [PublicKey, PublicKey, PublicKey];
const [good, other] = ['11', '22'].map((byte) => byte.repeat(32)) as [Hash, Hash];
const at = (height: number): Height => toHeight(height);

test('a ring keeps the last values in their order, and no more of them', () => {
  const ring = new Ring<number>(3);
  assert.deepEqual(ring.all(), []);
  const seen: (readonly number[])[] = [];
  for (const value of [1, 2, 3, 4, 5, 6, 7]) {
    ring.push(value);
    seen.push(ring.all());
  }
  assert.deepEqual(seen, [[1], [1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 6], [5, 6, 7]]);
});

describe('a spread', () => {
  test('has no percentiles without values, and those of nearest rank with them', () => {
    const spread = new Spread(100);
    assert.deepEqual(spread.percentiles([0.5, 0.99]), [null, null]);
    for (const value of [30, 10, 20, 40, 50]) spread.add(value);
    assert.deepEqual(spread.percentiles([0, 0.5, 0.9, 1]), [10, 30, 50, 50]);
  });

  test('of more values than it keeps has those of all the time, not of its end', () => {
    const spread = new Spread(8);
    for (let value = 0; value < 10_000; value++) spread.add(value);
    const [p25 = 0, p50 = 0, p90 = 0] = spread.percentiles([0.25, 0.5, 0.9]).map(Number);
    assert.ok(p25 > 500 && p25 < 4_000, `${p25}`);
    assert.ok(p50 > 3_000 && p50 < 7_000, `${p50}`);
    assert.ok(p90 > 7_000, `${p90}`);
  });
});

describe('who watches the votes', () => {
  const watch = (finalHeight = 0) => {
    const delays: [PublicKey, number][] = [];
    const onDelay = (validator: PublicKey, ms: number) => void delays.push([validator, ms]);
    return { delays, watch: new VoteWatch({ finalHeight: at(finalHeight), onDelay }) };
  };
  const vote = (height: number, blockHash = good, isForAllBelow = false) =>
    ({ kind: 'vote', height: at(height), blockHash, isForAllBelow }) as const;
  const proposal = (height: number, blockHash = good) =>
    ({ kind: 'proposal', height: at(height), blockHash, isForAllBelow: false }) as const;

  test('tells how long after the proposal each came, late ones too', () => {
    const { watch: votes, delays } = watch();
    votes.heard(a, proposal(1), 100);
    votes.heard(a, vote(1), 103);
    votes.heard(b, vote(1), 110);
    assert.deepEqual(votes.blocks(), [], 'no block is final yet');
    votes.final(good, { height: at(1), proposer: a }, 112);
    votes.heard(c, vote(1), 150);
    votes.heard(c, vote(1), 190);
    const [block] = votes.blocks();
    assert.deepEqual(block, {
      height: 1,
      hash: good,
      proposer: a,
      finalMs: 12,
      votes: [
        { validator: a, ms: 3 },
        { validator: b, ms: 10 },
        { validator: c, ms: 50 },
      ],
    });
    assert.deepEqual(delays, [
      [a, 3],
      [b, 10],
      [c, 50],
    ]);
  });

  test('shows no vote for another block than the final one, and no time without a proposal', () => {
    const { watch: votes } = watch();
    votes.heard(b, vote(1, other), 105);
    votes.heard(a, vote(1), 106);
    // A later view proposed again: its vote for that one counts, whatever it says afterwards.
    votes.heard(c, vote(1, other), 107);
    votes.heard(c, vote(1), 108);
    votes.final(good, { height: at(1), proposer: a }, 112);
    votes.heard(c, vote(1, other), 120);
    const [block] = votes.blocks();
    assert.deepEqual(block?.votes, [
      { validator: a, ms: null },
      { validator: c, ms: null },
    ]);
    assert.equal(block?.finalMs, null);
  });

  test('takes a word on a block for one on all below it, where it is', () => {
    const { watch: votes } = watch();
    for (const height of [1, 2, 3]) votes.heard(a, proposal(height, height === 2 ? other : good), height);
    votes.heard(b, vote(2, other, true), 10);
    votes.final(good, { height: at(1), proposer: a }, 11);
    votes.final(other, { height: at(2), proposer: a }, 12);
    votes.final(good, { height: at(3), proposer: a }, 13);
    assert.deepEqual(
      votes.blocks().map((block) => block.votes),
      [[{ validator: b, ms: 9 }], [{ validator: b, ms: 8 }], []],
    );
  });

  test('keeps a bounded number of heights, whatever somebody says', () => {
    const { watch: votes } = watch();
    for (let height = 1; height < 100_000; height += 7) votes.heard(b, vote(height), 1);
    const kept = limits.watchedBlocks;
    for (let height = 1; height <= 5 * kept; height++)
      votes.final(good, { height: at(height), proposer: a }, 1);
    const heights = votes.blocks().map(({ height }) => height);
    assert.equal(heights.length, kept + 1);
    assert.equal(heights.at(-1), 5 * kept);
    // What it said far ahead was not kept until it came to be near.
    assert.deepEqual(
      votes.blocks().flatMap((block) => block.votes),
      [],
    );
  });
});

test('samples tell what came in their time, and begin anew', () => {
  const samples = new Samples({ everyMs: 1_000, kept: 2, begin: { now: 0, viewChanges: 0 } });
  const moment = (now: number, viewChanges = 0): Moment => ({
    now,
    viewChanges,
    at: 1_000_000 + now,
    pending: now / 100,
    view: toView(0),
    memoryBytes: 3,
    heapBytes: 2,
    diskBytes: null,
  });
  samples.look(moment(0));
  samples.look(moment(999));
  assert.deepEqual(samples.all(), []);
  samples.block({ transactions: 3, bytes: 100, waits: [5, 15, 25] });
  samples.block({ transactions: 1, bytes: 20, waits: [] });
  samples.vote(a, 4);
  samples.vote(a, 8);
  samples.vote(b, 1);
  // Late, as on a busy machine: the length is the real one.
  samples.look(moment(1_500, 2));
  samples.look(moment(2_600, 2));
  const rest = { at: 1_001_500, pending: 15, view: 0, memoryBytes: 3, heapBytes: 2, diskBytes: null };
  assert.deepEqual(samples.all(), [
    {
      ...rest,
      ms: 1_500,
      blocks: 2,
      transactions: 4,
      blockBytes: 120,
      latencyMs: { p50: 15, p90: 25, p99: 25 },
      viewChanges: 2,
      votes: [
        { validator: a, ms: 6 },
        { validator: b, ms: 1 },
      ],
    },
    {
      ...rest,
      at: 1_002_600,
      pending: 26,
      ms: 1_100,
      blocks: 0,
      transactions: 0,
      blockBytes: 0,
      latencyMs: { p50: null, p90: null, p99: null },
      viewChanges: 0,
      votes: [],
    },
  ]);
  for (let now = 4_000; now < 20_000; now += 1_000) samples.look(moment(now));
  assert.equal(samples.all().length, 2);
});

test('what the process takes of the machine: memory at once, the database after a look', async (t) => {
  const directory = join(temporaryDirectory(t), 'database');
  mkdirSync(directory);
  writeFileSync(join(directory, 'one'), 'x'.repeat(1_000));
  // What stands in folders counts, and folders do not.
  mkdirSync(join(directory, 'level'));
  writeFileSync(join(directory, 'level', 'c.log'), 'x'.repeat(700));
  const usage = new Usage(directory);
  const first = usage.now(0);
  assert.equal(first.diskBytes, null);
  assert.ok(first.memoryBytes > first.heapBytes && first.heapBytes > 1_000_000);
  writeFileSync(join(directory, 'two'), 'x'.repeat(500));
  await usage.look();
  assert.equal(usage.now(1).diskBytes, 2_200);
  rmSync(directory, { recursive: true });
  await usage.look();
  assert.equal(usage.now(2).diskBytes, null);
});

test('a database of many files is looked at a part at a time, one look after the other', async (t) => {
  const directory = temporaryDirectory(t);
  const files = 2 * limits.diskUsageFiles + 1;
  for (let index = 0; index < files; index++) writeFileSync(join(directory, `${index}.ldb`), 'x');
  const resting: (() => void)[] = [];
  const usage = new Usage(directory, () => new Promise((resolve) => resting.push(resolve)));
  const restsFor = (times: number): Promise<true> =>
    eventually(`rest ${times}`, () => resting.length === times);
  usage.now(0);
  await restsFor(1);
  // It is due again, and goes on with the first.
  assert.equal(usage.now(10 * limits.diskUsageMs).diskBytes, null);
  resting[0]?.();
  await restsFor(2);
  resting[1]?.();
  await eventually('the size', () => usage.now(0).diskBytes !== null);
  assert.deepEqual([usage.now(0).diskBytes, resting.length], [files, 2]);
});
