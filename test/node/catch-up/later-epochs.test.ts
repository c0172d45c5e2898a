import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import { LaterEpochs } from '../../../src/node/catch-up/later-epochs.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

test('what is said to be of a later epoch is a reason to ask for blocks, now and then only', () => {
  const time = new VirtualTime();
  const asked: number[] = [];
  const later = new LaterEpochs({ clock: time.clock(), onLater: (height) => void asked.push(height) });
  for (let times = 0; times < 100; times++) later.seen(toHeight(1_000 + times));
  assert.deepEqual(asked, [1_000], 'anybody can say that');
  time.run(limits.laterEpochMs);
  later.seen(toHeight(7));
  assert.deepEqual(asked, [1_000, 7]);
});
