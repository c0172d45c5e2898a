import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { fixedBytes } from '../../../src/base/codec.ts';
import { InvariantError } from '../../../src/base/invariant.ts';
import { limits } from '../../../src/base/limits.ts';
import { Problem } from '../../../src/base/problem.ts';
import { type Ballot, cast } from '../../../src/consensus/shared/ballot.ts';
import { type Contact, hear, isHeard, silenceOf } from '../../../src/consensus/shared/contact.ts';
import {
  freshPacing,
  hasWork,
  highWatermark,
  isPaced,
  noteBuild,
  takeWork,
} from '../../../src/consensus/shared/pacing.ts';
import { freshPatience, isPatient, notePatience } from '../../../src/consensus/shared/patience.ts';
import { askSync, neverAsked } from '../../../src/consensus/shared/sync-ask.ts';
import { isDue, start, stop, stopped } from '../../../src/consensus/shared/timer.ts';
import {
  addWrite,
  noWrites,
  oldestWriteMs,
  settleWrites,
} from '../../../src/consensus/shared/write-queue.ts';
import { readMessage } from '../../../src/consensus/shared/wire.ts';
import { toHeight } from '../../../src/ledger/block.ts';

suite('writes on their way', () => {
  test('are numbered in order, and settle up to a number, oldest first', () => {
    const queue = noWrites<string>();
    const numbers = ['a', 'b', 'c'].map((kept) => addWrite(queue, 0, kept));
    assert.deepEqual(numbers, [1, 2, 3]);
    assert.deepEqual(settleWrites(queue, 2), ['a', 'b']);
    assert.deepEqual(settleWrites(queue, 2), [], 'a number that comes twice settles nothing');
    assert.deepEqual(settleWrites(queue, 3), ['c']);
    assert.equal(addWrite(queue, 0, 'd'), 4, 'a number is never used again');
  });

  test('tell the age of the oldest', () => {
    const queue = noWrites<null>();
    assert.equal(oldestWriteMs(queue, 50), 0);
    addWrite(queue, 10, null);
    addWrite(queue, 40, null);
    assert.equal(oldestWriteMs(queue, 50), 40);
    settleWrites(queue, 1);
    assert.equal(oldestWriteMs(queue, 50), 10);
  });

  test('that nobody asked for are a broken driver', () => {
    assert.throws(() => settleWrites(noWrites(), 1), InvariantError);
  });
});

suite('contact', () => {
  const contact: Contact = new Map();
  hear(contact, 1, 1_000);
  hear(contact, 2, 3_000);

  test('lasts for the span asked, and not a millisecond more', () => {
    assert.equal(isHeard(contact, 1, { now: 1_999, withinMs: 1_000 }), true);
    assert.equal(isHeard(contact, 1, { now: 2_000, withinMs: 1_000 }), false);
    assert.equal(isHeard(contact, 7, { now: 0, withinMs: 1_000 }), false, 'never heard');
  });

  test('names the silent, the first four of them', () => {
    const at = (now: number, validators: readonly number[]): string =>
      silenceOf(contact, validators, { now, withinMs: 2_500 });
    assert.equal(at(3_100, [1, 2]), '');
    assert.equal(at(5_000, [1, 2]), '; validator 1 silent for 4 s');
    assert.equal(at(5_000, [1, 2, 3]), '; validator 1 silent for 4 s, validator 3 never heard');
    assert.match(at(5_000, [1, 3, 4, 5, 6, 7]), /validator 5 never heard and 2 more$/);
  });
});

test('a timer is due from its time on, until it is started anew or stopped', () => {
  const timer = stopped();
  assert.equal(isDue(timer, 1_000_000), false, 'it does not run');
  start(timer, 100, 50);
  assert.deepEqual(
    [149, 150, 151].map((now) => isDue(timer, now)),
    [false, true, true],
  );
  start(timer, 151, 50);
  assert.equal(isDue(timer, 151), false);
  stop(timer);
  assert.equal(isDue(timer, 1_000_000), false);
});

test('a ballot keeps the first vote of each, and tells of a second one', () => {
  const ballot: Ballot<string> = new Map();
  assert.equal(cast(ballot, 2, 'x'), undefined);
  assert.equal(cast(ballot, 0, 'x'), undefined);
  assert.equal(cast(ballot, 2, 'y'), 'x');
  assert.deepEqual(
    [...ballot],
    [
      [2, 'x'],
      [0, 'x'],
    ],
  );
});

test('a build that found nothing waits for something new', () => {
  const pacing = freshPacing();
  assert.equal(hasWork(pacing), false);
  takeWork(pacing, { executable: 3, oldestSince: 0, passedOverSince: null });
  assert.equal(hasWork(pacing), true);
  pacing.nothingToBuild = true;
  assert.equal(hasWork(pacing), false);
  takeWork(pacing, { executable: 3, oldestSince: 0, passedOverSince: null });
  assert.equal(hasWork(pacing), true);
  pacing.lastBuildAt = 100;
  assert.equal(isPaced(pacing, 119, 20), false);
  assert.equal(isPaced(pacing, 120, 20), true);
  pacing.wasFull = true;
  assert.equal(isPaced(pacing, 119, 20), true, 'what a full block left has nothing to wait for');
  noteBuild(pacing, 119);
  assert.equal(isPaced(pacing, 119, 20), false);
  assert.equal(highWatermark(toHeight(7), 4), 11);
});

test('sync is asked for once in a while, and at once for more', () => {
  const last = neverAsked();
  const ask = (height: number, now: number): unknown =>
    askSync(last, { height: toHeight(height), holders: [1], now, everyMs: 500 });
  assert.deepEqual(ask(5, 0), { type: 'sync', height: 5, holders: [1] });
  assert.equal(ask(5, 499), null);
  assert.equal(ask(4, 499), null);
  assert.deepEqual(ask(6, 499), { type: 'sync', height: 6, holders: [1] });
  assert.deepEqual(ask(6, 999), { type: 'sync', height: 6, holders: [1] });
});

test('a message that is longer than any engine sends is refused unread', () => {
  const read = (size: number): unknown => readMessage(fixedBytes(size), new Uint8Array(size), 'message');
  assert.equal((read(limits.consensusMessageBytes) as Uint8Array).length, limits.consensusMessageBytes);
  const refused = read(limits.consensusMessageBytes + 1);
  assert.ok(refused instanceof Problem && refused.code === 'consensus/oversize');
});

suite('the patience of a process that stood still', () => {
  const mostMs = 1_000;

  test('lasts as long as it stood still, and no longer than the bound', () => {
    for (const [lateMs, lasts] of [
      [undefined, 0],
      [30, 30],
      [1_000, 1_000],
      [60_000, 1_000],
    ] as const) {
      const patience = freshPatience();
      notePatience(patience, { now: 5, lateMs, overdue: true, mostMs });
      assert.equal(isPatient(patience, 5 + lasts), false);
      if (lasts > 0) assert.equal(isPatient(patience, 4 + lasts), true);
    }
  });

  test('comes to its end also where every tick is late, and is whole again when nothing is overdue', () => {
    for (const lateMs of [60, 180, 900, 5_000]) {
      const patience = freshPatience();
      let now = 0;
      let patientMs = 0;
      const tick = (overdue: boolean): void => {
        now += lateMs + 20;
        notePatience(patience, { now, lateMs, overdue, mostMs });
        if (overdue) patientMs += Math.min(Math.max(0, patience.until - now), lateMs + 20);
      };
      for (let round = 0; round < 50; round++) tick(false);
      assert.ok(isPatient(patience, now));
      for (let round = 0; round < 50; round++) tick(true);
      assert.equal(isPatient(patience, now), false);
      assert.ok(patientMs <= mostMs, `${patientMs} ms with ${lateMs}`);
      tick(false);
      tick(true);
      assert.ok(isPatient(patience, now));
    }
  });
});
