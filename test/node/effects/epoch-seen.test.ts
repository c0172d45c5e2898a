import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { epochSight } from '../../../src/node/effects/epoch-seen.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const { maxClockAheadMs } = limits;
const uses = { since: 1_000_000 };
const at = (aheadMs: number) => ({ timestamp: uses.since + aheadMs });

function clockAt(wallMs: number) {
  const time = new VirtualTime();
  return { time, clock: time.clock(wallMs) };
}

describe('a machine that notes the key’s use sees all of an epoch', () => {
  test('that began since, however its maker’s clock is off', () => {
    const { clock } = clockAt(2_000_000);
    const sees = epochSight(uses, clock);
    assert.equal(sees(at(maxClockAheadMs + 1)), true);
    assert.equal(sees(at(maxClockAheadMs)), false, 'its block may be older than it says');
    assert.equal(sees(at(-1)), false);
    assert.equal(sees(undefined), false);
    assert.equal(epochSight(undefined, clock)(at(maxClockAheadMs + 1)), false, 'nobody notes it');
  });

  test('unless its clock is behind even now: then it was when the first use was noted', () => {
    const { clock } = clockAt(uses.since);
    const sees = epochSight({ since: 0 }, clock);
    assert.equal(sees(at(maxClockAheadMs)), true);
    assert.equal(sees(at(maxClockAheadMs + 1)), false);
  });

  test('unless its clock was set forward since it runs', () => {
    const { clock, time } = clockAt(2_000_000);
    const sees = epochSight(uses, clock);
    time.run(60_000);
    clock.wallOffsetMs += maxClockAheadMs;
    assert.equal(sees(at(maxClockAheadMs + 1)), true);
    clock.wallOffsetMs += 1;
    assert.equal(sees(at(maxClockAheadMs + 1)), false);
    assert.equal(epochSight(uses, clock)(at(maxClockAheadMs + 1)), true, 'since the next start');
  });
});
