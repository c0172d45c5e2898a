import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { seesEpoch } from '../../../src/node/effects/epoch-seen.ts';

test('a machine sees all of an epoch that began since it notes the key’s use, however its maker’s clock is off', () => {
  const uses = { since: 1_000_000 };
  const at = (aheadMs: number) => ({ timestamp: uses.since + aheadMs });
  assert.equal(seesEpoch(at(limits.maxClockAheadMs + 1), uses), true);
  assert.equal(seesEpoch(at(limits.maxClockAheadMs), uses), false, 'its block may be older than it says');
  assert.equal(seesEpoch(at(-1), uses), false);
  assert.equal(seesEpoch(undefined, uses), false);
  assert.equal(seesEpoch(at(limits.maxClockAheadMs + 1), undefined), false, 'nobody notes it');
});
