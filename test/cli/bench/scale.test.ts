import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkRun, sizeRun } from '../../../src/cli/bench/scale/scale-command.ts';
import { simulateScale } from '../../../src/cli/bench/scale/simulate-scale.ts';
import { jsonOf, quorate } from '../quorate.ts';

test('pipelining hides the delay of links: a window of 8 makes five times the blocks of a window of 1', async () => {
  const run = async (window: number): Promise<number> => {
    const { blocksPerSecond } = await simulateScale({ ...linkRun('pbft', 50, window), batches: 200 });
    return blocksPerSecond;
  };
  const [one, eight] = [await run(1), await run(8)];
  // Three messages one after the other, and three synced writes between them.
  assert.ok(one <= 1_000 / 150 && one > 1_000 / 200, `${one} blocks a second with a window of 1`);
  assert.ok(eight >= 5 * one, `${eight} blocks a second with a window of 8, ${one} with 1`);
});

test('a run is a function of its options, and each node checks each transaction once', async () => {
  const options = { ...sizeRun('pbft', 4), batches: 2 };
  const [first, again] = [await simulateScale(options), await simulateScale(options)];
  const { hashes } = again.counts;
  // All but a hash or two: what a process has hashed already it may have kept.
  assert.deepEqual({ ...first, counts: { ...first.counts, hashes } }, again);
  assert.ok(Math.abs(first.counts.hashes - hashes) < 0.01 * hashes);
  assert.equal(first.counts.transactionChecks, 4 * first.transactions);
  assert.equal(first.blocks, 2, 'a burst is a block');
});

test('bench scale prints both tables, for people and for programs', async () => {
  const small = ['bench', 'scale', '--engine', 'raft', '--validators', '1,3', '--delays', '1'];
  const told = jsonOf(await quorate([...small, '--json']));
  assert.deepEqual(
    (told['sizes'] as { validators: number }[]).map(({ validators }) => validators),
    [1, 3],
  );
  assert.equal((told['links'] as object[]).length, 1, 'Raft has no window');
  const { out, code } = await quorate(small);
  assert.equal(code, 0);
  assert.match(out, /messages\/block/);
  assert.match(out, /link ms/);
});
