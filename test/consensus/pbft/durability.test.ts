import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Committee } from './harness.ts';

const binding = new Set(['pre-prepare', 'prepare', 'commit', 'view-change', 'new-view']);

test('no message that binds leaves before it is on disk', () => {
  const committee = new Committee(4);
  for (const node of committee.nodes) node.holdPersists = true;
  committee.work();
  committee.pass(5_000);
  const sent = committee.nodes.flatMap((node) =>
    node.effects.flatMap((effect) => (effect.type === 'send' ? [effect.message.kind] : [])),
  );
  assert.deepEqual(
    sent.filter((kind) => binding.has(kind)),
    [],
  );
});

test('a block is on disk before its prepare', () => {
  const committee = new Committee(4);
  committee.work();
  committee.run();
  for (const node of committee.nodes) {
    for (const effect of node.effects) {
      if (effect.type !== 'persist') continue;
      const prepares = effect.sign.filter(({ key }) => key.startsWith('prepare/'));
      if (prepares.length > 0) assert.equal(effect.blocks.length, 1);
    }
  }
});

test('all four killed between prepare and commit: the same block becomes final', () => {
  const committee = new Committee(4);
  committee.deliverable = (_, __, message) => message.kind !== 'commit';
  committee.work();
  committee.run();
  const proposed = committee.node(0).engine?.state.slots.get(1 as never)?.blockHash;
  for (const node of committee.nodes) node.crash();
  committee.wire = [];
  committee.deliverable = () => true;
  for (const node of committee.nodes) node.restart();
  committee.pass(3_000);
  assert.ok(Math.min(...committee.heights()) >= 1);
  for (const node of committee.nodes) assert.equal(node.chain.get(1 as never), proposed);
});

test('after a restart the recorded vote is sent again, and no other', () => {
  const committee = new Committee(4);
  committee.deliverable = () => false;
  committee.work();
  committee.run();
  const before = [...committee.node(0).records.keys()].filter((key) => key.startsWith('prepare/'));
  assert.deepEqual(before, ['prepare/0/1']);
  const recorded = committee.node(0).records.get('prepare/0/1');
  committee.node(0).crash();
  committee.node(0).restart();
  committee.deliverable = () => true;
  committee.work();
  committee.pass(2_000);
  assert.ok(Math.min(...committee.heights()) >= 1);
  const resent = committee
    .node(0)
    .effects.flatMap((effect) =>
      effect.type === 'send' && effect.message.kind === 'prepare' && effect.message.height === 1
        ? [effect.message]
        : [],
    );
  assert.ok(resent.length >= 1);
  assert.equal(new Set(resent.map(({ blockHash, signature }) => blockHash + signature)).size, 1);
  assert.ok(recorded !== undefined);
});

test('what was signed for a height stays on disk until the final block is there too', () => {
  const committee = new Committee(4);
  const slow = committee.node(0);
  const stored: { type: 'applied' }[] = [];
  const obey = slow.obey.bind(slow);
  // Its store takes its time with final blocks (bodies are fetched, runs are batched); its log does not.
  slow.obey = (effect) =>
    obey(effect).filter((input) => {
      if (input.type === 'applied') stored.push(input);
      return input.type !== 'applied';
    });
  for (let i = 0; i < 4; i++) {
    committee.work();
    committee.pass(1_000);
  }
  assert.ok(slow.finalHeight() >= 3 && stored.length >= 3);
  for (const key of ['pre-prepare/0/1', 'prepare/0/1', 'commit/0/1']) {
    assert.ok(slow.records.has(key), `${key}: a restart now would sign another block for height 1`);
  }
  assert.ok(!committee.node(1).records.has('prepare/0/1'), 'where the block is stored, nobody needs it');
});

test('votes of a view that was left stay unsent, even when the disk finishes them later', () => {
  const committee = new Committee(4);
  const late = committee.node(3);
  committee.work();
  late.holdPersists = true;
  committee.run();
  committee.node(0).crash();
  committee.work();
  committee.pass(10_000);
  late.effects = [];
  late.releasePersists();
  const sent = late.effects.flatMap((effect) => (effect.type === 'send' ? [effect.message] : []));
  const view = late.engine?.status().view ?? 0;
  for (const message of sent) {
    if ('view' in message && message.kind !== 'view-change') assert.ok(message.view >= view, message.kind);
  }
});

test('a validator that lost its log is silent until its old votes cannot matter', () => {
  const committee = new Committee(4, { options: { window: 2 } });
  for (let round = 0; round < 5; round++) {
    committee.work();
    committee.pass(100);
  }
  const lost = committee.node(3);
  lost.crash();
  lost.records = new Map();
  lost.candidates = new Set();
  lost.restart();
  const floor = committee.node(0).finalHeight() + 2 * committee.options.window;
  committee.pass(3_000);
  assert.equal(lost.engine?.status().voting, false);
  while (committee.node(0).finalHeight() < floor + 3) {
    lost.effects = [];
    const height = committee.node(0).finalHeight();
    committee.work();
    committee.pass(200);
    const votes = lost.effects.filter(
      (effect) => effect.type === 'persist' && effect.sign.some(({ key }) => key !== ''),
    );
    if (height < floor) assert.equal(votes.length, 0, `silent at height ${height}`);
  }
  assert.equal(lost.engine?.status().voting, true, 'and votes again above it');
  assert.deepEqual(new Set(committee.heights()).size, 1);
});

test('the silence survives a restart', () => {
  const committee = new Committee(4, { options: { window: 2 } });
  committee.work();
  committee.pass(200);
  const lost = committee.node(3);
  lost.crash();
  lost.records = new Map();
  lost.restart();
  committee.pass(3_000);
  assert.equal(lost.engine?.state.guard.name, 'silent');
  lost.crash();
  lost.restart();
  assert.equal(lost.engine?.state.guard.name, 'silent');
});

test('an operator can say that the key was never used, and the validator votes at once', () => {
  const committee = new Committee(4);
  const fresh = committee.node(3);
  fresh.crash();
  fresh.records = new Map();
  fresh.start(true);
  assert.equal(fresh.engine?.status().voting, true);
});
