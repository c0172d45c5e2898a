import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defined } from '../../../src/base/invariant.ts';
import { limits } from '../../../src/base/limits.ts';
import type { Verified } from '../../../src/consensus/engine.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import type { FinalityCertificate } from '../../../src/ledger/certificate.ts';
import { Committee, type TestNode } from './harness.ts';

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

test('after a restart the highest recorded vote is in the window, in whatever order the log gives them', () => {
  const committee = new Committee(4, { options: { window: 2, blockIntervalMs: 0 } });
  const node = committee.node(3);
  node.holdCommits = true;
  for (let round = 0; round < 8; round++) {
    committee.work();
    committee.run();
  }
  const votes = [...node.records.keys()].filter((key) => key.startsWith('prepare/'));
  assert.ok(votes.length > 3);
  const highest = Math.max(...votes.map((key) => Number(key.split('/').at(-1))));
  for (const turned of [false, true]) {
    node.crash();
    if (turned) node.records = new Map([...node.records].toReversed());
    node.restart();
    assert.equal(node.engine?.state.restoredUpTo, highest);
  }
});

test('after a restart the recorded vote is sent again, and no other', () => {
  const committee = new Committee(4);
  committee.deliverable = () => false;
  committee.work();
  committee.run();
  const before = [...committee.node(0).records.keys()].filter((key) => key.startsWith('prepare/'));
  assert.deepEqual(before, ['prepare/0/0/1']);
  const recorded = committee.node(0).records.get('prepare/0/0/1');
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
  const execute = slow.execute.bind(slow);
  // Its store takes its time with final blocks (bodies are fetched, runs are batched); its log does not.
  slow.execute = (effect) =>
    execute(effect).filter((input) => {
      if (input.type === 'applied') stored.push(input);
      return input.type !== 'applied';
    });
  for (let i = 0; i < 4; i++) {
    committee.work();
    committee.pass(1_000);
  }
  assert.ok(slow.finalHeight() >= 3 && stored.length >= 3);
  for (const key of ['pre-prepare/0/0/1', 'prepare/0/0/1', 'commit/0/0/1']) {
    assert.ok(slow.records.has(key), `${key}: a restart now would sign another block for height 1`);
  }
  assert.ok(!committee.node(1).records.has('prepare/0/0/1'), 'where the block is stored, nobody needs it');
});

test('a vote is asked of the disk once: not again for later votes of others, nor after a restart', () => {
  const committee = new Committee(4);
  const signed = (node: TestNode): string[] =>
    node.effects.flatMap((effect) => (effect.type === 'persist' ? effect.sign.map(({ key }) => key) : []));
  committee.deliverable = (_, __, { kind }) => kind !== 'commit';
  committee.work();
  committee.pass(400);
  committee.node(2).crash();
  committee.node(2).restart();
  committee.pass(400);
  for (const node of committee.nodes) {
    assert.ok(signed(node).includes('commit/0/0/1'));
    assert.deepEqual(signed(node), [...new Set(signed(node))]);
  }
});

/** Own votes on the disk of a node, by height. */
const voted = (node: TestNode): number[] =>
  [...node.records.keys()].flatMap((key) => (key.startsWith('prepare/') ? [Number(key.split('/')[3])] : []));

for (const window of [1, 2, 8]) {
  test(`a crash between votes and the final blocks below them: it starts again and keeps its votes (window ${window})`, () => {
    const committee = new Committee(4, { options: { window, blockIntervalMs: 0 } });
    const slow = committee.node(3);
    slow.holdCommits = true;
    for (let i = 0; i < window + 8; i++) {
      committee.work();
      committee.run();
    }
    const before = voted(slow);
    assert.ok(before.length > window + 1, `votes at ${before.join(' ')}, nothing stored`);
    slow.crash();
    slow.holdCommits = false;
    slow.restart();
    assert.deepEqual(voted(slow), before);
    const { tallies } = slow.engine?.state ?? {};
    for (const height of before)
      assert.ok(tallies?.get(`0/${height}`)?.commit.has(3), `own commit at ${height}`);
    committee.pass(2_000);
    committee.work();
    committee.pass(2_000);
    assert.equal(new Set(committee.heights()).size, 1, committee.heights().join(' '));
    assert.ok(voted(slow).length <= 1, 'and they go when the blocks are stored, with the next write');
  });
}

test('a power cut of all, each with final blocks on the way to its disk: they go on together, and nothing final changes', () => {
  const committee = new Committee(4, { options: { window: 2, blockIntervalMs: 0 } });
  for (const node of committee.nodes) node.holdCommits = true;
  for (let i = 0; i < 9; i++) {
    committee.work();
    committee.run();
  }
  assert.ok(Math.min(...committee.nodes.map((node) => node.unstored.length)) >= 9);
  for (const node of committee.nodes) node.crash();
  committee.wire = [];
  for (const node of committee.nodes) {
    node.holdCommits = false;
    node.restart();
  }
  committee.pass(4_000);
  assert.ok(Math.min(...committee.heights()) >= 9, committee.heights().join(' '));
  committee.checkAgreement();
});

test('restored votes count on after some of their blocks became final again', () => {
  const committee = new Committee(4, { options: { window: 1, blockIntervalMs: 0 } });
  const slow = committee.node(3);
  slow.holdCommits = true;
  for (let i = 0; i < 7; i++) {
    committee.work();
    committee.run();
  }
  slow.crash();
  slow.holdCommits = false;
  slow.restart();
  committee.deliverable = () => false;
  // The first block alone comes by sync.
  const one = toHeight(1);
  const source = committee.node(0);
  const blockHash = defined(source.chain.get(one), 'block 1');
  const { parentHash } = defined(committee.blocks.get(blockHash), 'its header');
  const certificate = defined(source.certificates.get(one), 'its certificate');
  slow.step({
    type: 'synced',
    chain: [{ isLast: false, height: one, blockHash, parentHash }],
    certificate: certificate as Verified<FinalityCertificate>,
  });
  assert.equal(slow.finalHeight(), 1);
  for (let height = 2; height <= 7; height++) {
    const tally = slow.engine?.state.tallies.get(`0/${height}`);
    assert.ok(tally?.prepare.has(3) && tally.commit.has(3), `own votes at ${height}`);
  }
});

test('a validator whose final blocks do not get to its disk stops voting, and goes on when they do', () => {
  const committee = new Committee(4, { options: { window: 2, blockIntervalMs: 0 } });
  const slow = committee.node(3);
  slow.holdCommits = true;
  for (let i = 0; i < limits.pbftUnstored + 20; i++) {
    committee.work();
    committee.run();
  }
  assert.ok(committee.node(0).finalHeight() > limits.pbftUnstored + 10, 'the others go on');
  const last = Math.max(...voted(slow));
  assert.ok(last > limits.pbftUnstored && last <= limits.pbftUnstored + 3, `it voted up to ${last}`);
  assert.match(slow.engine?.why() ?? '', /final blocks wait for the disk/);
  slow.releaseCommits();
  committee.work();
  committee.run();
  assert.equal(slow.finalHeight(), committee.node(0).finalHeight());
  slow.effects = [];
  committee.work();
  committee.run();
  assert.ok(slow.effects.some((effect) => effect.type === 'send' && effect.message.kind === 'prepare'));
});

test('a vote that had to wait for the disk has its block validated anew: the driver may have let it go', () => {
  const committee = new Committee(4, { options: { window: 2, blockIntervalMs: 0 } });
  const slow = committee.node(3);
  slow.holdCommits = true;
  for (let i = 0; i < limits.pbftUnstored + 3; i++) {
    committee.work();
    committee.run();
  }
  // The next block waits for the vote of this one.
  committee.deliverable = (from, to) => from !== 2 && to !== 2;
  committee.work();
  committee.run();
  assert.ok(!voted(slow).includes(limits.pbftUnstored + 4));
  slow.effects = [];
  slow.releaseCommits();
  committee.pass(1_000);
  const asked = slow.effects.findIndex(({ type }) => type === 'validate');
  const signed = slow.effects.findIndex(
    (effect) => effect.type === 'persist' && effect.sign.some(({ key }) => key.startsWith('prepare/')),
  );
  assert.ok(asked >= 0 && signed > asked, `validate ${asked}, prepare ${signed}`);
  assert.equal(slow.finalHeight(), limits.pbftUnstored + 4);
});

test('a block that was valid in a view that was left, and never stored, is validated anew in the next', () => {
  const committee = new Committee(4, { options: { viewTimeoutMs: 400 } });
  const late = committee.node(3);
  committee.deliverable = (_, to, { kind }) => to !== 3 && (kind === 'pre-prepare' || kind === 'prepare');
  committee.work();
  committee.run();
  const slot = defined(committee.node(1).engine?.state.slots.get(toHeight(1)), 'the block');
  // Sync brought it as an ancestor of something, say: it is valid here, and nobody asked to store it.
  late.step({
    type: 'validated',
    blockHash: slot.blockHash,
    result: {
      verdict: 'valid',
      chain: [
        { isLast: false, height: slot.height, blockHash: slot.blockHash, parentHash: late.finalHash() },
      ],
    },
  });
  committee.deliverable = (_, __, { kind }) => kind !== 'pre-prepare';
  committee.pass(3_000);
  assert.equal(late.chain.get(slot.height), slot.blockHash);
});

test('a final block of a later view on a disk without any log: it starts in that view', () => {
  const committee = new Committee(4);
  committee.node(0).crash();
  committee.work();
  committee.pass(10_000);
  const node = committee.node(2);
  assert.ok(node.finalHeight() >= 1);
  node.crash();
  node.records = new Map();
  node.restart();
  assert.equal(node.engine?.state.view, node.engine?.state.final.certificate?.view);
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
  lost.candidates.clear();
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

test('views that fail leave blocks behind, and disk and memory keep a few windows of them and what is needed', () => {
  const options = { window: 2, viewTimeoutMs: 500, viewTimeoutCapMs: 500, blockIntervalMs: 0 };
  const committee = new Committee(4, { options });
  committee.work();
  committee.run();
  // One block is prepared everywhere and committed nowhere: every later view starts with it.
  committee.deliverable = (_, __, message) => message.kind !== 'commit';
  committee.work();
  committee.run();
  const tip = committee.node(1).engine?.state.highest?.blockHash ?? assert.fail();
  // From now on every view has its blocks, and none is prepared.
  committee.deliverable = (_, __, message) => message.kind !== 'prepare' && message.kind !== 'commit';
  let most = 0;
  for (let round = 0; round < 60; round++) {
    committee.work();
    committee.pass(1_000);
    for (const { candidates, engine } of committee.nodes) {
      most = Math.max(most, candidates.size, engine?.state.valid.size ?? 0);
    }
  }
  const views = committee.node(1).engine?.status().view ?? 0;
  assert.ok(views > 20, `${views} views`);
  assert.ok(most <= limits.pbftStoredWindows * options.window, `${most} blocks`);
  for (const node of committee.nodes) assert.ok(node.candidates.has(tip), 'the tip of all these views stays');
  committee.node(2).crash();
  committee.node(2).restart();
  committee.deliverable = () => true;
  committee.pass(5_000);
  committee.checkAgreement();
  assert.ok(committee.heights().every((height) => height > 1));
});

test('of the blocks that views left behind the oldest go first', () => {
  const options = { window: 2, viewTimeoutMs: 500, viewTimeoutCapMs: 500, blockIntervalMs: 0 };
  const committee = new Committee(4, { options });
  committee.deliverable = (_, __, message) => message.kind !== 'prepare' && message.kind !== 'commit';
  const node = committee.node(3);
  const viewOf = (blockHash: Hash): number => committee.blocks.get(blockHash)?.view ?? assert.fail();
  const before = node.execute.bind(node);
  let gone = 0;
  node.execute = (effect) => {
    const done = before(effect);
    if (effect.type === 'persist') {
      for (const blockHash of effect.forget ?? []) {
        gone += 1;
        for (const kept of node.candidates.keys())
          assert.ok(viewOf(blockHash) <= viewOf(kept), 'a newer one went');
      }
    }
    return done;
  };
  for (let round = 0; round < 30; round++) {
    committee.work();
    committee.pass(1_000);
  }
  assert.ok(gone > 10, `${gone} blocks went`);
  node.crash();
  node.restart();
  assert.deepEqual(
    new Set(node.engine?.state.stored.keys()),
    new Set(node.candidates.keys()),
    'a start counts those on its disk',
  );
});

test('what the highest certificate is for stays, with all below it, however many views know nothing of it', () => {
  const options = { window: 2, viewTimeoutMs: 500, viewTimeoutCapMs: 500, blockIntervalMs: 0 };
  const committee = new Committee(4, { options });
  const node = committee.node(3);
  // Two blocks are prepared, and this replica alone hears of it.
  committee.deliverable = (_, to, message) =>
    message.kind !== 'commit' && (message.kind !== 'prepare' || to === node.index);
  for (let count = 0; count < 2; count++) {
    committee.work();
    committee.run();
  }
  const highest = node.engine?.state.highest ?? assert.fail();
  assert.equal(highest.height, 2);
  const parent = committee.blocks.get(highest.blockHash)?.parentHash ?? assert.fail();
  // The others never hear that it left the views, so they begin with nothing of it.
  committee.deliverable = (from, _, message) =>
    message.kind !== 'prepare' &&
    message.kind !== 'commit' &&
    (from !== node.index || message.kind === 'suspect');
  for (let round = 0; round < 40; round++) {
    committee.work();
    committee.pass(1_000);
    for (const needed of [parent, highest.blockHash])
      assert.ok(node.candidates.has(needed), `it is on the disk in view ${node.engine?.state.view}`);
  }
  assert.ok((node.engine?.status().view ?? 0) > 15);
  assert.equal(node.engine?.state.highest?.blockHash, highest.blockHash);
});
