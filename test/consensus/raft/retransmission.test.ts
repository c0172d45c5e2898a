import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defaultRaftOptions } from '../../../src/consensus/raft/options.ts';
import {
  freshTimeout,
  noteArrival,
  type RetransmissionTimeout,
  runsOut,
  startWaiting,
  stopWaiting,
} from '../../../src/consensus/raft/retransmission.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import { Solo } from './solo.ts';

const options = { ...defaultRaftOptions, heartbeatMs: 50, electionTimeoutMs: 300 };

/** The moments until `end` at which a leader that waits from `from` on takes what it sent for lost. */
function losses(timeout: RetransmissionTimeout, from: number, end: number): number[] {
  startWaiting(timeout, from);
  const at: number[] = [];
  for (let now = from; now <= end; now += 10) if (runsOut(timeout, now, options)) at.push(now - from);
  return at;
}

/** One that saw one message take so long, without taking it for lost. */
function learnt(ms: number): RetransmissionTimeout {
  const timeout = freshTimeout();
  startWaiting(timeout, 0);
  noteArrival(timeout, ms);
  stopWaiting(timeout);
  return timeout;
}

describe('the wait for a word of what was sent', () => {
  test('is two heartbeats, doubles each time it was in vain, and ends at four election timeouts', () => {
    assert.deepEqual(losses(freshTimeout(), 0, 4_000), [100, 300, 700, 1_500, 2_700, 3_900]);
  });

  test('is twice what the link took, and a quicker answer is believed by halves', () => {
    const timeout = learnt(400);
    assert.deepEqual(losses(timeout, 1_000, 1_900), [800]);
    const calmer = learnt(400);
    startWaiting(calmer, 1_000);
    noteArrival(calmer, 1_010);
    stopWaiting(calmer);
    assert.deepEqual(losses(calmer, 2_000, 2_500), [400]);
  });

  test('learns nothing from what was sent twice: the first one may have been lost', () => {
    const timeout = freshTimeout();
    assert.deepEqual(losses(timeout, 0, 150), [100]);
    noteArrival(timeout, 190);
    stopWaiting(timeout);
    assert.deepEqual(losses(timeout, 1_000, 1_250), [200], 'the doubled one, not 380');
  });

  test('begins when something is sent and nothing was on its way', () => {
    const timeout = freshTimeout();
    assert.equal(runsOut(timeout, 10_000, options), false);
    startWaiting(timeout, 10_000);
    startWaiting(timeout, 10_090);
    assert.equal(runsOut(timeout, 10_100, options), true);
  });
});

/** A leader of three with three blocks, of which member 1 has the first; member 2 never says anything. */
function leader(): Solo {
  const solo = new Solo(0, 3).lead().make().sync().accept(1, 1).sync();
  solo.give({ type: 'applied', height: toHeight(1) });
  solo.give({ type: 'work', work: { executable: 2, oldestSince: 0, passedOverSince: null } });
  return solo.make('a').make('b').sync();
}

/** Time passes, the member answers a heartbeat, and this many blocks are sent to it, or a probe. */
function answerAfter(solo: Solo, ms: number, received: number): number {
  solo.tick(ms);
  solo.hear('heartbeat-answer', 1, solo.state.term, { round: 0, received: toHeight(received) });
  return solo.sent('append').filter(({ to }) => to === 1).length;
}

describe('a leader', () => {
  test('takes nothing for lost while more of it comes in, however long the disk there takes', () => {
    const solo = leader();
    assert.deepEqual([answerAfter(solo, 90, 1), answerAfter(solo, 9, 2)], [0, 0]);
    assert.deepEqual([answerAfter(solo, 90, 3), answerAfter(solo, 90, 3)], [0, 0]);
  });

  test('takes it for lost when nothing comes in, and forgets how long it waited with the connection', () => {
    const solo = leader();
    const sent = Array.from({ length: 12 }, () => answerAfter(solo, 40, 1));
    assert.equal(
      sent.reduce((sum, count) => sum + count, 0),
      2,
      sent.join(),
    );
    solo.give({ type: 'connected', validator: 1 });
    assert.equal(solo.sent('append').filter(({ to }) => to === 1).length, 1, 'a probe');
    assert.deepEqual([answerAfter(solo, 60, 1), answerAfter(solo, 60, 1)], [0, 1]);
  });
});
