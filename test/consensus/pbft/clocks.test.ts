import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import type { Effect } from '../../../src/consensus/engine.ts';
import type { PbftMessage } from '../../../src/consensus/pbft/message.ts';
import { Committee } from './harness.ts';

const viewOf = (committee: Committee, index: number): number =>
  committee.node(index).engine?.status().view ?? -1;
const why = (committee: Committee, index: number): string => committee.node(index).engine?.why() ?? '';
const sent = (committee: Committee, index: number, kind: PbftMessage['kind']): PbftMessage[] =>
  committee
    .node(index)
    .effects.flatMap((effect: Effect<PbftMessage>) =>
      effect.type === 'send' && effect.message.kind === kind ? [effect.message] : [],
    );
const suspected = (committee: Committee, index: number): boolean =>
  committee.node(index).effects.some((effect) => effect.type === 'trace' && effect.event === 'suspect');

test('an early block becomes valid by waiting, and is no ground for suspicion', () => {
  const committee = new Committee(4);
  for (const index of [1, 2, 3]) committee.node(index).aheadMs = 11_500;
  committee.work();
  committee.run();
  assert.match(why(committee, 1), /11\.5 s ahead of this node's clock/);
  committee.pass(1_000);
  for (const index of [1, 2, 3]) {
    assert.equal(sent(committee, index, 'prepare').length, 0, 'nobody vouches for it yet');
    assert.ok(!suspected(committee, index));
    committee.node(index).aheadMs = 0;
  }
  committee.pass(600);
  assert.deepEqual(committee.heights(), [1, 1, 1, 1]);
  assert.equal(viewOf(committee, 1), 0);
});

test('what is too early for one is made final by the others, and it says that its clock is behind', () => {
  const committee = new Committee(4);
  committee.node(3).aheadMs = 3_600_000;
  committee.work();
  committee.run();
  assert.deepEqual(committee.heights(), [1, 1, 1, 1]);
  assert.equal(sent(committee, 3, 'prepare').length, 0);
  assert.equal(
    committee.node(3).effects.filter(({ type }) => type === 'sync').length,
    0,
    'nothing had to be fetched',
  );
  assert.match(why(committee, 3), /not voting: its time is 3600\.0 s ahead of this node's clock/);
  assert.doesNotMatch(why(committee, 3), /idle, nothing to do/);
  committee.node(3).aheadMs = 0;
  committee.work();
  committee.run();
  assert.match(why(committee, 3), /idle, nothing to do/);
});

test('a primary whose clock is far ahead has the time of its view and no more', () => {
  const committee = new Committee(4);
  committee.node(0).clockAheadMs = 3_600_000;
  committee.work();
  committee.pass(committee.options.viewTimeoutMs - 200);
  assert.equal(viewOf(committee, 1), 0, 'not before the timer');
  committee.pass(1_000);
  assert.deepEqual(committee.heights(), [1, 1, 1, 1]);
  assert.equal(viewOf(committee, 1), 1);
  // What this one refused is gone, and it leads: it says nothing more of it than the others.
  for (const index of [0, 1, 2, 3]) assert.match(why(committee, index), /idle, nothing to do/);
});

test('views that fail because their blocks are early leave no more behind than any others', () => {
  const options = { window: 2, viewTimeoutMs: 500, viewTimeoutCapMs: 500, blockIntervalMs: 0 };
  const committee = new Committee(4, { options });
  for (const node of committee.nodes) node.aheadMs = 3_600_000;
  let most = 0;
  for (let round = 0; round < 60; round++) {
    committee.work();
    committee.pass(1_000);
    for (const { engine } of committee.nodes) most = Math.max(most, engine?.state.valid.size ?? 0);
  }
  assert.ok(viewOf(committee, 1) > 20, `${viewOf(committee, 1)} views`);
  // What is left of earlier views, and what this one adds.
  assert.ok(most <= (limits.pbftStoredWindows + 1) * options.window, `${most} links`);
  for (const node of committee.nodes) node.aheadMs = 0;
  committee.work();
  committee.pass(3_000);
  committee.checkAgreement();
  assert.ok(committee.heights().every((height) => height > 0));
});

test('a tip that a quorum prepared is voted for, whatever the clock of one says', () => {
  const committee = new Committee(4);
  committee.deliverable = (_, __, message) => message.kind !== 'commit';
  committee.work();
  committee.run();
  assert.equal(sent(committee, 1, 'commit').length, 1, 'prepared in view 0');
  // One sees it for the first time as the tip of the next view, with a clock that is behind.
  committee.node(3).crash();
  committee.node(3).records.clear();
  committee.node(3).candidates.clear();
  committee.node(0).crash();
  committee.node(3).start(true);
  committee.node(3).aheadMs = 3_600_000;
  committee.deliverable = () => true;
  committee.pass(6_000);
  assert.deepEqual(committee.heights().slice(1), [1, 1, 1]);
  assert.ok(sent(committee, 3, 'prepare').some((vote) => 'view' in vote && vote.view > 0));
});

test('whatever the grounds, views change no faster than the back-off once more than f primaries failed', () => {
  const invalid = new Committee(4);
  // Every block is invalid for everybody but its maker: our own bug, or a clock before there was a rule for it.
  for (const node of invalid.nodes) node.judge = () => ({ verdict: 'invalid', reason: 'test' });
  const most = 1 + Math.ceil(Math.log2(60_000 / invalid.options.viewTimeoutMs)) + 2;
  const passes = (committee: Committee): void => {
    committee.deliverable = () => {
      assert.ok(viewOf(committee, 1) <= most, `${viewOf(committee, 1)} views in ${committee.now} ms`);
      return true;
    };
    committee.work();
    committee.pass(60_000, 200);
    assert.ok(viewOf(committee, 1) >= 2, 'they try');
  };
  passes(invalid);

  // Every primary contradicts itself: it shows each of the others its own block.
  const caught = new Committee(4);
  for (const node of caught.nodes) {
    node.tamper = (to, message) => {
      if (message.kind !== 'pre-prepare' || to % 2 === 0) return [message];
      const header = { ...message.proposal.header, timestamp: message.proposal.header.timestamp + to };
      const proposal = { ...message.proposal, header };
      return [message, { ...message, blockHash: caught.add(header), proposal }];
    };
  }
  passes(caught);
});

test('up to f lying primaries in a row are left at once', () => {
  const committee = new Committee(7);
  for (const node of committee.nodes) {
    node.judge = (blockHash) =>
      (committee.blocks.get(blockHash)?.view ?? 0) < 2 ? { verdict: 'invalid', reason: 'test' } : null;
  }
  committee.work();
  committee.pass(1_000);
  assert.equal(viewOf(committee, 3), 2);
  assert.ok(committee.heights().every((height) => height === 1));
});
