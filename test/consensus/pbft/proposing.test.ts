import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import type { Effect } from '../../../src/consensus/engine.ts';
import type { PbftMessage } from '../../../src/consensus/pbft/message.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import { Committee, type TestNode } from './harness.ts';

// When a primary has a block built, and what it makes of the answer.

const options = { viewTimeoutMs: 60_000, viewTimeoutCapMs: 60_000 };

type Build = Extract<Effect<PbftMessage>, { type: 'build' }>;

/** Validator 0 of four, whose builds are answered by the test. */
function primaryOf(more: Partial<Committee['options']> = {}): { node: TestNode; builds: Build[] } {
  const committee = new Committee(4, { options: { ...options, blockIntervalMs: 0, ...more } });
  const node = committee.node(0);
  const builds: Build[] = [];
  const execute = node.execute.bind(node);
  node.execute = (effect) => {
    if (effect.type !== 'build') return execute(effect);
    builds.push(effect);
    return [];
  };
  return { node, builds };
}

function answer(node: TestNode, { parentHash, height, view }: Build, isFull = false): string {
  const { committee } = node;
  const header = committee.header({
    height,
    parentHash,
    view,
    proposer: 0,
    salt: 500 + committee.blocks.size,
  });
  const blockHash = committee.add(header);
  node.step({ type: 'built', parentHash, view, proposal: { header, transactionHashes: [] }, isFull });
  return blockHash;
}

const work = (node: TestNode, executable: number): void =>
  node.step({
    type: 'work',
    work: { executable, oldestSince: executable > 0 ? node.committee.now : null, passedOverSince: null },
  });

test('one build is under way at a time, and the next one waits for its answer', () => {
  const { node, builds } = primaryOf();
  work(node, 3);
  work(node, 4);
  node.tick(200);
  assert.deepEqual(
    builds.map(({ height, view, allowEmpty }) => [height, view, allowEmpty]),
    [[1, 0, false]],
  );
  const first = answer(node, builds[0] ?? assert.fail());
  assert.deepEqual([builds[1]?.height, builds[1]?.parentHash], [2, first]);
});

test('an answer to another question than the open one is nothing', () => {
  const { node, builds } = primaryOf();
  work(node, 1);
  const [open] = builds;
  assert.ok(open !== undefined);
  answer(node, { ...open, parentHash: 'a'.repeat(64) as Build['parentHash'] });
  answer(node, { ...open, view: 7 as Build['view'] });
  assert.deepEqual([node.signed(), builds.length], [[], 1]);
  answer(node, open);
  assert.deepEqual(node.signed(), ['pre-prepare/0/0/1', 'prepare/0/0/1']);
});

test('a build that found nothing is not asked for again before there is news', () => {
  const { node, builds } = primaryOf();
  work(node, 1);
  const { parentHash, view } = builds[0] ?? assert.fail();
  node.step({ type: 'built', parentHash, view, proposal: null });
  node.tick(1_000);
  assert.equal(builds.length, 1);
  work(node, 1);
  assert.equal(builds.length, 2);
});

test('after a final block there may be something again', () => {
  const { node, builds } = primaryOf();
  const { committee } = node;
  work(node, 1);
  answer(node, builds[0] ?? assert.fail());
  const second = builds[1] ?? assert.fail();
  node.step({ type: 'built', parentHash: second.parentHash, view: second.view, proposal: null });
  assert.equal(builds.length, 2);
  // Nobody says anything of work when the block becomes final.
  const execute = node.execute.bind(node);
  node.execute = (effect) => execute(effect).filter(({ type }) => type !== 'work');
  committee.run();
  assert.equal(node.finalHeight(), 1);
  assert.equal(builds.length, 3);
});

test('a block in flight is time to collect: the next one comes blockIntervalMs later, and without one at once', () => {
  const { node, builds } = primaryOf({ blockIntervalMs: 100 });
  const { committee } = node;
  work(node, 5);
  answer(node, builds[0] ?? assert.fail());
  node.tick(80);
  assert.equal(builds.length, 1);
  node.tick(40);
  assert.equal(builds.length, 2);
  const second = builds[1] ?? assert.fail();
  node.step({ type: 'built', parentHash: second.parentHash, view: second.view, proposal: null });
  committee.run();
  assert.equal(node.finalHeight(), 1);
  work(node, 1);
  assert.equal(builds.length, 3, 'nothing is in flight: nobody waits');
});

test('what a full block left has been collected already: the next one comes at once, up to the window', () => {
  const { node, builds } = primaryOf({ blockIntervalMs: 100, window: 3 });
  work(node, 5);
  for (const done of [1, 2]) {
    answer(node, builds[done - 1] ?? assert.fail(), true);
    assert.equal(builds.length, done + 1);
  }
  answer(node, builds[2] ?? assert.fail());
  node.tick(200);
  assert.equal(builds.length, 3, 'the window is full');
  node.committee.run();
  assert.equal(node.finalHeight(), 3);
});

test('a heartbeat is an empty block, when nothing is in flight and none was asked for before its time', () => {
  const { node, builds } = primaryOf({ heartbeatMs: 500 });
  node.tick(480);
  assert.equal(builds.length, 0);
  node.tick(40);
  assert.deepEqual(
    builds.map(({ allowEmpty }) => allowEmpty),
    [true],
  );
  answer(node, builds[0] ?? assert.fail());
  node.tick(3_000);
  assert.equal(builds.length, 1, 'it is not final yet');
  const without = primaryOf();
  without.node.tick(60_000, 1_000);
  assert.equal(without.builds.length, 0);
});

test('whoever may not vote builds nothing: without its log, or with a disk that does not keep up', () => {
  const { node, builds } = primaryOf();
  node.loseDisk();
  node.restart();
  work(node, 3);
  node.tick(600);
  assert.equal(node.engine?.state.guard.name, 'learning');
  assert.equal(builds.length, 0);

  const committee = new Committee(4, { options: { ...options, blockIntervalMs: 0 } });
  const slow = committee.node(0);
  slow.holdCommits = true;
  for (let round = 0; round < limits.pbftUnstored + 8; round++) {
    committee.work();
    committee.run();
  }
  const reached = slow.engine?.state.final.height ?? 0;
  assert.ok(reached <= limits.pbftUnstored + 2, `${reached}`);
  assert.ok((slow.engine?.state.slots.size ?? 9) <= 1);
  assert.equal(slow.engine?.state.building, null);
});

test('a build whose parent is not the end of the chain any more comes to nothing', () => {
  const { node, builds } = primaryOf();
  const { committee } = node;
  committee.deliverable = () => false;
  work(node, 1);
  const open = builds[0] ?? assert.fail();
  // Another block became final at its height meanwhile.
  const header = committee.header({
    height: 1,
    parentHash: node.finalHash(),
    view: 0,
    proposer: 0,
    salt: 77,
  });
  const blockHash = committee.add(header);
  const height = toHeight(1);
  node.step({
    type: 'validated',
    blockHash,
    result: {
      verdict: 'valid',
      chain: [{ isLast: false, height, blockHash, parentHash: header.parentHash }],
    },
  });
  for (const from of [1, 2, 3])
    node.receive(committee.say({ kind: 'commit', from, view: open.view, height, blockHash }));
  assert.equal(node.finalHash(), blockHash);
  node.effects = [];
  answer(node, open);
  assert.deepEqual(node.signed(), []);
});

test('with rotation nobody builds but whose turn it is', () => {
  const committee = new Committee(4, { options: { ...options, blocksPerPrimary: 2 } });
  committee.deliverable = () => false;
  committee.work();
  const building = committee.nodes.filter(({ effects }) => effects.some(({ type }) => type === 'build'));
  assert.deepEqual(
    building.map(({ index }) => index),
    [0],
  );
});
