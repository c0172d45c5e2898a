import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { developmentKeyPair } from '../../../src/crypto/development-keys.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import { genesisHeader } from '../../../src/ledger/genesis.ts';
import { ClockWatch } from '../../../src/node/process/clock-watch.ts';
import { testGenesis } from '../cluster.ts';

function setUp() {
  const world = {
    wall: 1_800_000_000_000,
    monotonic: 0,
    header: { ...genesisHeader(testGenesis(4)), timestamp: 1_800_000_000_000 },
    warnings: [] as string[],
  };
  const watch = new ClockWatch({
    clock: { wallMs: () => world.wall, monotonicMs: () => world.monotonic },
    log: {
      warn: (message, details) =>
        world.warnings.push(`${message}: ${details?.['aheadMs']}, ${typeof details?.['remedy']}`),
    },
    final: () => world.header,
    self: developmentKeyPair('validator-0').publicKey,
  });
  return { world, watch };
}

test('a clock that agrees with the chain as far as blocks may be early is right', () => {
  const { world, watch } = setUp();
  world.wall -= limits.maxClockAheadMs;
  watch.look();
  assert.deepEqual(world.warnings, []);
  assert.deepEqual(watch.sentences(), []);
  assert.equal(watch.behindMs(), limits.maxClockAheadMs);
  world.wall += 1_000_000;
  assert.equal(watch.behindMs(), 0);
});

test('one that is behind is named, by how much, in the log and for people, and now and then only', () => {
  const { world, watch } = setUp();
  world.wall -= 300_000;
  watch.look();
  watch.look();
  watch.early(5_000_000);
  assert.deepEqual(world.warnings, ['the genesis time is ahead of the clock of this node: 300000, string']);
  assert.deepEqual(watch.sentences(), ['the clock of this node is 300.0 s behind the genesis time']);
  world.header = { ...world.header, height: toHeight(7) };
  world.monotonic += limits.clockWarningMs;
  watch.early(5_000_000);
  world.monotonic += limits.clockWarningMs;
  watch.look();
  assert.deepEqual(world.warnings.slice(1), [
    'a proposed block is too far ahead of the clock of this node to be voted for: 5000000, string',
    'the last final block is ahead of the clock of this node: 300000, string',
  ]);
  assert.match(watch.sentences().join(), /300\.0 s behind the time of the last final block \(7\)/);
});

test('a proposal that is too early is refused until its time has come, or one in time has', () => {
  const { world, watch } = setUp();
  assert.equal(watch.refuses, false);
  watch.early(60_000);
  world.wall += 60_000 - limits.maxClockAheadMs - 1;
  assert.equal(watch.refuses, true);
  world.wall += 1;
  assert.equal(watch.refuses, false);
  watch.early(60_000);
  watch.timely();
  assert.equal(watch.refuses, false);
  watch.early(60_000);
  watch.live({ ...world.header, proposer: developmentKeyPair('validator-1').publicKey });
  assert.equal(watch.refuses, true, 'others made it final');
  watch.live({ ...world.header, proposer: developmentKeyPair('validator-0').publicKey });
  assert.equal(watch.refuses, false, 'it made one itself');
});

test('one that is ahead is named as well, by what the blocks of others say, until they agree with it', () => {
  const { world, watch } = setUp();
  const made = (oldMs: number): void => {
    const proposer = developmentKeyPair('validator-1').publicKey;
    watch.live({ ...world.header, proposer, timestamp: world.wall - oldMs });
  };
  made(limits.maxClockAheadMs);
  assert.deepEqual([watch.sentences(), world.warnings], [[], []]);
  made(86_400_000);
  world.monotonic += limits.maxClockAheadMs - 1;
  made(86_400_000);
  assert.deepEqual([watch.sentences(), world.warnings], [[], []], 'the node may have been away');
  world.monotonic += 1;
  made(86_400_000);
  assert.match(
    watch.sentences().join(),
    /^the last block of another was 86400\.0 s old by the clock of this/,
  );
  assert.deepEqual(world.warnings, [
    'a block of another was old by the clock of this node when it became final: undefined, string',
  ]);
  made(50);
  assert.deepEqual(watch.sentences(), []);
});

test('the difference to other clocks is told in both directions, by the blocks that others made', () => {
  const { world, watch } = setUp();
  const made = (validator: number, timestamp: number): void => {
    const proposer = developmentKeyPair(`validator-${validator}`).publicKey;
    watch.live({ ...world.header, proposer, timestamp });
  };
  assert.equal(watch.differenceMs(), undefined);
  made(1, world.wall - 40);
  assert.equal(watch.differenceMs(), 40);
  made(0, world.wall - 5_000);
  assert.equal(watch.differenceMs(), 40, 'its own block says nothing');
  made(2, world.wall + 3_000);
  assert.equal(watch.differenceMs(), -3_000);
});

test('old blocks that come fast, each less old, are what a node missed, and say nothing of clocks', () => {
  const { world, watch } = setUp();
  const proposer = developmentKeyPair('validator-1').publicKey;
  for (let oldMs = 600_000; oldMs > 0; oldMs -= 2_000) {
    watch.live({ ...world.header, proposer, timestamp: world.wall - oldMs });
    world.monotonic += 100;
    world.wall += 100;
    assert.deepEqual([watch.sentences(), world.warnings], [[], []]);
  }
});
