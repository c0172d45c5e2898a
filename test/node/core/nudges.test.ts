import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { Nudges } from '../../../src/node/core/nudges.ts';

test('who hears nobody asks one peer after the other, at their time, for what is new', () => {
  const asked: string[] = [];
  let hearsNobody = true;
  const nudges = new Nudges({
    mempool: { work: () => ({ executable: 0, oldestSince: null, passedOverSince: null, waiting: 0 }) },
    intake: { repeat: () => assert.fail('nothing waits here') },
    sync: { poll: (peer) => void asked.push(peer) },
    // A validator is always the first.
    peersFor: () => ['validator', 'observer', 'other'],
    isStranger: () => false,
    hearsNobody: () => hearsNobody,
    onWork: () => assert.fail('there is no work'),
    now: 0,
  });
  nudges.tick(limits.syncPollMs - 1);
  assert.deepEqual(asked, []);
  for (let round = 1; round <= 4; round++) {
    nudges.tick(round * limits.syncPollMs);
    nudges.tick(round * limits.syncPollMs + 1);
  }
  assert.deepEqual(asked, ['validator', 'observer', 'other', 'validator']);
  hearsNobody = false;
  nudges.tick(10 * limits.syncPollMs);
  assert.equal(asked.length, 4);
});

test('in whatever order the peers are given, each is asked in its turn: others may turn the list, too', () => {
  const names = ['a', 'b', 'c'];
  for (const turnedBy of [0, 1, 2, 3]) {
    const asked: string[] = [];
    let turn = 0;
    const nudges = new Nudges({
      mempool: { work: () => ({ executable: 0, oldestSince: null, passedOverSince: null, waiting: 0 }) },
      intake: { repeat: () => undefined },
      sync: { poll: (peer) => void asked.push(peer) },
      peersFor: () => {
        turn += turnedBy;
        return names.map((_, index) => names[(index + turn) % names.length] ?? '');
      },
      isStranger: () => false,
      hearsNobody: () => true,
      onWork: () => undefined,
      now: 0,
    });
    for (let round = 1; round <= names.length; round++) nudges.tick(round * limits.syncPollMs);
    assert.deepEqual(asked.toSorted(), names, `turned by ${turnedBy}`);
  }
});

test('what only waits for others is gossiped again while no block comes, and not while they do', () => {
  let repeated = 0;
  const nudges = new Nudges({
    mempool: { work: () => ({ executable: 0, oldestSince: null, passedOverSince: null, waiting: 1 }) },
    intake: { repeat: () => void (repeated += 1) },
    sync: { poll: () => assert.fail('others are heard') },
    peersFor: () => [],
    isStranger: () => false,
    hearsNobody: () => false,
    onWork: () => assert.fail('nothing can be executed'),
    now: 0,
  });
  nudges.tick(limits.regossipMs - 1);
  nudges.advanced(limits.regossipMs - 1);
  nudges.tick(2 * limits.regossipMs - 2);
  assert.equal(repeated, 0);
  nudges.tick(2 * limits.regossipMs - 1);
  assert.equal(repeated, 1);
});

test('strangers with new names have each second turn at most, and all of them where there is nobody else', () => {
  const asked: string[] = [];
  let others = ['validator', 'dialled'];
  let tick = 0;
  const nudges = new Nudges({
    mempool: { work: () => ({ executable: 0, oldestSince: null, passedOverSince: null, waiting: 0 }) },
    intake: { repeat: () => assert.fail('nothing waits here') },
    sync: { poll: (peer) => void asked.push(peer) },
    peersFor: () => [`stranger ${tick}`, ...others],
    isStranger: (peer) => peer.startsWith('stranger'),
    hearsNobody: () => true,
    onWork: () => assert.fail('there is no work'),
    now: 0,
  });
  const poll = (): void => nudges.tick(++tick * limits.syncPollMs);
  for (let turn = 0; turn < 4; turn++) poll();
  assert.deepEqual(asked, ['validator', 'stranger 2', 'dialled', 'stranger 4']);
  others = [];
  for (let turn = 0; turn < 2; turn++) poll();
  assert.deepEqual(asked.slice(4), ['stranger 5', 'stranger 6']);
});
